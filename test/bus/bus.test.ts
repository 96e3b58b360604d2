import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Bus, BusClosedError, BusError, type BusState, type NameState, type Signal } from '../../src/bus/api.ts';
import { type BusOptions, openBus } from '../../src/bus/bus.ts';
import { type PrivateBus, startDbus } from '../support/dbus.ts';
import { fakeServer, type FakeServer } from './fake-server.ts';

const DRIVER = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
};
const NAME = 'io.example.Service1';
const SIGNAL = { path: '/a', interface: 'a.b', member: 'S' };

let daemon: PrivateBus;
const buses: Bus[] = [];
const problems: string[] = [];

beforeEach(async () => {
  problems.length = 0;
  daemon = await startDbus();
});

afterEach(async () => {
  for (const bus of buses.splice(0)) bus.close();
  await daemon.stop();
});

function open(options: Partial<BusOptions> = {}): Bus {
  const onError = (error: Error): void => void problems.push(error.message);
  const bus = openBus({
    address: daemon.address,
    random: () => 0.5,
    minRetryMs: 4,
    maxRetryMs: 40,
    onError,
    ...options,
  });
  buses.push(bus);
  return bus;
}

/** Resolves when the connection stands, or is lost. */
function until(bus: Bus, connected: boolean): Promise<BusState> {
  return new Promise((resolve) => {
    let stop = (): void => undefined;
    stop = bus.onState((state) => {
      if (state.connected !== connected) return;
      resolve(state);
      queueMicrotask(() => stop());
    });
  });
}

async function connected(options: Partial<BusOptions> = {}): Promise<Bus> {
  const bus = open(options);
  await until(bus, true);
  return bus;
}

/** Generous, because the machine may be busy. */
function waitFor(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 15_000, interval: 5 });
}

function ping(bus: Bus): Promise<readonly unknown[]> {
  return bus.call({ ...DRIVER, member: 'GetId' });
}

async function own(bus: Bus, name = NAME): Promise<() => void> {
  return new Promise((resolve) => {
    const release = bus.requestName(name, { replaceExisting: true, allowReplacement: true }, ({ owned }) => {
      if (owned) queueMicrotask(() => resolve(release));
    });
  });
}

