import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'prettier';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { AGENT_NAME, AGENT_PATH } from '../../src/agent/dbus/names.ts';
import { BusError, type ExportedMethod } from '../../src/bus/api.ts';
import { openBus } from '../../src/bus/bus.ts';
import { EXIT } from '../../src/cli/command.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { postponeCommand } from '../../src/cli/postpone.ts';
import { POSTPONE_SCHEMA } from '../../src/cli/postponed.ts';
import { readersTime } from '../../src/cli/report/ask.ts';
import { type PrivateBus, startDbus } from '../support/dbus.ts';
import { expectGolden } from '../support/golden.ts';
import { testIo } from './io.ts';

let daemon: PrivateBus;
beforeAll(async () => {
  daemon = await startDbus();
});
afterAll(() => daemon.stop());

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

async function postpone(...argv: string[]): Promise<Ran> {
  return postponeAt(daemon.address, ...argv);
}

async function postponeAt(address: string, ...argv: string[]): Promise<Ran> {
  const io = testIo({ DBUS_SYSTEM_BUS_ADDRESS: address });
  const status = await dispatch([postponeCommand], ['postpone', ...argv], io);
  return { status, out: io.out(), err: io.err() };
}

/** Stands for the agent with this method; resolves with the seconds that it is asked for. */
async function agent(
  handle: ExportedMethod['handle'] | null,
  { State = 'holding', PostponeAllowed = 3600 } = {},
): Promise<number[]> {
  const asked: number[] = [];
  const bus = openBus({ address: daemon.address, random: Math.random });
  const [until, text] = [
    { name: 'until', type: 'x' },
    { name: 'text', type: 's' },
  ];
  const method: ExportedMethod = {
    in: [{ name: 'seconds', type: 't' }],
    out: [until, text],
    handle: (call) => {
      asked.push(Number(call.args[0]));
      return handle?.(call) ?? [];
    },
  };
  const methods = handle === null ? {} : { Postpone: method };
  const properties = {
    State: { type: 's', get: () => State },
    PostponeAllowed: { type: 't', get: () => PostponeAllowed },
  };
  bus.exportObject(AGENT_PATH, [{ name: AGENT_NAME, methods, properties }]);
  await new Promise<void>((resolve) => bus.requestName(AGENT_NAME, { queue: true }, ({ owned }) => owned && resolve()));
  onTestFinished(async () => {
    bus.close();
    const gone = openBus({ address: daemon.address, random: Math.random });
    await new Promise<void>((resolve) => gone.watchOwner(AGENT_NAME, (owner) => owner === null && resolve()));
    gone.close();
  });
  return asked;
}

const UNTIL = Date.parse('2026-07-23T14:00:00Z') / 1000;
const YES = (): readonly unknown[] => [UNTIL, 'the reboot into 42 waits until 2026-07-23T14:00:00Z at the least'];

