import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { agentInterface } from '../../../src/agent/dbus/interface.ts';
import { AGENT_NAME, AGENT_PATH } from '../../../src/agent/dbus/names.ts';
import { type AgentService, serveAgent } from '../../../src/agent/dbus/service.ts';
import type { AgentView } from '../../../src/agent/dbus/view.ts';
import type { Order } from '../../../src/agent/machine/orders.ts';
import { postponement } from '../../../src/agent/machine/people.ts';
import type { Instant } from '../../../src/base/clock.ts';
import { createLog } from '../../../src/base/log.ts';
import { type Bus, BusError, type Signal, Variant } from '../../../src/bus/api.ts';
import { openBus } from '../../../src/bus/bus.ts';
import { MINUTE, instant, person } from '../../support/agent-builders.ts';
import { arrived } from '../../support/agent-surrounded.ts';
import { type PrivateBus, type PrivateBusOptions, startDbus } from '../../support/dbus.ts';

const PROPERTIES = 'org.freedesktop.DBus.Properties';
const MY_UID = process.getuid?.() ?? -1;
/** Whoever runs this is logged in, as root's number is allowed anyway. */
const ME = { ...person('1', 'ann'), uid: MY_UID };

let daemon: PrivateBus;
let client: Bus;

beforeEach(async () => {
  daemon = await startDbus();
  client = open(daemon);
  await connected(client);
});
afterEach(() => daemon.stop());

function open({ address }: PrivateBus): Bus {
  const bus = openBus({ address, random: () => 0.5, minRetryMs: 4 });
  onTestFinished(() => bus.close());
  return bus;
}

/** Resolves when the bus is there. */
function connected(bus: Bus): Promise<void> {
  return new Promise((resolve) => bus.onState((state) => state.connected && resolve()));
}

/** Generous, because the machine may be busy. */
function waitFor(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 15_000, interval: 5 });
}

/** An agent whose state the test sets: a reboot waits, and two hours are allowed. */
class Served {
  readonly bus: Bus;
  readonly service: AgentService;
  /** Who asked for how long, of those who may. */
  readonly asked: (readonly [string, number])[] = [];
  /** What was ordered, and by whom, of those who may. */
  readonly orders: (readonly [Order, string])[] = [];
  readonly said: string[] = [];
  /** What Explain comes to; null: what was asked for. */
  explained: Promise<string> | null = null;
  readonly #driver = arrived({ people: [ME] }).driver;
  state = this.#driver.state;

  constructor(bus: Bus) {
    this.bus = bus;
    const write = (line: string): void => void this.said.push(line.trim());
    this.service = serveAgent(bus, this.view, createLog({ format: 'text', level: 'debug', write, journald: true }));
  }