describe('a bus', () => {
  it('says how it stands, and carries out calls', async () => {
    const bus = open();
    const states: BusState[] = [];
    bus.onState((state) => states.push(state));
    expect(states).toEqual([{ connected: false, error: 'not connected yet', attempts: 0, retryInMs: 0 }]);
    await expect(ping(bus)).rejects.toThrow(BusClosedError);
    const state = await until(bus, true);
    expect(state).toEqual({ connected: true, uniqueName: expect.stringMatching(/^:1\.\d+$/) as string });
    expect(await bus.call({ ...DRIVER, member: 'NameHasOwner', signature: 's', body: [DRIVER.destination] })).toEqual([
      true,
    ]);
    const unknown = bus.call({ ...DRIVER, member: 'Nonsense' });
    await expect(unknown).rejects.toThrow(BusError);
    await expect(unknown).rejects.toMatchObject({ errorName: 'org.freedesktop.DBus.Error.UnknownMethod' });
    expect(states).toHaveLength(2);
  });

  it('carries out many calls at once', async () => {
    const bus = await connected();
    const answers = await Promise.all(Array.from({ length: 500 }, () => ping(bus)));
    expect(new Set(answers.map(([id]) => id)).size).toBe(1);
  });

  it('starts a service for a call, unless told not to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hp-services-'));
    writeFileSync(join(folder, 'x.service'), '[D-BUS Service]\nName=io.example.Activated\nExec=/bin/false\n');
    const activating = await startDbus({ serviceDir: folder });
    const bus = await connected({ address: activating.address });
    const call = { destination: 'io.example.Activated', path: '/', interface: 'a.b', member: 'M' };
    await expect(bus.call(call)).rejects.toMatchObject({ errorName: expect.stringContaining('.Spawn.') as string });
    const errorName = 'org.freedesktop.DBus.Error.NameHasNoOwner';
    await expect(bus.call({ ...call, noAutoStart: true })).rejects.toMatchObject({ errorName });
    await activating.stop();
    rmSync(folder, { recursive: true });
  });

  it('comes back when there is no daemon at first', async () => {
    await daemon.kill();
    const bus = open();
    const states: BusState[] = [];
    bus.onState((state) => states.push(state));
    await waitFor(() => expect(states.length).toBeGreaterThan(6));
    // Half of 4, 8, 16, 32, then of the greatest, 40.
    expect(states.slice(1, 7)).toMatchObject(
      [2, 4, 8, 16, 20, 20].map((retryInMs, index) => ({ connected: false, attempts: index + 1, retryInMs })),
    );
    expect(states[1]).toMatchObject({ error: expect.stringMatching(/ENOENT|ECONNREFUSED/) as string });
    await daemon.start();
    await until(bus, true);
  });

  it('ends for good when it is closed', async () => {
    const bus = await connected();
    const call = bus.call({ ...DRIVER, member: 'GetId' });
    bus.close();
    bus.close();
    await expect(call).rejects.toThrow(BusClosedError);
    await expect(ping(bus)).rejects.toThrow(BusClosedError);
    bus.emit(SIGNAL);
    const closedWhileOpening = open();
    closedWhileOpening.close();
    await expect(ping(closedWhileOpening)).rejects.toThrow(BusClosedError);
  });

  it('keeps an address that cannot be read as an error, not as an exception', async () => {
    const bus = open({ address: 'tcp:host=x' });
    const states: BusState[] = [];
    bus.onState((state) => states.push(state));
    await waitFor(() => expect(states.length).toBeGreaterThan(3));
    expect(states[3]).toMatchObject({
      attempts: 3,
      error: expect.stringContaining('"tcp" is not supported') as string,
    });
  });
});

