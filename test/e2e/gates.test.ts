import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MID, OLD, type Host, arrives, host, until } from '../support/holding.ts';

const LIMIT = { timeout: 60_000 };
const MINUTE = 60_000;
/** A Wednesday. */
const NOON = Date.parse('2026-07-22T12:00:00Z');
const ALWAYS =
  'updates.strategy = "periodic"\nupdates.periodic.window = [{ schedule = "0 0 * * *", length_minutes = 1440 }]\n';

/** A window every day at one in the afternoon. */
const WINDOW = (strategy: string): string =>
  `updates.strategy = ${strategy}\nupdates.periodic.window = [{ schedule = "0 13 * * *", length_minutes = 30 }]\n`;
const FREEZE = 'updates.freeze = [{ from = "2026-07-20", until = "2026-07-22", reason = "trade fair" }]\n';

interface Gate {
  readonly name: string;
  readonly config?: string;
  readonly close: (one: Host) => unknown;
  /** Why the host does not reboot. */
  readonly said: RegExp;
  readonly open: (one: Host) => unknown;
}

const GATES: readonly Gate[] = [
  {
    name: 'a block inhibitor, with who and why',
    close: ({ machine }) =>
      machine.setInhibitors([{ what: 'shutdown:sleep', who: 'backup', why: 'copying', mode: 'block' }]),
    said: /is staged; waiting: backup blocks shutdowns \(copying\)/,
    open: ({ machine }) => machine.setInhibitors([]),
  },
  {
    name: 'a marker in holds.d, until it is removed',
    close: ({ mark }) => mark('ansible', 'playbook 12 runs\n'),
    said: /is staged; waiting: held by ansible \(playbook 12 runs\)/,
    open: ({ marks }) => rmSync(join(marks, 'ansible')),
  },
  {
    name: 'a marker in holds.d, until its time is over',
    close: ({ mark }) => mark('backup', 'nightly\n'),
    said: /is staged; waiting: held by backup \(nightly\)/,
    open: ({ mark }) => mark('backup', 'nightly\nttl=2\n'),
  },
  {
    name: 'a battery, where AC power is required',
    config: 'updates.power.require_ac = true\n',
    close: ({ machine }) => machine.setPower('battery'),
    said: /is staged; waiting: this host runs on battery/,
    open: ({ machine, agent }) => {
      machine.setPower('ac');
      // Nobody tells of a plug; it is looked at once a minute, and now.
      agent.signal('SIGHUP');
    },
  },
  {
    name: 'a clock that is not synchronised, where there are windows',
    config: ALWAYS,
    close: ({ machine }) => machine.setClockSynced(false),
    said: /is staged; waiting: the clock is not synchronised yet, and windows go by it \(for .* more at most\)/,
    open: async ({ machine, agent }) => {
      await machine.setClockSynced(true);
      agent.signal('SIGHUP');
    },
  },
  {
    name: 'a clock that is never synchronised, for as long as that is waited for',
    config: ALWAYS,
    close: ({ machine }) => machine.setClockSynced(false),
    said: /is staged; waiting: the clock is not synchronised yet/,
    open: ({ reconfigure, clock }) =>
      reconfigure(`${ALWAYS}updates.clock_wait_secs = ${Math.ceil(clock.uptime()) + 1}\n`, 3600),
  },
  {
    name: 'a host that is not up for long enough',
    config: 'updates.min_uptime_secs = 3600\n',
    close: () => undefined,
    said: /is staged; waiting: this host is up for less than .*\(updates\.min_uptime_secs\), until/,
    open: ({ reconfigure, clock }) => reconfigure(`updates.min_uptime_secs = ${Math.ceil(clock.uptime()) + 1}\n`, 3600),
  },
  {
    name: 'somebody who is logged in, and leaves',
    close: ({ machine }) =>
      machine.setSessions([
        { id: '3', uid: 1000, user: 'ann', tty: '', class: 'user', remote: false, type: 'wayland', state: 'active' },
      ]),
    said: /is staged; waiting: ann \(desktop\) is logged in; they are given time to finish, until/,
    open: ({ machine }) => machine.setSessions([]),
  },
];

describe('a reboot is kept back by', () => {
  test.concurrent.for(GATES)('$name', LIMIT, async ({ config = '', close, said, open }, context) => {
    const one = await host(context, { config });
    await close(one);
    one.agent.start();
    await one.line(said);
    await until(() => said.test(one.status()));
    expect([one.booted(), one.downs]).toEqual([OLD, []]);
    await open(one);
    await arrives(one);
    expect(one.downs).toHaveLength(1);
  });

  test.concurrent('a metered network, on which nothing is downloaded', LIMIT, async (context) => {
    const one = await host(context, { config: 'updates.network.avoid_metered = true\n' });
    await one.machine.setMetered('guess-yes');
    one.agent.start();
    await one.line(/41\.2\.3\.0 is not fetched yet: .*metered/);
    expect(one.machine.state().deployments).toHaveLength(1);
    await one.machine.setMetered('no');
    await arrives(one);
  });
});

describe('the host wakes at', () => {
  test.concurrent.for([
    ['the start of a window', WINDOW('"periodic"'), 'outside of the reboot windows', NOON + 60 * MINUTE],
    ['the end of a freeze', FREEZE, 'no reboots on these dates (trade fair)', NOON + 12 * 60 * MINUTE],
  ] as const)('%s, and not at the next look at the graph', LIMIT, async ([, config, reason, opens], context) => {
    const one = await host(context, { config, wall: NOON });
    one.agent.start();
    await one.line(/is staged; waiting/);
    await until(() =>
      one.status().includes(`waiting: ${reason}, until ${new Date(opens).toISOString().slice(0, 19)}Z`),
    );
    one.clock.set(opens - 2000);
    one.reconfigure(config, 3600);
    await arrives(one);
    expect(one.downs[0]).toBeGreaterThanOrEqual(opens);
  });
});

test.concurrent('a lock server is asked inside of the windows only', LIMIT, async (context) => {
  const config = WINDOW('["periodic", "fleet_lock"]');
  const one = await host(context, { config, lock: true, wall: NOON });
  one.agent.start();
  await one.line(/is staged; waiting: outside of the reboot windows/);
  expect(one.locks.log).toEqual(['steady-state 200']);
  one.locks.hold('default', 'another');
  one.clock.set(NOON + 60 * MINUTE);
  await one.line(/waiting: the lock manager refused: .*another node reboots/);
  // The window ends while somebody else has the slot: no more questions, whatever becomes of it.
  one.clock.set(NOON + 90 * MINUTE);
  await one.nextLine(/waiting: outside of the reboot windows/);
  one.locks.hold('default', null);
  const asked = one.locks.log.length;
  const polls = one.server.requests.length + 2;
  await until(() => one.server.requests.length >= polls);
  expect([one.locks.log.slice(asked), one.booted()]).toEqual([[], OLD]);
  one.clock.set(NOON + 25 * 60 * MINUTE);
  await arrives(one);
  expect(one.downs[0]).toBeGreaterThanOrEqual(NOON + 25 * 60 * MINUTE);
  expect(one.booted()).toBe(MID);
});