  get view(): AgentView {
    const clock = (): Instant => instant(this.#driver.mono);
    return {
      clock,
      state: () => this.state,
      line: () => `in ${this.state.phase.name}`,
      postpone: (by, forMs) => {
        this.asked.push([by, forMs]);
        return postponement(this.state, forMs, clock());
      },
      order: (order, by) => {
        this.orders.push([order, by]);
        return { outcome: 'done', text: `${order.kind} is done` };
      },
      explain: (at) => this.explained ?? Promise.resolve(JSON.stringify({ at })),
    };
  }
}

/** The same, once it has its name. */
async function served(): Promise<Served> {
  const one = new Served(open(daemon));
  await waitFor(() => expect(one.said).toEqual([`<7>on the bus as ${AGENT_NAME}`]));
  return one;
}

const POSTPONE = { destination: AGENT_NAME, path: AGENT_PATH, interface: AGENT_NAME, member: 'Postpone' };

function postpone(seconds: bigint): Promise<readonly unknown[]> {
  return client.call({ ...POSTPONE, signature: 't', body: [seconds] });
}

/** The same as a user who is not logged in. */
async function asStranger({ view }: Served): Promise<readonly unknown[]> {
  const { handle } = agentInterface(view, () => Promise.reject(new Error('nobody asks'))).methods!['Postpone']!;
  return handle({
    args: [600n],
    sender: ':1.99',
    interactive: false,
    gone: new AbortController().signal,
    uid: () => Promise.resolve(4711),
  });
}

async function property(name: string): Promise<unknown> {
  const get = { ...POSTPONE, interface: PROPERTIES, member: 'Get', signature: 'ss' };
  const [value] = (await client.call({ ...get, body: [AGENT_NAME, name] })) as [Variant];
  return value.value;
}

async function errorOf(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.catch((caught: unknown) => caught);
  return error instanceof BusError ? `${error.errorName.split('.').at(-1) ?? ''}: ${error.message}` : 'no error';
}

describe('a flood of calls from one connection', () => {
  it.skipIf(MY_UID !== 0)('does not keep root from the properties, Explain and Pause', async () => {
    const one = await served();
    one.explained = new Promise(() => undefined);
    const flood = open(daemon);
    await connected(flood);
    const explain = { ...POSTPONE, member: 'Explain', signature: 'x', body: [0n] };
    const full = Array.from({ length: 100 }, () => flood.call({ ...explain, timeoutMs: 60_000 }));
    expect(await errorOf(Promise.race(full))).toBe('LimitsExceeded: too many calls at once');
    for (const call of full) call.catch(() => undefined);
    one.explained = null;
    const all = await client.call({
      ...POSTPONE,
      interface: PROPERTIES,
      member: 'GetAll',
      body: [AGENT_NAME],
      signature: 's',
    });
    expect(all).toHaveLength(1);
    expect(await client.call(explain)).toEqual(['{"at":null}']);
    const pause = { ...POSTPONE, member: 'Pause', signature: 'xs', body: [-1n, ''] };
    expect(await client.call(pause)).toEqual(['done', 'pause is done']);
  });
});

describe('Postpone', () => {
  it('is done for whoever is logged in, and says until when', async () => {
    const one = await served();
    // The time that people have is left, all of it.
    expect(await postpone(600n)).toEqual([
      BigInt(Math.floor((one.view.clock().wall + 20 * MINUTE) / 1000)),
      expect.stringMatching(
        /^the reboot into 42.* waits until 20.*Z at the least; 1 h 50 min more are allowed$/,
      ) as string,
    ]);
    expect(one.asked).toEqual([['ann', 10 * MINUTE]]);
  });

  it.each([0n, 604_801n, 2n ** 64n - 1n])('of %s s is nonsense', async (seconds) => {
    const one = await served();
    expect(await errorOf(postpone(seconds))).toBe(`InvalidArgs: seconds: expected 1 to 604800, found ${seconds}`);
    expect(one.asked).toEqual([]);
  });

  it('of something that is no time is nonsense', async () => {
    await served();
    const call = client.call({ ...POSTPONE, signature: 's', body: ['1h'] });
    expect(await errorOf(call)).toMatch(/^InvalidArgs: expected arguments "t"/);
  });

  it('says why there is nothing to postpone, with 0', async () => {
    const one = await served();
    one.state = { ...one.state, phase: { name: 'watching' } };
    expect(await postpone(600n)).toEqual([0n, 'no reboot is waiting']);
  });

  it('is denied to others', async () => {
    const one = await served();
    expect(await errorOf(asStranger(one))).toMatch(/^AccessDenied: only root and people who are logged in/);
    expect(one.asked).toEqual([]);
  });

  it('says that the policy does not allow it, also to others', async () => {
    const one = await served();
    one.state = { ...one.state, settings: { ...one.state.settings, around: null }, around: null };
    const answer = [
      expect.toSatisfy((until) => Number(until) === 0),
      expect.stringContaining('policy of this host') as string,
    ];
    expect(await postpone(600n)).toEqual(answer);
    expect(await asStranger(one)).toEqual(answer);
  });
});

describe('properties', () => {
  it('tell the state, the status line and what is left', async () => {
    const one = await served();
    const all = ['State', 'Status', 'PostponeAllowed'];
    expect(await Promise.all(all.map(property))).toEqual(['holding', 'in holding', 7200n]);
    const postponed = { until: 0, by: 'ann', spentMs: 110.5 * MINUTE };
    one.state = { ...one.state, memory: { ...one.state.memory, postponed } };
    expect(await property('PostponeAllowed')).toBe(570n);
  });

  it('that change are told, once and no others', async () => {
    const one = await served();
    const seen: Signal[] = [];
    client.watch({ sender: AGENT_NAME, member: 'PropertiesChanged' }, (signal) => seen.push(signal));
    await property('State');
    one.service.changed();
    one.state = { ...one.state, phase: { name: 'watching' } };
    one.service.changed();
    one.service.changed();
    await waitFor(() => expect(seen.length).toBeGreaterThan(0));
    await property('State');
    const [name, values] = seen[0]!.body as [string, Record<string, Variant>];
    expect(Object.entries(values).map(([key, { value }]) => [key, value])).toEqual([
      ['State', 'watching'],
      ['Target', ''],
      ['LastCheckText', 'there is an update'],
      ['Status', 'in watching'],
    ]);
    expect([name, seen.length]).toEqual([AGENT_NAME, 1]);
  });

  it('cannot be set', async () => {
    await served();
    const set = { ...POSTPONE, interface: PROPERTIES, member: 'Set', signature: 'ssv' };
    const call = client.call({ ...set, body: [AGENT_NAME, 'State', new Variant('s', 'x')] });
    expect(await errorOf(call)).toMatch(/^PropertyReadOnly/);
  });

  it('are documented for tools of others', async () => {
    await served();
    const introspectable = 'org.freedesktop.DBus.Introspectable';
    const [xml] = await client.call({ ...POSTPONE, interface: introspectable, member: 'Introspect' });
    for (const word of ['Postpone', 'until', 'text', 'PostponeAllowed', 'DocString']) expect(xml).toContain(word);
  });
});

describe('the name', () => {
  it('is there again after the bus was gone, without a warning', async () => {
    const one = await served();
    await daemon.kill();
    await daemon.start();
    await waitFor(() => expect(one.said).toHaveLength(2));
    await connected(client);
    expect(await property('State')).toBe('holding');
    expect(one.said.filter((line) => !line.startsWith('<7>'))).toEqual([]);
  });

  it('that somebody else has is a warning, and comes when they go', async () => {
    const first = await served();
    const second = new Served(open(daemon));
    await waitFor(() => expect(second.said).toHaveLength(1));
    expect(second.said[0]).toMatch(/^<4>not on the bus as .*no command reaches it: another connection owns/);
    first.bus.close();
    await waitFor(() => expect(second.said.at(-1)).toBe(`<6>on the bus as ${AGENT_NAME}`));
    expect(await property('State')).toBe('holding');
  });

  it('that the policy forbids is a warning', async () => {
    const options: PrivateBusOptions = {
      extraConfig: `<policy context="mandatory"><deny own="${AGENT_NAME}"/></policy>`,
    };
    const strict = await startDbus(options);
    onTestFinished(() => strict.stop());
    const one = new Served(open(strict));
    await waitFor(() => expect(one.said).toHaveLength(1));
    expect(one.said[0]).toMatch(/^<4>not on the bus as .*: .*not allowed to own/);
  });
});