describe('watch', () => {
  it('delivers what agrees, in order, until it is stopped', async () => {
    const [sender, receiver] = [await connected(), await connected()];
    const seen: unknown[] = [];
    const stop = receiver.watch({ path: '/a', interface: 'a.b' }, ({ member, body }) => seen.push([member, body[0]]));
    const all: string[] = [];
    receiver.watch({ interface: 'a.b' }, ({ path }) => all.push(path));
    await ping(receiver);
    for (let n = 0; n < 50; n += 1) sender.emit({ ...SIGNAL, signature: 'u', body: [n] });
    sender.emit({ ...SIGNAL, path: '/other' });
    await waitFor(() => expect(all).toHaveLength(51));
    expect(seen).toEqual(Array.from({ length: 50 }, (_, n) => ['S', n]));
    stop();
    stop();
    sender.emit({ ...SIGNAL, member: 'Late' });
    await waitFor(() => expect(all).toHaveLength(52));
    expect(seen).toHaveLength(50);
  });

  it('takes signals under a well-known name from its owner only, whoever that is', async () => {
    const [first, second, stranger, receiver] = [
      await connected(),
      await connected(),
      await connected(),
      await connected(),
    ];
    const seen: unknown[] = [];
    const everything: unknown[] = [];
    receiver.watch({ interface: 'a.b' }, ({ body }) => everything.push(body[0]));
    receiver.watch({ sender: NAME, interface: 'a.b' }, ({ body }) => seen.push(body[0]));
    await ping(receiver);
    const release = await own(first);
    const emit = (bus: Bus, text: string): Promise<readonly unknown[]> => {
      bus.emit({ ...SIGNAL, signature: 's', body: [text] });
      return ping(bus);
    };
    await emit(first, 'one');
    await emit(stranger, 'forged');
    release();
    await emit(first, 'no longer');
    await own(second);
    await emit(second, 'two');
    await emit(stranger, 'end');
    await waitFor(() => expect(everything.at(-1)).toBe('end'));
    expect(everything).toEqual(['one', 'forged', 'no longer', 'two', 'end']);
    expect(seen).toEqual(['one', 'two']);
  });

  it('goes on after the bus has been restarted, and after the service has', async () => {
    const service = await connected();
    const bus = await connected();
    const seen: Signal[] = [];
    const owners: (string | null)[] = [];
    bus.watch({ sender: NAME, member: 'S' }, (signal) => seen.push(signal));
    bus.watchOwner(NAME, (owner) => owners.push(owner));
    service.requestName(NAME, {}, () => undefined);
    await waitFor(() => expect(owners.at(-1)).toMatch(/^:/));
    for (let restart = 1; restart <= 2; restart += 1) {
      const lost = Promise.all([until(bus, false), until(service, false)]);
      await daemon.kill();
      await lost;
      owners.length = 0;
      bus.watchOwner(NAME, (owner) => owners.push(owner))();
      expect(owners).toEqual([]);
      await daemon.start();
      await Promise.all([until(bus, true), until(service, true)]);
      await waitFor(() => expect(owners.at(-1)).toMatch(/^:/));
      service.emit(SIGNAL);
      await waitFor(() => expect(seen).toHaveLength(restart));
    }
    expect(problems).toEqual([]);
  });

  it('reports what a handler throws, and goes on', async () => {
    const bus = await connected();
    let count = 0;
    bus.watch({ member: 'S' }, () => {
      throw new Error('mine');
    });
    bus.watch({ member: 'S' }, () => (count += 1));
    bus.onState(() => {
      throw new Error('state');
    });
    bus.watchOwner('io.example.Nobody', () => {
      throw new Error('owner');
    });
    await ping(bus);
    bus.emit(SIGNAL);
    await waitFor(() => expect(count).toBe(1));
    expect(problems.toSorted()).toEqual(['mine', 'owner', 'state']);
  });

  it('leaves no match rules behind', async () => {
    const limited = await startDbus({ extraConfig: '<limit name="max_match_rules_per_connection">20</limit>' });
    const bus = await connected({ address: limited.address });
    for (let n = 0; n < 600; n += 1) {
      const stops = [0, 1, 2].map((i) => bus.watch({ sender: NAME, path: `/n${n}` }, () => i));
      stops.push(bus.watchOwner(`io.example.N${n}`, () => undefined));
      for (const stop of stops) stop();
    }
    await ping(bus);
    expect(problems).toEqual([]);
    for (let n = 0; n < 25; n += 1) bus.watch({ path: `/n${n}` }, () => undefined);
    await ping(bus);
    await waitFor(() => expect(problems).toHaveLength(5));
    expect(problems[0]).toContain('AddMatch');
    await limited.stop();
  });

  it('refuses names that are not valid', () => {
    const bus = open();
    expect(() => bus.watch({ path: "/a',b='c" }, () => undefined)).toThrow('path "/a\',b=\'c" is not a valid');
    expect(() => bus.watch({ sender: 'x' }, () => undefined)).toThrow(TypeError);
  });
});

describe('watchOwner', () => {
  it('tells who it is at first and after each change', async () => {
    const [service, bus] = [await connected(), await connected()];
    const owners: (string | null)[] = [];
    const stop = bus.watchOwner(NAME, (owner) => owners.push(owner));
    await waitFor(() => expect(owners).toEqual([null]));
    const release = await own(service);
    await waitFor(() => expect(owners).toEqual([null, expect.stringMatching(/^:/)]));
    const again: (string | null)[] = [];
    bus.watchOwner(NAME, (owner) => again.push(owner));
    expect(again).toEqual([owners[1]]);
    stop();
    release();
    await waitFor(() => expect(again).toHaveLength(2));
    expect(again[1]).toBeNull();
    expect(owners).toHaveLength(2);
  });
});

