import { describe, expect, test } from 'vitest';
import type { Unit } from '../../src/sim/machine.ts';
import { MID, OLD, type Host, arrives, host, sinceGrant, until } from '../support/holding.ts';

const LIMIT = { timeout: 60_000 };
const UNIT = 'boot-complete.target';
const GOOD: readonly Unit[] = [{ name: UNIT, active: 'active' }];
const CHECK = { name: 'greenboot-healthcheck.service', active: 'failed' };
/** As greenboot leaves it: what the target requires has failed. */
const BAD: readonly Unit[] = [{ name: UNIT, active: 'inactive', requires: [CHECK.name] }, CHECK];
const FAILED = 'boot-complete.target was not reached: greenboot-healthcheck.service failed';

/** Each boot of a release has these units: they change while the host is down. */
function boots(one: Host, units: (version: string) => readonly Unit[]): void {
  one.machine.setUnits(units(OLD));
  one.machine.onShutdown(() => {
    const [next] = one.machine.state().deployments;
    one.machine.setUnits(units(next?.version ?? ''));
  });
}

/** Waits for some more looks at the graph. */
async function polls({ server }: Host, more: number): Promise<void> {
  const enough = server.requests.length + more;
  await until(() => server.requests.length >= enough);
}

test.concurrent('an unhealthy boot keeps its slot, and says so, until it is healthy', LIMIT, async (context) => {
  const one = await host(context, { lock: true });
  boots(one, (version) => (version === MID ? BAD : GOOD));
  one.agent.start();
  await one.line((line) => line.level === 'error' && line.text.includes(FAILED));
  expect(one.booted()).toBe(MID);
  await until(() => one.status().includes('this boot is not healthy: boot-complete.target was not reached'));
  expect(one.status()).toContain('and the slot of group default is kept');
  await polls(one, 2);
  expect([one.locks.holders.size, sinceGrant(one)]).toEqual([1, ['pre-reboot 200']]);
  one.machine.setUnits(GOOD);
  await until(() => one.locks.holders.size === 0);
  await until(() => !one.status().includes('not healthy'));
  expect(one.downs).toHaveLength(1);
});

test.concurrent(
  'a boot that takes its time is waited for, and reported when it takes too long',
  LIMIT,
  async (context) => {
    const one = await host(context, { lock: true });
    boots(one, (version) => (version === MID ? [{ name: UNIT, active: 'inactive', job: 'start' }] : GOOD));
    one.agent.start();
    await arrives(one);
    await polls(one, 2);
    expect([one.locks.holders.size, one.lines.filter(({ level }) => level === 'error')]).toEqual([1, []]);
    one.reconfigure(`health.timeout_secs = ${Math.ceil(one.clock.uptime()) + 1}\n`);
    await one.line(
      (line) => line.level === 'error' && line.text.includes('boot-complete.target has not been reached yet'),
    );
    one.machine.setUnits(GOOD);
    await until(() => one.locks.holders.size === 0);
  },
);

test.concurrent(
  'a health.unit that is not there is warned of, once, and waited for by nobody',
  LIMIT,
  async (context) => {
    const one = await host(context, { lock: true, config: 'health.unit = "boot-compleat.target"\n' });
    boots(one, () => GOOD);
    one.agent.start();
    await arrives(one);
    await until(() => one.locks.holders.size === 0);
    await polls(one, 2);
    const starts = one.lines.filter(({ text }) => text.startsWith('ready;')).length;
    const said = one.lines.filter(({ text }) => text.includes('health.unit'));
    expect(said.map(({ level, text }) => `${level} ${text}`)).toEqual(
      Array(starts).fill(
        'warn health.unit: boot-compleat.target does not exist on this host: every boot counts as healthy',
      ),
    );
  },
);

describe('with health.rollback', () => {
  const ROLLBACK = 'health.rollback = true\nhealth.timeout_secs = 1\n';

  test.concurrent('an unhealthy release is left, and not applied again', LIMIT, async (context) => {
    const one = await host(context, { lock: true, config: ROLLBACK });
    boots(one, (version) => (version === MID ? BAD : GOOD));
    one.agent.start();
    await one.line((line) => line.level === 'error' && line.text.includes(FAILED));
    await one.line(
      (line) => line.level === 'error' && /41\.2\.3\.0 is kept away .*its boot did not become healthy/.test(line.text),
    );
    await one.machine.until(
      ({ deployments, bootCount }) =>
        bootCount === 3 && deployments.some((each) => each.booted && each.version === OLD),
    );
    // The slot that it was made under comes back once the host is well again.
    await until(() => one.locks.holders.size === 0);
    await one.line((line) => line.verdict === 'denied');
    await polls(one, 3);
    expect([one.booted(), one.downs.length, one.machine.state().deployments.filter(({ staged }) => staged)]).toEqual([
      OLD,
      2,
      [],
    ]);
  });

  test.concurrent('a healthy one comes through', LIMIT, async (context) => {
    const one = await host(context, { lock: true, config: ROLLBACK });
    boots(one, () => GOOD);
    one.agent.start();
    await arrives(one);
    await until(() => one.locks.holders.size === 0);
    await polls(one, 2);
    expect([one.booted(), one.downs.length, one.memory()['quarantine']]).toEqual([MID, 1, []]);
  });
});

test.concurrent(
  'a post-boot hook that fails keeps the slot, and is run again until it passes',
  LIMIT,
  async (context) => {
    const one = await host(context, { lock: true });
    one.hook(
      'post-boot',
      `[ $HOLDPOINT_BOOTED_VERSION = ${OLD} ] && exit 0\n[ -e $D/well ] && exit 0\necho "no database"; exit 1`,
    );
    one.agent.start();
    await one.line(
      (line) => line.level === 'error' && line.text.includes('post-boot hook 50-test: exit status 1: no database'),
    );
    await until(() =>
      one.status().includes('this boot is not healthy: post-boot hook 50-test: exit status 1: no database'),
    );
    await polls(one, 2);
    expect([one.locks.holders.size, sinceGrant(one)]).toEqual([1, ['pre-reboot 200']]);
    one.tell('well');
    await until(() => one.locks.holders.size === 0);
  },
);
