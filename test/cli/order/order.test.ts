import { join } from 'node:path';
import { format } from 'prettier';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BusError, type ExportedMethod, type IncomingCall } from '../../../src/bus/api.ts';
import { EXIT } from '../../../src/cli/command.ts';
import { dispatch } from '../../../src/cli/dispatch.ts';
import { orderCommands } from '../../../src/cli/order/index.ts';
import { readersTime } from '../../../src/cli/report/ask.ts';
import { ORDER_SCHEMA } from '../../../src/cli/order/ordered.ts';
import { type StandIn, standIn } from '../../support/agent-on-bus.ts';
import { startDbus } from '../../support/dbus.ts';
import { expectGolden } from '../../support/golden.ts';
import { testIo } from '../io.ts';

let address: string;

beforeEach(async () => {
  const dbus = await startDbus();
  onTestFinished(() => dbus.stop());
  ({ address } = dbus);
});

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `holdpoint …`; on a terminal if `isTTY`. */
async function run(argv: readonly string[], isTTY = false): Promise<Ran> {
  const io = { ...testIo({ DBUS_SYSTEM_BUS_ADDRESS: address }), isTTY };
  const status = await dispatch(orderCommands, argv, io);
  return { status, out: io.out(), err: io.err() };
}

type Answer = (call: IncomingCall) => readonly unknown[];

/** What the agent was asked. */
interface Asked {
  readonly calls: (readonly [string, ...unknown[]])[];
  readonly agent: StandIn;
}

/** An agent that answers every order like this. */
async function agent(
  answer: Answer,
  properties: Readonly<Record<string, readonly [string, unknown]>> = {},
): Promise<Asked> {
  const calls: Asked['calls'] = [];
  const method = (member: string, signature: string): [string, ExportedMethod] => [
    member,
    {
      in: signature.split('').map((type) => ({ name: type, type })),
      out: ['outcome', 'text'].map((name) => ({ name, type: 's' })),
      handle: (call) => {
        calls.push([member, ...call.args]);
        return answer(call);
      },
    },
  ];
  const methods = Object.fromEntries([
    ...['CheckNow', 'Cancel', 'Resume'].map((member) => method(member, '')),
    ...['Skip', 'Unskip'].map((member) => method(member, 's')),
    method('UpdateNow', 't'),
    method('Pause', 'xs'),
  ]);
  const status = { Status: ['s', 'running 42; what it does'] } as const;
  return { calls, agent: await standIn(address, { methods, properties: { ...status, ...properties } }) };
}

const DONE: Answer = () => ['done', 'it is so'];

