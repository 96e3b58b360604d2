import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OLD, type Host, arrives, host, messages, session, sinceGrant, until } from '../support/holding.ts';

const LIMIT = { timeout: 75_000 };
const MINUTE = 60_000;
const NOON = Date.parse('2026-07-22T12:00:00Z');
const WINDOW =
  'updates.strategy = ["periodic", "fleet_lock"]\n' +
  'updates.periodic.window = [{ schedule = "0 12 * * *", length_minutes = 30 }]\n';
/** Hooks that do what they do when they are told to, and note what they did. */
const PRE = 'echo begins >> $D/pre\nuntil [ -e $D/go ]; do sleep 0.05; done\necho ends >> $D/pre';
const UNDO = 'echo begins >> $D/undo\nuntil [ -e $D/goback ]; do sleep 0.05; done\necho ends >> $D/undo';
const BACKUP = { what: 'shutdown', who: 'backup', why: 'copying', mode: 'block' } as const;

interface Closing {
  readonly name: string;
  readonly config?: string;
  readonly wall?: number;
  /** What comes before the grant, in place of a mere start. */
  readonly begin?: (one: Host) => Promise<unknown>;
  /** Withdraws the consent while the slot is held and a hook acts. */
  readonly close: (one: Host) => unknown;
  readonly said: RegExp;
  /** Gives it again. */
  readonly open: (one: Host) => unknown;
}

const CLOSINGS: readonly Closing[] = [
  {
    name: 'a window that ends',
    config: WINDOW,
    wall: NOON,
    close: ({ clock, agent }) => {
      clock.set(NOON + 30 * MINUTE - 1000);
      // Nobody tells of a clock that is set while nothing else happens.
      agent.signal('SIGHUP');
    },
    said: /waiting: .*outside of the reboot windows, until 2026-07-23T12:00:00Z/,
    open: ({ clock }) => clock.set(NOON + 24 * 60 * MINUTE),
  },
  {
    name: 'a window that ends by itself',
    config: WINDOW,
    wall: NOON,
    begin: async (one) => {
      one.mark('start', 'not yet\n');
      one.agent.start();
      await one.line(/waiting: .*held by start/);
      one.clock.set(NOON + 30 * MINUTE - 12_000);
      // From here on nothing but the end of the window is due: what is not heard of is not seen.
      one.reconfigure(WINDOW, 600);
      await one.line(/^the configuration was read again$/);
      rmSync(join(one.marks, 'start'));
    },
    close: () => undefined,
    said: /waiting: .*outside of the reboot windows, until 2026-07-23T12:00:00Z/,
    open: ({ clock, reconfigure }) => {
      clock.set(NOON + 24 * 60 * MINUTE);
      reconfigure(WINDOW);
    },
  },
  {
    name: 'somebody who logs in',
    close: ({ machine }) => machine.setSessions([session()]),
    said: /waiting: .*ann \(tty1\) is logged in; they get/,
    open: ({ machine }) => machine.setSessions([]),
  },
  {
    name: 'updates that are disabled',
    close: ({ reconfigure }) => reconfigure('updates.enabled = false\n'),
    said: /disabled: updates\.enabled is false/,
    open: ({ reconfigure }) => reconfigure(''),
  },
  {
    name: 'a marker in holds.d',
    close: ({ mark }) => mark('ansible', 'playbook 12 runs\n'),
    said: /waiting: .*held by ansible \(playbook 12 runs\)/,
    open: ({ marks }) => rmSync(join(marks, 'ansible')),
  },
  {
    name: 'an inhibitor',
    close: ({ machine }) => machine.setInhibitors([BACKUP]),
    said: /waiting: .*backup blocks shutdowns/,
    open: ({ machine }) => machine.setInhibitors([]),
  },
];

