import { describe, expect, test } from 'vitest';
import { MID, OLD, arrives, host, sinceGrant, until } from '../support/holding.ts';
import { pidsIn, runs } from '../support/hooks.ts';
import { join } from 'node:path';

const LIMIT = { timeout: 60_000 };
const RUNNERS = [
  ['a child', false],
  ['a unit', true],
] as const;

interface Bad {
  readonly name: string;
  readonly script: string;
  readonly mode?: number;
  /** What people are told of it. */
  readonly said: RegExp;
}

/** Hooks as they should not be. */
const BAD: readonly Bad[] = [
  { name: 'hangs', script: 'sleep 600', said: /hook 50-test: took longer than 2 s and was killed/ },
  {
    name: 'fails',
    script: 'echo "the database is busy"; exit 3',
    said: /hook 50-test: exit status 3: the database is busy/,
  },
  {
    name: 'says "not now" and leaves processes behind',
    script:
      'sleep 600 & echo $! >> $D/pids\nsetsid sh -c "sleep 600 & echo \\$! >> $D/pids"\nsetsid sleep 600 & echo $! >> $D/pids\n' +
      'echo "a backup runs"; exit 75',
    said: /hook 50-test: a backup runs/,
  },
  {
    name: 'never stops talking',
    script: 'exec yes of-course',
    said: /hook 50-test: took longer than 2 s and was killed: of-course/,
  },
  { name: 'is not executable', script: '', mode: 0o644, said: /hook 50-test: is not executable/ },
];
const CASES = BAD.flatMap((bad) =>
  RUNNERS.map(([where, units]) => ({ ...bad, name: `${bad.name}, in ${where}`, units })),
);
const TIMEOUTS = 'hooks.timeout_secs = 2\nhooks.may_reboot_timeout_secs = 2\n';

describe('there is no reboot, the slot is given back and all is undone after a pre-reboot hook that', () => {
  test.concurrent.for(CASES)('$name', LIMIT, async ({ script, mode, said, units }, context) => {
    const one = await host(context, { config: TIMEOUTS, lock: true, units });
    one.hook('pre-reboot', script, mode);
    one.hook('reboot-cancelled', 'echo done >> $D/undo');
    one.agent.start();
    await one.line((line) => line.state === 'holding' && said.test(line.text) && line.text.includes('pre-reboot'));
    await until(() => one.locks.holders.size === 0);
    expect([one.told('undo'), sinceGrant(one)]).toEqual(['done\n', ['pre-reboot 200', 'steady-state 200']]);
    await until(() => said.test(one.status()));
    expect([one.booted(), one.downs]).toEqual([OLD, []]);
    if (script.includes('pids')) {
      const pids = pidsIn(join(one.machine.dir, 'told', 'pids'));
      expect([pids.length, pids.filter(runs)]).toEqual([3, []]);
    }
  });
});

describe('the slot is not even asked for after a may-reboot hook that', () => {
  test.concurrent.for(CASES.filter(({ units }) => !units))('$name', LIMIT, async ({ script, mode, said }, context) => {
    const one = await host(context, { config: TIMEOUTS, lock: true });
    one.hook('may-reboot', script, mode);
    one.hook('pre-reboot', 'echo done >> $D/pre');
    one.agent.start();
    await one.line((line) => line.state === 'holding' && said.test(line.text) && line.text.includes('may-reboot'));
    const polls = one.server.requests.length + 2;
    await until(() => one.server.requests.length >= polls && said.test(one.status()));
    expect([one.locks.log, one.told('pre'), one.booted()]).toEqual([['steady-state 200'], '', OLD]);
  });
});

test.concurrent('nothing is fetched while a pre-stage hook does not pass', LIMIT, async (context) => {
  const one = await host(context);
  one.hook('pre-stage', 'echo "the disk is full"; exit 1');
  one.agent.start();
  await one.line(/41\.2\.3\.0 is not fetched yet: pre-stage hook 50-test: exit status 1: the disk is full/);
  expect(one.machine.state().deployments).toHaveLength(1);
});