describe('what the agent answers', () => {
  test('is printed, and an hour asked for without --for', async () => {
    const asked = await agent(YES);
    const at = readersTime(Date.now()).at(UNTIL * 1000);
    const out = `The reboot into 42 waits until ${at} at the least.\n`;
    expect(await postpone()).toEqual({ status: EXIT.ok, out, err: '' });
    expect(await postpone('--for', '1h30m')).toMatchObject({ status: EXIT.ok });
    expect(asked).toEqual([3600, 5400]);
  });

  test('is JSON on demand', async () => {
    await agent(YES);
    const { status, out, err } = await postpone('--json');
    const text = 'the reboot into 42 waits until 2026-07-23T14:00:00Z at the least';
    const expected = { version: 1, postponed: true, until: '2026-07-23T14:00:00.000Z', text };
    expect([status, JSON.parse(out), err]).toEqual([EXIT.ok, expected, '']);
  });

  test.each([
    ['holding', 0],
    ['rebooting', 3600],
    ['watching', 0],
  ])('is a failure where it is refused (%s, %i s allowed)', async (State, PostponeAllowed) => {
    await agent(() => [0, 'it is not allowed'], { State, PostponeAllowed });
    const err = 'holdpoint postpone: it is not allowed\n';
    expect(await postpone()).toEqual({ status: EXIT.failure, out: '', err });
    const { status, out } = await postpone('--json');
    const expected = { version: 1, postponed: false, until: null, text: 'it is not allowed' };
    expect([status, JSON.parse(out)]).toEqual([EXIT.failure, expected]);
  });

  test.each(['starting', 'disabled', 'watching', 'staging'])('has a status of its own for %s', async (State) => {
    await agent(() => [0, 'no reboot is waiting'], { State });
    expect(await postpone()).toEqual({ status: EXIT.nothingToDo, out: 'No reboot is waiting.\n', err: '' });
    expect((await postpone('--json')).status).toBe(EXIT.nothingToDo);
  });

  test('is a status of its own where it is denied', async () => {
    await agent(() => {
      throw new BusError('org.freedesktop.DBus.Error.AccessDenied', 'only root may do this');
    });
    const { status, out, err } = await postpone('--json');
    expect([status, out, err]).toEqual([EXIT.denied, '', 'holdpoint postpone: only root may do this\n']);
  });

  test('is fit for a terminal', async () => {
    await agent(() => [0, 'no\u001b[2J\nreboot']);
    expect((await postpone()).err).toBe('holdpoint postpone: no [2J reboot\n');
  });

  test('may be that it is too old for this', async () => {
    await agent(null);
    const { status, err } = await postpone();
    expect([status, err]).toEqual([EXIT.failure, expect.stringMatching('an older one') as string]);
  });

  test('may be that something failed', async () => {
    await agent(() => Promise.reject(new Error('secret')));
    const { status, err } = await postpone();
    expect([status, err]).toEqual([EXIT.failure, expect.not.stringMatching('secret') as string]);
  });
});

describe('without an agent', () => {
  test('that runs, there is a status of its own', async () => {
    const { status, out, err } = await postpone('--json');
    expect([status, out]).toEqual([EXIT.notRunning, '']);
    expect(err).toMatch(/^holdpoint postpone: the agent is not running.*\(systemctl status holdpoint-agent\)\n$/);
  });

  test('and without a bus neither', async () => {
    const { status, err } = await postponeAt('unix:path=/nowhere/bus');
    expect([status, err]).toEqual([
      EXIT.notRunning,
      expect.stringMatching(/no connection to the system bus: /) as string,
    ]);
  });

  test('on an address that is none', async () => {
    const { status, err } = await postpone('--bus-address', 'tcp:host=example.com');
    expect([status, err]).toEqual([EXIT.failure, expect.stringMatching(/"tcp" is not supported/) as string]);
  });

  test.skipIf(process.getuid?.() === 0)('on a bus that is for others alone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hp-closed-'));
    const path = join(folder, 'bus');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    onTestFinished(() => {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    });
    chmodSync(path, 0o000);
    expect((await postponeAt(`unix:path=${path}`)).status).toBe(EXIT.denied);
  });

  test('that lives until it has answered', async () => {
    const bus = openBus({ address: daemon.address, random: Math.random });
    const handle = (): Promise<never> => {
      bus.close();
      return new Promise<never>(() => undefined);
    };
    bus.exportObject(AGENT_PATH, [
      { name: AGENT_NAME, methods: { Postpone: { in: [{ name: 'seconds', type: 't' }], handle } } },
    ]);
    await new Promise<void>((resolve) => bus.requestName(AGENT_NAME, {}, ({ owned }) => owned && resolve()));
    const { status, err } = await postpone();
    expect([status, err]).toEqual([EXIT.failure, expect.stringMatching('nobody knows whether') as string]);
  });
});

describe('a command line', () => {
  test.each(['', '0m', '1 h', '30', 'soon', '8d', '999999999w', '-1h'])('with --for=%s is wrong', async (written) => {
    const { status, err } = await postpone(`--for=${written}`);
    expect([status, err]).toEqual([EXIT.usage, expect.stringMatching(/--for: expected a duration/) as string]);
  });

  test('for help has it', async () => {
    const { status, out } = await postpone('--help');
    expect(status).toBe(EXIT.ok);
    for (const word of ['--for DURATION', 'default 1h', 'postpone_secs', ' 4  the agent']) expect(out).toContain(word);
  });
});

test('the JSON is documented', async () => {
  const text = await format(JSON.stringify(POSTPONE_SCHEMA), { parser: 'json', printWidth: 120 });
  expectGolden(text, join(import.meta.dirname, '../../docs/postpone.schema.json'));
});