describe('between the grant and finalize, the reboot is called off, undone and the slot given back, by', () => {
  test.concurrent.for(CLOSINGS)('$name', LIMIT, async ({ config = '', wall, begin, close, said, open }, context) => {
    const one = await host(context, { config, lock: true, ...(wall === undefined ? {} : { wall }) });
    one.hook('pre-reboot', PRE);
    one.hook('reboot-cancelled', UNDO);
    if (begin === undefined) one.agent.start();
    else await begin(one);
    await until(() => one.told('pre') === 'begins\n');
    await until(() => one.status().includes('the slot is held, the pre-reboot hooks are running'));
    await close(one);
    await one.line(said);
    // What acts is not interrupted; what it did is undone before anybody else may have the slot.
    expect([one.told('undo'), sinceGrant(one)]).toEqual(['', ['pre-reboot 200']]);
    one.tell('go');
    await until(() => one.told('undo') === 'begins\n');
    expect([one.told('pre'), sinceGrant(one), one.locks.holders.size]).toEqual([
      'begins\nends\n',
      ['pre-reboot 200'],
      1,
    ]);
    one.tell('goback');
    await until(() => one.locks.holders.size === 0);
    expect([one.told('undo'), sinceGrant(one)]).toEqual(['begins\nends\n', ['pre-reboot 200', 'steady-state 200']]);
    expect([one.booted(), one.downs]).toEqual([OLD, []]);
    await open(one);
    await arrives(one);
    expect(one.told('pre')).toBe('begins\nends\n'.repeat(2));
    expect(one.told('undo')).toBe('begins\nends\n');
    await until(() => one.locks.holders.size === 0);
  });
});

test.concurrent(
  'a login while the hooks act, after the time of the others, is told at once and given a moment',
  LIMIT,
  async (context) => {
    const config = 'updates.sessions.grace_secs = 1\nupdates.sessions.final_notice_secs = 1\n';
    const one = await host(context, { config, lock: true });
    one.hook('pre-reboot', PRE);
    one.hook('reboot-cancelled', 'echo done >> $D/undo');
    one.machine.setSessions([session()]);
    one.agent.start();
    await until(() => one.told('pre') === 'begins\n');
    const before = messages(one).length;
    one.machine.setSessions([session(), session({ id: '8', user: 'bob', tty: 'pts/3', remote: true })]);
    await until(() => messages(one).length > before);
    one.tell('go');
    await arrives(one);
    expect(one.told('undo')).toBe('');
    const [told = '', ...more] = messages(one).slice(before);
    expect(told).toMatch(/about to reboot into 41\.2\.3\.0/);
    expect(more).toEqual([]);
  },
);

test.concurrent('what is still being read when rpm-ostree is ready is waited for', LIMIT, async (context) => {
  const one = await host(context, { lock: true });
  one.hook('pre-reboot', PRE);
  one.hook('reboot-cancelled', 'echo done >> $D/undo');
  one.agent.start();
  await until(() => one.told('pre') === 'begins\n');
  one.machine.setFault('lateSocket', { ms: 1000 });
  one.tell('go');
  await one.line((line) => line.state === 'rebooting');
  one.machine.setFault('logindSilent', { methods: ['ListSessions'] });
  one.mark('ansible', 'playbook 12 runs\n');
  await one.line(/^finalizing.*held by ansible/);
  await until(() => one.locks.holders.size === 0);
  expect([one.told('undo'), one.booted(), one.downs]).toEqual(['done\n', OLD, []]);
});

test.concurrent('what closes while rpm-ostree opens its transaction is still heeded', LIMIT, async (context) => {
  const one = await host(context, { lock: true });
  one.hook('pre-reboot', PRE);
  one.hook('reboot-cancelled', 'echo done >> $D/undo');
  one.agent.start();
  await until(() => one.told('pre') === 'begins\n');
  one.machine.setFault('lateSocket', { ms: 2500 });
  one.tell('go');
  await one.line((line) => line.state === 'rebooting');
  one.mark('ansible', 'playbook 12 runs\n');
  await one.line(/^finalizing.*held by ansible/);
  await until(() => one.locks.holders.size === 0);
  expect([one.told('undo'), one.booted(), one.downs]).toEqual(['done\n', OLD, []]);
  one.machine.clearFault('lateSocket');
  rmSync(join(one.marks, 'ansible'));
  await arrives(one);
});