describe('requestName', () => {
  it('tells who has it', async () => {
    const [first, second] = [await connected(), await connected()];
    const told: [NameState[], NameState[]] = [[], []];
    first.requestName(NAME, { allowReplacement: true }, (state) => told[0].push(state));
    await waitFor(() => expect(told[0]).toEqual([{ owned: true }]));
    expect(() => first.requestName(NAME, {}, () => undefined)).toThrow('asked for already');
    const release = second.requestName(NAME, {}, (state) => told[1].push(state));
    await waitFor(() => expect(told[1]).toEqual([{ owned: false, reason: 'another connection owns the name' }]));
    release();
    second.requestName(NAME, { replaceExisting: true }, (state) => told[1].push(state));
    await waitFor(() => expect(told[1].at(-1)).toEqual({ owned: true }));
    await waitFor(() => expect(told[0].at(-1)).toMatchObject({ owned: false }));
    first.requestName('io.example.Queue', {}, () => undefined);
    await ping(first);
    const queued: NameState[] = [];
    second.requestName('io.example.Queue', { queue: true }, (state) => queued.push(state));
    await waitFor(() => expect(queued).toMatchObject([{ owned: false }]));
    first.close();
    await waitFor(() => expect(queued).toMatchObject([{ owned: false }, { owned: true }]));
  });

  it('reports a refusal to the handler', async () => {
    const strict = await startDbus({ extraConfig: '<policy context="mandatory"><deny own="*"/></policy>' });
    const bus = await connected({ address: strict.address });
    const told: NameState[] = [];
    bus.requestName(NAME, {}, (state) => told.push(state));
    await waitFor(() =>
      expect(told).toMatchObject([{ owned: false, reason: expect.stringContaining('not allowed') as string }]),
    );
    await strict.stop();
  });
});

describe('a bus that misbehaves', () => {
  let fake: FakeServer;

  beforeEach(async () => {
    fake = fakeServer();
    await fake.listen();
  });

  afterEach(() => fake.stop());

  it('is left when it rejects Hello', async () => {
    fake.onMessage = (call, client): void => {
      if (fake.clients.length < 3)
        client.send({ type: 3, replySerial: call.serial, errorName: 'a.b.No', signature: 's', body: ['full'] });
      else client.reply(call, 'u', [1]);
    };
    const bus = open({ address: fake.address });
    const errors: string[] = [];
    bus.onState((state) => errors.push(state.connected ? '' : state.error));
    await waitFor(() => expect(errors.length).toBeGreaterThan(3));
    expect(errors.slice(1, 4)).toEqual(['full', 'full', 'the bus answered Hello without a name']);
  });

  it('is left when it does not answer Hello', async () => {
    const bus = open({ address: fake.address, driverTimeoutMs: 20 });
    const errors: string[] = [];
    bus.onState((state) => errors.push(state.connected ? '' : state.error));
    await waitFor(() => expect(errors.length).toBeGreaterThan(2));
    expect(errors[2]).toBe('org.freedesktop.DBus.Hello: no answer within 20 ms');
  });

  it('is left when it does not answer any more', async () => {
    fake.onMessage = (call, client): void => {
      if (call.member === 'Hello') client.reply(call, 's', [':1.1']);
    };
    const bus = open({ address: fake.address, driverTimeoutMs: 20 });
    bus.watch({ member: 'S' }, () => undefined);
    await until(bus, true);
    expect(await until(bus, false)).toMatchObject({ error: 'org.freedesktop.DBus.AddMatch: no answer within 20 ms' });
  });

  it('is left when it sends what cannot be read, and found again', async () => {
    fake.onMessage = (call, client): void => {
      if (call.member === 'Hello') client.reply(call, 's', [':1.1']);
    };
    const bus = await connected({ address: fake.address });
    const lost = until(bus, false);
    fake.clients[0]!.socket.write(Buffer.alloc(64));
    expect(await lost).toMatchObject({ attempts: 1, error: 'does not begin like a D-Bus message' });
    await until(bus, true);
  });
});