describe('hooks that pass are run in their order, with what they need to know, as', () => {
  test.concurrent.for(RUNNERS)('%s', LIMIT, async ([, units], context) => {
    const one = await host(context, { lock: true, units });
    const note =
      'echo "$HOLDPOINT_EVENT $HOLDPOINT_BOOTED_VERSION $HOLDPOINT_TARGET_VERSION $HOLDPOINT_GROUP" >> $D/order';
    const hooks = ['pre-stage', 'may-reboot', 'pre-reboot', 'reboot-cancelled'] as const;
    for (const event of hooks) one.hook(event, note);
    one.hook('post-boot', `${note}\n[ $HOLDPOINT_BOOTED_VERSION = ${OLD} ] || until [ -e $D/go ]; do sleep 0.05; done`);
    one.agent.start();
    await until(() => one.told('order').includes(`post-boot ${MID}`));
    // The slot goes back when the host has been put back into service, and not before.
    expect([one.locks.holders.size, sinceGrant(one)]).toEqual([1, ['pre-reboot 200']]);
    one.tell('go');
    await until(() => one.locks.holders.size === 0);
    await arrives(one);
    const order = one.told('order').trim().split('\n');
    expect(order.filter((line, index) => line !== order[index - 1])).toEqual([
      `post-boot ${OLD}  default`,
      `pre-stage ${OLD} ${MID} default`,
      `may-reboot ${OLD} ${MID} default`,
      `pre-reboot ${OLD} ${MID} default`,
      `may-reboot ${OLD} ${MID} default`,
      `post-boot ${MID} ${MID} default`,
    ]);
  });

  test.concurrent('nothing at all where systemd has their unit and refuses it', LIMIT, async (context) => {
    const one = await host(context, { lock: true, units: true });
    one.machine.setFault('denyUnits');
    one.hook('may-reboot', 'echo done >> $D/asked');
    one.agent.start();
    await one.line((line) => line.state === 'holding' && /may-reboot hook 50-test: systemd: .*denied/i.test(line.text));
    expect([one.told('asked'), one.locks.log]).toEqual(['', ['steady-state 200']]);
  });
});

test.concurrent(
  'what nobody can undo for a while is undone when it can be, though the slot has gone back',
  LIMIT,
  async (context) => {
    const one = await host(context, { lock: true, units: true });
    one.hook('pre-reboot', 'echo begins >> $D/pre\nuntil [ -e $D/go ]; do sleep 0.05; done');
    one.hook('reboot-cancelled', 'echo done >> $D/undo');
    one.agent.start();
    await until(() => one.told('pre') === 'begins\n');
    one.machine.setFault('denyUnits', { verbs: ['start'] });
    one.mark('ansible', 'a playbook runs\n');
    one.tell('go');
    await one.line(
      (line) => line.level === 'error' && line.text.includes('could not be undone so far: 50-test: systemd'),
    );
    await until(() => one.locks.holders.size === 0);
    expect([one.told('undo'), one.memory()['acted'] === null]).toEqual(['', false]);
    one.machine.clearFault('denyUnits');
    await until(() => one.memory()['acted'] === null);
    expect(one.told('undo')).toBe('done\n');
  },
);

describe('an agent that is stopped while the pre-reboot hook runs ends it, then undoes it, with the hook as', () => {
  const CASES_OF_STOP = RUNNERS.flatMap(([where, units]) =>
    [true, false].map((lock) => ({ name: `${where}, ${lock ? 'with' : 'without'} a lock`, units, lock })),
  );

  test.concurrent.for(CASES_OF_STOP)('$name', LIMIT, async ({ units, lock }, context) => {
    const one = await host(context, { lock, units });
    one.hook('pre-reboot', 'echo $$ >> $D/pids\necho begins >> $D/order\nsleep 600');
    // The hook that acts is no more when what it did is undone.
    one.hook('reboot-cancelled', '[ -e /proc/$(cat $D/pids)/exe ] && echo early >> $D/order\necho undone >> $D/order');
    one.agent.start();
    await until(() => one.told('order') === 'begins\n');
    one.agent.signal('SIGTERM');
    await until(() => one.agent.pid === null);
    expect([one.told('order'), one.memory()['acted'], one.memory()['slot']]).toEqual(['begins\nundone\n', null, null]);
    expect(pidsIn(join(one.machine.dir, 'told', 'pids')).filter(runs)).toEqual([]);
    expect([one.locks.holders.size, one.lines.at(-1)?.text]).toEqual([0, 'stopped']);
  });
});
