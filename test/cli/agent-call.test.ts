import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { AGENT_NAME, AGENT_PATH } from '../../src/agent/dbus/names.ts';
import type { ExportedMethod } from '../../src/bus/api.ts';
import { type AgentMethod, type Called, callAgent, openAgent } from '../../src/cli/agent-call.ts';
import { EXIT } from '../../src/cli/command.ts';
import { standIn } from '../support/agent-on-bus.ts';
import { connectedBus, takeName } from '../support/bus.ts';
import { startDbus } from '../support/dbus.ts';

let address: string;

beforeEach(async () => {
  const dbus = await startDbus();
  onTestFinished(() => dbus.stop());
  ({ address } = dbus);
});

const ASK: AgentMethod = { member: 'Resume', signature: '', body: [] };

function call(method: Partial<AgentMethod> = {}): Promise<Called> {
  return callAgent({ address, env: {}, ...ASK, ...method });
}

const resume = (handle: ExportedMethod['handle']): Record<string, ExportedMethod> => ({
  Resume: { out: [{ name: 'text', type: 's' }], handle },
});

/** A systemd with one unit, the agent's. */
async function systemd(unit: Readonly<Record<string, readonly [string, unknown]>>): Promise<void> {
  const bus = await connectedBus(address);
  const of = (names: readonly string[]): Record<string, { type: string; get: () => unknown }> =>
    Object.fromEntries(
      Object.entries(unit)
        .filter(([name]) => names.includes(name))
        .map(([name, [type, value]]) => [name, { type, get: () => value }]),
    );
  const [u, s] = ['Unit', 'Service'].map((kind) => `org.freedesktop.systemd1.${kind}`) as [string, string];
  bus.exportObject('/org/freedesktop/systemd1/unit/holdpoint_2dagent_2eservice', [
    { name: u, properties: of(['LoadState', 'ActiveState', 'SubState', 'ConditionResult', 'ConditionTimestamp']) },
    { name: s, properties: of(['Result', 'ExecMainStatus']) },
  ]);
  await takeName(bus, 'org.freedesktop.systemd1');
}

test('an answer is passed on', async () => {
  await standIn(address, { methods: resume(() => ['yes']) });
  expect(await call()).toEqual({ ok: true, body: ['yes'] });
});

describe('without an agent', () => {
  const LOADED = { LoadState: ['s', 'loaded'] } as const;

  test('and without systemd, it is not running as far as anybody knows', async () => {
    const text = expect.stringMatching(/^the agent is not running, or not to be reached on the bus/) as string;
    expect(await call()).toEqual({ ok: false, exit: EXIT.notRunning, text });
  });

  test('that has failed, systemd knows why', async () => {
    await systemd({
      ...LOADED,
      ActiveState: ['s', 'failed'],
      SubState: ['s', 'failed'],
      Result: ['s', 'exit-code'],
      ExecMainStatus: ['i', 7],
      ConditionResult: ['b', true],
      ConditionTimestamp: ['t', 5n],
    });
    const text = 'the agent is not running: it failed with status 7 (journalctl -u holdpoint-agent)';
    expect(await call()).toEqual({ ok: false, exit: EXIT.notRunning, text });
  });

  test('that was never started, systemd says so', async () => {
    await systemd({
      ...LOADED,
      ActiveState: ['s', 'inactive'],
      ConditionResult: ['b', false],
      ConditionTimestamp: ['t', 0n],
    });
    expect(await call()).toMatchObject({ text: expect.stringContaining('systemctl start holdpoint-agent') as string });
  });

  test('whose conditions are not met, systemd says so', async () => {
    await systemd({
      ...LOADED,
      ActiveState: ['s', 'inactive'],
      ConditionResult: ['b', false],
      ConditionTimestamp: ['t', 5n],
    });
    expect(await call()).toMatchObject({
      text: expect.stringContaining('condition of its service is not met') as string,
    });
  });
});

