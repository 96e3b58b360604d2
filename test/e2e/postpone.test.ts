import { chmodSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { AGENT_NAME } from '../../src/agent/dbus/names.ts';
import { openBus } from '../../src/bus/bus.ts';
import type { Session } from '../../src/sim/api.ts';
import { ROOT, type Ran, UID as ADA_UID, bundleForAll } from '../support/as-user.ts';
import { startLockServer } from '../support/lock-server.ts';
import { type Simulated, simulate, smallGraph } from '../support/simulated.ts';

const [OLD, MID] = ['40.1.3.0', '41.2.3.0'] as const;
const LIMIT = { timeout: 60_000 };
/** Of a user that there is on every system: the bus turns away others. */
const STRANGER_UID = ROOT ? 1 : -1;

const ADA: Session = {
  id: '7',
  uid: ADA_UID,
  user: 'ada',
  tty: 'pts/7',
  class: 'user',
  remote: true,
  type: 'tty',
  state: 'active',
};

const holdpoint = bundleForAll();

/** `holdpoint postpone` as this user. */
function postpone(one: Simulated, uid: number, ...argv: string[]): Promise<Ran> {
  return holdpoint(one, uid, 'postpone', ...argv);
}

interface Context {
  readonly onTestFinished: (end: () => Promise<void> | void) => void;
}

/** A host with Ada, who has an hour to finish, once her time has begun. */
async function host(
  { onTestFinished }: Context,
  config: string,
  sessions: readonly Session[] = [ADA],
): Promise<Simulated> {
  const sessionsConfig = 'updates.sessions.grace_secs = 3600\n';
  const one = await simulate({ graph: smallGraph([OLD, MID], [[0, 1]]), from: OLD, config: sessionsConfig + config });
  onTestFinished(() => one.stop());
  chmodSync(one.machine.dir, 0o755);
  one.machine.setSessions(sessions);
  one.agent.start();
  await one.line(/is staged; waiting: .* logged in/);
  await one.line(/^on the bus as io\.github\.holdpoint\.Agent1/);
  return one;
}

describe('a reboot is postponed', () => {
  test.concurrent(
    'by who is logged in, as far as it is allowed, also over a restart of the agent',
    LIMIT,
    async (context) => {
      const one = await host(context, 'updates.sessions.postpone_secs = 5400\n');
      await one.line(/^told people: .*holdpoint postpone$/);
      const first = await postpone(one, ADA_UID);
      expect([first.status, first.err]).toEqual([0, '']);
      expect(first.out).toMatch(
        /^The reboot into 41\.2\.3\.0 waits until \d.*\S at the least; 30 min more are allowed\.\n$/,
      );
      await one.line(/^the reboot was postponed by ada until 20/);
      await one.line(
        /^told people: The reboot into 41\.2\.3\.0 is put off until \S+Z at the least: postponed by ada\.$/,
      );
      await one.agent.kill();
      const again = one.nextLine(/^on the bus as/);
      one.agent.start();
      await one.nextLine(/is staged; waiting: postponed by ada/);
      await again;
      const second = await postpone(one, ADA_UID, '--for=2h', '--json');
      const answer = JSON.parse(second.out) as { until: string; text: string; postponed: boolean };
      expect([second.status, answer.postponed]).toEqual([0, true]);
      expect(answer.text).toMatch(/that is all that is allowed$/);
      const until = (one.memory()['postponed'] as { until: number }).until;
      expect(Date.parse(answer.until)).toBe(Math.floor(until / 1000) * 1000);
      const third = await postpone(one, ADA_UID);
      expect(third).toEqual({
        status: 1,
        out: '',
        err: 'holdpoint postpone: it was postponed by 1 h 30 min already, which is all that is allowed\n',
      });
    },
  );

  test.concurrent('during the last notice: the slot goes back, and the reboot comes later', LIMIT, async (context) => {
    const locks = await startLockServer();
    context.onTestFinished(() => locks.close());
    const lock = `updates.strategy = "fleet_lock"\nupdates.fleet_lock.base_url = "${locks.url}"\n`;
    const one = await simulate({
      graph: smallGraph([OLD, MID], [[0, 1]]),
      from: OLD,
      config: `${lock}updates.sessions.grace_secs = 0\nupdates.sessions.final_notice_secs = 3600\nupdates.sessions.postpone_secs = 60\n`,
    });
    context.onTestFinished(() => one.stop());
    chmodSync(one.machine.dir, 0o755);
    one.machine.setSessions([ADA]);
    one.agent.start();
    await one.line(/^told people: This host is about to reboot.*holdpoint postpone$/);
    expect(locks.holders.size).toBe(1);
    expect((await postpone(one, ADA_UID, '--for', '2s')).status).toBe(0);
    await one.line(/is staged; waiting: .*postponed by ada/);
    while (locks.holders.size > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(one.machine.state().bootCount).toBe(1);
    one.machine.setSessions([]);
    await one.machine.until(({ deployments }) => deployments.some((each) => each.booted && each.version === MID));
  });
});

describe('a reboot is not postponed', () => {
  test.concurrent('by who is not logged in', LIMIT, async (context) => {
    const one = await host(context, 'updates.sessions.postpone_secs = 5400\n', [
      { ...ADA, uid: ROOT ? ADA_UID : 4711 },
    ]);
    const { status, out, err } = await postpone(one, ROOT ? STRANGER_UID : ADA_UID, '--json');
    expect([status, out]).toEqual([5, '']);
    expect(err).toMatch(
      /^holdpoint postpone: only root and people who are logged in .* user number \d+ is not among them/,
    );
    expect(one.memory()['postponed']).toBeNull();
  });

  test.concurrent('where the policy does not allow it', LIMIT, async (context) => {
    const one = await host(context, '');
    const { status, err } = await postpone(one, ADA_UID);
    expect([status, err]).toEqual([
      1,
      'holdpoint postpone: the policy of this host does not allow it (updates.sessions.postpone_secs)\n',
    ]);
  });

  test.concurrent('without an agent', LIMIT, async (context) => {
    const one = await host(context, 'updates.sessions.postpone_secs = 5400\n');
    await one.agent.kill();
    const { status, err } = await postpone(one, ADA_UID);
    expect([status, err]).toEqual([4, expect.stringMatching('the agent is not running') as string]);
  });
});

test('somebody else who has the name of the agent does not keep it from its work', LIMIT, async (context) => {
  const one = await simulate({ graph: smallGraph([OLD, MID], [[0, 1]]), from: OLD });
  context.onTestFinished(() => one.stop());
  const other = openBus({ address: one.machine.busAddress, random: Math.random });
  context.onTestFinished(() => other.close());
  const own = (done: () => void): unknown => other.requestName(AGENT_NAME, {}, ({ owned }) => owned && done());
  await new Promise<void>((resolve) => own(resolve));
  one.agent.start();
  const warning = await one.line(/^not on the bus as io\.github\.holdpoint\.Agent1/);
  expect(warning.level).toBe('warn');
  await one.machine.until(({ deployments }) => deployments.some((each) => each.booted && each.version === MID));
});

test.runIf(ROOT)('root can do it for others', LIMIT, async (context) => {
  const one = await host(context, 'updates.sessions.postpone_secs = 5400\n');
  expect((await postpone(one, 0, '--for=10m')).status).toBe(0);
  await one.line(/^the reboot was postponed by root until 20/);
});