describe('an order', () => {
  const good: readonly (readonly [readonly string[], readonly unknown[]])[] = [
    [
      ['update', '--now'],
      ['UpdateNow', 3600n],
    ],
    [
      ['update', '--now', '--for', '1h30m'],
      ['UpdateNow', 5400n],
    ],
    [['cancel'], ['Cancel']],
    [['pause'], ['Pause', -1n, '']],
    [
      ['pause', '--reason', 'backup', '--until=2999-01-01'],
      ['Pause', 32_472_144_000n, 'backup'],
    ],
    [['resume'], ['Resume']],
    [
      ['skip', '44.1'],
      ['Skip', '44.1'],
    ],
    [
      ['unskip', '44.1'],
      ['Unskip', '44.1'],
    ],
  ];

  test.each(good)('%o is given, and what came of it printed with what comes next', async (argv, expected) => {
    const { calls } = await agent(DONE);
    expect(await run(argv)).toEqual({ status: EXIT.ok, out: 'It is so.\nNow: running 42; what it does\n', err: '' });
    expect(calls).toEqual([expected]);
  });

  test('pause --for counts from now', async () => {
    const { calls } = await agent(DONE);
    const before = Date.now();
    await run(['pause', '--for=2h']);
    const until = Number(calls[0]?.[1]) * 1000;
    expect(until).toBeGreaterThanOrEqual(before + 7_200_000);
    expect(until).toBeLessThanOrEqual(Date.now() + 7_201_000);
  });

  test('is JSON on demand', async () => {
    await agent(DONE);
    const { status, out, err } = await run(['resume', '--json']);
    expect([status, JSON.parse(out), err]).toEqual([
      EXIT.ok,
      {
        version: 1,
        order: 'resume',
        outcome: 'done',
        text: 'it is so',
        status: 'running 42; what it does',
        check: null,
      },
      '',
    ]);
  });

  test('may have nothing to do', async () => {
    await agent(() => ['nothing', 'updates are not paused']);
    expect(await run(['resume'])).toMatchObject({
      status: EXIT.nothingToDo,
      out: expect.stringMatching(/^Updates are not paused\.\n/) as string,
      err: '',
    });
    const { status, out } = await run(['resume', '--json']);
    expect([status, JSON.parse(out)]).toMatchObject([EXIT.nothingToDo, { outcome: 'nothing' }]);
  });

  test('may be refused', async () => {
    await agent(() => ['refused', 'the reboot has begun']);
    expect(await run(['cancel'])).toEqual({
      status: EXIT.failure,
      out: '',
      err: 'holdpoint cancel: the reboot has begun\nNow: running 42; what it does\n',
    });
  });

  test('may be denied', async () => {
    await agent(() => {
      throw new BusError('org.freedesktop.DBus.Error.AccessDenied', 'only root may do this');
    });
    expect(await run(['cancel', '--json'])).toEqual({
      status: EXIT.denied,
      out: '',
      err: 'holdpoint cancel: only root may do this\n',
    });
  });

  test('is fit for a terminal', async () => {
    await agent(() => ['done', 'a\u001b[2Jb\nc']);
    expect((await run(['resume'])).out).toMatch(/^A \[2Jb c\.\n/);
  });

  test('that is answered with nonsense fails', async () => {
    await agent(() => ['maybe', 'x']);
    expect(await run(['resume'])).toEqual({
      status: EXIT.failure,
      out: '',
      err: 'holdpoint resume: the agent gave an answer that cannot be understood\n',
    });
  });

  test('without an agent is a status of its own', async () => {
    expect(await run(['resume', '--json'])).toMatchObject({ status: EXIT.notRunning, out: '' });
  });
});

describe('a password', () => {
  const WANTED: Answer = ({ interactive }) => {
    if (interactive) return ['done', 'it is so'];
    throw new BusError('org.freedesktop.DBus.Error.InteractiveAuthorizationRequired', 'a password is needed');
  };

  test('is asked for on a terminal', async () => {
    const { calls } = await agent(WANTED);
    const { status, err } = await run(['resume'], true);
    expect([status, err, calls.length]).toEqual([
      EXIT.ok,
      'An administrator must confirm this with a password (polkit).\n',
      2,
    ]);
  });

  test('is not asked for elsewhere', async () => {
    const { calls } = await agent(WANTED);
    expect(await run(['resume'])).toEqual({
      status: EXIT.denied,
      out: '',
      err: 'holdpoint resume: a password is needed\n',
    });
    expect(calls).toHaveLength(1);
  });
});

test.each([
  ['done', 'out'],
  ['refused', 'err'],
] as const)('moments are in the time of whoever reads: %s', async (outcome, where) => {
  const Status = ['s', 'waiting until 2026-07-23T14:00:00Z'] as const;
  await agent(() => [outcome, 'until 2026-07-23T13:00:00Z, it is so'], { Status });
  const shown = readersTime(Date.now());
  const ran = await run(['resume']);
  const [at, later] = ['13', '14'].map((hour) => shown.at(Date.parse(`2026-07-23T${hour}:00:00Z`)));
  expect(ran[where]).toContain(`ntil ${at}, it is so`);
  expect(ran[where]).toContain(`Now: waiting until ${later}\n`);
  expect((await run(['resume', '--json'])).out).toContain('until 2026-07-23T13:00:00Z, it is so');
});

describe('check', () => {
  const READY = {
    Checking: ['b', false],
    LastCheck: ['x', 1_784_815_200n],
    LastCheckResult: ['s', 'newest'],
    LastCheckText: ['s', '42 is the newest release'],
    Booted: ['s', '42'],
    Target: ['s', ''],
  } as const;

  const verdicts: readonly (readonly [object, number, string, string])[] = [
    [{}, EXIT.nothingToDo, '42 is the newest release.\nNow: running 42; what it does\n', ''],
    [
      { LastCheckResult: ['s', 'update'], LastCheckText: ['s', 'there is an update to 43'], Target: ['s', '43'] },
      EXIT.ok,
      'There is an update to 43.\nNow: running 42; what it does\n',
      '',
    ],
    [{ Target: ['s', '43'] }, EXIT.ok, '42 is the newest release.\nNow: running 42; what it does\n', ''],
    [
      { LastCheckResult: ['s', 'failed'], LastCheckText: ['s', 'no answer'], Target: ['s', '43'] },
      EXIT.failure,
      '',
      'holdpoint check: no answer\nNow: running 42; what it does\n',
    ],
  ];
  test.each(verdicts)('with %o says what the graph says', async (change, status, out, err) => {
    await agent(DONE, { ...READY, ...change });
    expect(await run(['check'])).toEqual({ status, out, err });
  });

  test('waits until the answer is there', async () => {
    const { calls, agent: one } = await agent(DONE, {
      ...READY,
      Checking: ['b', true],
      LastCheckResult: ['s', ''],
      LastCheckText: ['s', ''],
    });
    const ran = run(['check', '--json']);
    while (calls.length === 0) await new Promise(setImmediate);
    one.set({ Status: 'still asking' });
    one.set({ Checking: false, LastCheckResult: 'update', LastCheckText: 'there is an update to 43', Target: '43' });
    const { status, out } = await ran;
    expect([status, JSON.parse(out)]).toEqual([
      EXIT.ok,
      {
        version: 1,
        order: 'check',
        outcome: 'done',
        text: 'there is an update to 43',
        status: 'still asking',
        check: {
          at: '2026-07-23T14:00:00.000Z',
          result: 'update',
          text: 'there is an update to 43',
          booted: '42',
          target: '43',
        },
      },
    ]);
  });

  test('shows on a terminal that it waits, and leaves nothing of that', async () => {
    const { calls, agent: one } = await agent(DONE, { ...READY, Checking: ['b', true] });
    const ran = run(['check'], true);
    while (calls.length === 0) await new Promise(setImmediate);
    setTimeout(() => one.set({ Checking: false }), 300);
    const { out, err } = await ran;
    expect(err.replace('\u001b', 'ESC')).toMatch(/^(\rAsking the update graph … \d+ s)+\rESC\[K$/);
    expect(out).toMatch(/^42 is the newest release\.\n/);
  });

  const ordered: readonly (readonly [object, number, string])[] = [
    [
      {},
      EXIT.nothingToDo,
      'There is nothing to update to, so that the consent is over: 42 is the newest release.\nNow: running 42; what it does\n',
    ],
    [
      { LastCheckResult: ['s', 'failed'], LastCheckText: ['s', 'no answer'] },
      EXIT.ok,
      'It is so; the graph could not be read so far: no answer.\nNow: running 42; what it does\n',
    ],
    ...[{ LastCheckResult: ['s', 'update'] }, { Target: ['s', '43'] }, { LastCheckResult: ['s', ''] }].map(
      (change) => [change, EXIT.ok, 'It is so.\nNow: running 42; what it does\n'] as const,
    ),
  ];
  test.each(ordered)(
    'after update --now with %o decides whether there is anything to reboot into',
    async (change, status, out) => {
      await agent(DONE, { ...READY, ...change });
      expect(await run(['update', '--now'])).toEqual({ status, out, err: '' });
    },
  );

  test('is waited for by update --now', async () => {
    const { calls, agent: one } = await agent(DONE, {
      ...READY,
      Checking: ['b', true],
      LastCheckResult: ['s', 'update'],
    });
    const ran = run(['update', '--now', '--json']);
    while (calls.length === 0) await new Promise(setImmediate);
    one.set({ Checking: false, LastCheckResult: 'newest' });
    const { status, out } = await ran;
    expect([status, JSON.parse(out)]).toMatchObject([
      EXIT.nothingToDo,
      { order: 'update', outcome: 'nothing', check: { result: 'newest', booted: '42', target: null } },
    ]);
  });

  test.each([
    ['nothing', EXIT.nothingToDo],
    ['refused', EXIT.failure],
  ])('may come to "%s", and then the graph was not asked', async (outcome, status) => {
    await agent(() => [outcome, 'somebody else stages here'], READY);
    const ran = await run(['check']);
    expect([ran.status, ran.out + ran.err]).toEqual([
      status,
      expect.stringMatching(/omebody else stages here/) as string,
    ]);
  });

  test('is no "nothing to do" where the update is so far on its way that the graph is not asked', async () => {
    const text = 'the graph is not asked: the reboot into 43 is under way';
    await agent(() => ['nothing', text], { ...READY, Target: ['s', '43'] });
    const out = 'The graph is not asked: the reboot into 43 is under way.\nNow: running 42; what it does\n';
    expect(await run(['check'])).toEqual({ status: EXIT.ok, out, err: '' });
  });

  test('notices that the agent ends', async () => {
    const { calls, agent: one } = await agent(DONE, { ...READY, Checking: ['b', true] });
    const ran = run(['check']);
    while (calls.length === 0) await new Promise(setImmediate);
    one.bus.close();
    const { status, out } = await ran;
    expect([[EXIT.notRunning, EXIT.failure].includes(status as 4), out]).toEqual([true, '']);
  });
});

describe('a command line', () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['update'], /--now is missing: the agent fetches updates and reboots by itself/],
    [['update', '--now', '--for=8d'], /--for: expected a duration/],
    [['update', '--now', '--for=soon'], /--for: expected a duration/],
    [['pause', '--for=1h', '--until=2999-01-01'], /exclude each other/],
    [['pause', '--until=soon'], /--until: expected a moment/],
    [['pause', '--until=2020-01-01'], /--until lies in the past/],
    [['pause', '--for=0m'], /--for: expected a duration/],
    [['skip'], /VERSION is missing/],
    [['skip', 'a b'], /'a b' is not the version of a release/],
    [['unskip', ''], /'' is not the version of a release/],
    [['cancel', 'now'], /unexpected argument/],
  ];
  test.each(wrong)('%o is wrong', async (argv, text) => {
    const { calls } = await agent(DONE);
    expect(await run(argv)).toEqual({ status: EXIT.usage, out: '', err: expect.stringMatching(text) as string });
    expect(calls).toEqual([]);
  });

  test.each(orderCommands.map(({ name }) => name))('%s has a help text', async (name) => {
    const { status, out } = await run([name, '--help']);
    expect(status).toBe(EXIT.ok);
    for (const word of ['--json', 'docs/order.schema.json', ' 4  the agent', ' 5  perm', '77  there is nothing'])
      expect(out).toContain(word);
  });
});

test('the JSON is documented', async () => {
  const text = await format(JSON.stringify(ORDER_SCHEMA), { parser: 'json', printWidth: 120 });
  expectGolden(text, join(import.meta.dirname, '../../../docs/order.schema.json'));
});