describe('an agent that does not answer', () => {
  test.each([
    [
      false,
      'the agent is there, but has not answered within 3 s: it hangs, or this host is very busy (journalctl -u holdpoint-agent)',
    ],
    [
      true,
      'the agent is there, but has not answered within 10 s; nobody knows whether it will do it: it hangs, or this host is very busy (journalctl -u holdpoint-agent)',
    ],
  ])('is not waited for (changes: %s)', async (changes, text) => {
    let ask = (): void => undefined;
    const asked = new Promise<void>((resolve) => (ask = resolve));
    const hang = (): Promise<never> => {
      ask();
      return new Promise(() => undefined);
    };
    await standIn(address, { methods: resume(hang) });
    const link = await openAgent({ address, env: {} });
    if ('ok' in link) expect.fail(link.text);
    onTestFinished(() => link.close());
    // Only from here on, so that what comes before takes as long as it takes.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const called = link.call({ ...ASK, changes });
    await asked;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await called).toEqual({ ok: false, exit: EXIT.failure, text });
  });

  test('is not told to do anything when it does not even tell its properties', async () => {
    const orders: string[] = [];
    const handle: ExportedMethod['handle'] = () => {
      orders.push('Resume');
      return ['yes'];
    };
    // Whatever of it is read fails.
    const one = await connectedBus(address);
    const broken = { type: 's', get: (): never => expect.fail('broken') };
    one.exportObject(AGENT_PATH, [{ name: AGENT_NAME, methods: resume(handle), properties: { State: broken } }]);
    await takeName(one, AGENT_NAME);
    expect(await call({ changes: true })).toMatchObject({ ok: false, exit: EXIT.failure });
    expect(orders).toEqual([]);
    expect(await call()).toEqual({ ok: true, body: ['yes'] });
  });

  test.each([
    [false, /ended before it answered: try again in a moment$/],
    [true, /ended before it answered; nobody knows whether it did it$/],
  ])('because it has ended (changes: %s)', async (changes, text) => {
    const one = await standIn(address, {
      methods: resume(() => {
        one.bus.close();
        return new Promise(() => undefined);
      }),
    });
    expect(await call({ changes })).toMatchObject({ exit: EXIT.failure, text: expect.stringMatching(text) as string });
  });
});

describe('an older agent', () => {
  test('is named by its version where it has one', async () => {
    await standIn(address, { properties: { Version: ['s', '0.0.1\u001b'] } });
    const text =
      'the agent that is running (version 0.0.1) does not know this: it is an older one than this command (version 0.0.0-test); systemctl restart holdpoint-agent';
    expect(await call()).toEqual({ ok: false, exit: EXIT.failure, text });
  });

  test('is an older one all the same where it has none', async () => {
    await standIn(address, { properties: { State: ['s', 'watching'] } });
    const text = expect.stringMatching(/^the agent that is running does not know this: it is an older one/) as string;
    expect(await call()).toEqual({ ok: false, exit: EXIT.failure, text });
  });
});

describe('properties', () => {
  test('are read together, and watched', async () => {
    const one = await standIn(address, { properties: { State: ['s', 'watching'], Since: ['x', 5n] } });
    const link = await openAgent({ address, env: {} });
    if ('ok' in link) expect.fail(link.text);
    onTestFinished(() => link.close());
    let changes = 0;
    const stop = link.watch(() => (changes += 1));
    const read = await link.properties();
    expect(read).toMatchObject({ ok: true, values: { State: { value: 'watching' }, Since: { value: 5n } } });
    one.set({ State: 'holding' });
    while (changes === 0) await new Promise(setImmediate);
    expect(await link.properties()).toMatchObject({ values: { State: { value: 'holding' } } });
    stop();
    one.bus.close();
    const gone = await connectedBus(address);
    await new Promise<void>((resolve) => gone.watchOwner(AGENT_NAME, (owner) => owner === null && resolve()));
    expect(await link.properties()).toMatchObject({ ok: false, exit: EXIT.notRunning });
    expect(changes).toBe(1);
  });
});
