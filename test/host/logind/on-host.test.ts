import { afterEach, describe, expect, test } from 'vitest';
import type { Bus } from '../../../src/bus/api.ts';
import { openBus } from '../../../src/bus/bus.ts';
import { readInhibitors, readSessions } from '../../../src/host/logind/client.ts';
import { blockersIn } from '../../../src/host/logind/inhibitor.ts';
import { watchLogind } from '../../../src/host/logind/watch.ts';
import type { Inhibitor, Machine, Session } from '../../../src/sim/machine.ts';
import { machine } from '../../support/sim-host.ts';

const CORE: Session = {
  ...{ id: '3', uid: 1000, user: 'core', tty: 'pts/0', class: 'user', remote: true, type: 'tty', state: 'active' },
  ...{ remoteHost: '192.0.2.7', idleSince: 1_700_000_000_000 },
};
const DESKTOP: Session = {
  ...{ id: 'c2', uid: 1001, user: 'ada', tty: 'tty2', class: 'user', remote: false, type: 'wayland', state: 'online' },
};
const BACKUP: Inhibitor = { what: 'shutdown:sleep', who: 'backup', why: 'Backing up', mode: 'block', uid: 7 };

let buses: Bus[] = [];
afterEach(() => {
  for (const bus of buses) bus.close();
  buses = [];
});

async function busOf(host: Machine): Promise<Bus> {
  const bus = openBus({ address: host.busAddress, random: () => 0.1, minRetryMs: 20 });
  buses.push(bus);
  await new Promise<void>((resolve) => bus.onState((state) => state.connected && resolve()));
  return bus;
}

describe('logind of a simulated host', () => {
  test('tells people and inhibitors', async () => {
    const host = await machine();
    const bus = await busOf(host);
    expect([await readSessions(bus), await readInhibitors(bus)]).toEqual([[], []]);
    host.setSessions([CORE, DESKTOP]);
    host.setInhibitors([BACKUP, { ...BACKUP, mode: 'block-weak' }, { ...BACKUP, mode: 'delay' }]);
    expect(await readSessions(bus)).toEqual([
      {
        ...{ id: '3', uid: 1000, user: 'core', tty: 'pts/0', kind: 'terminal', class: 'user', state: 'active' },
        ...{ remote: true, remoteHost: '192.0.2.7', idleSince: 1_700_000_000_000 },
      },
      {
        ...{ id: 'c2', uid: 1001, user: 'ada', tty: 'tty2', kind: 'graphical', class: 'user', state: 'online' },
        ...{ remote: false, remoteHost: null, idleSince: null },
      },
    ]);
    const inhibitors = await readInhibitors(bus);
    expect(inhibitors.map(({ mode }) => mode)).toEqual(['block', 'block-weak', 'delay']);
    expect(blockersIn(inhibitors)).toEqual([
      { what: ['shutdown', 'sleep'], who: 'backup', why: 'Backing up', mode: 'block', uid: 7 },
    ]);
  });

  test('has nobody left after a reboot', async () => {
    const host = await machine();
    host.setSessions([CORE]);
    host.setInhibitors([BACKUP]);
    await host.rebootNow();
    const bus = await busOf(host);
    expect([await readSessions(bus), await readInhibitors(bus)]).toEqual([[], []]);
  });

  test.each([
    ['ListSessions', /^logind does not tell who is logged in: ./],
    ['GetAll', /^logind does not tell about session 3: ./],
  ])('answers %s with nonsense, or refuses', async (method, message) => {
    const host = await machine();
    host.setSessions([CORE]);
    const bus = await busOf(host);
    for (const fault of ['logindNonsense', 'logindDenied'] as const) {
      host.setFault(fault, { methods: [method], times: 1 });
      await expect(readSessions(bus)).rejects.toThrow(message);
      expect(await readSessions(bus)).toHaveLength(1);
    }
  });

  test('keeps silent', async () => {
    const host = await machine();
    host.setFault('logindSilent');
    const bus = await busOf(host);
    const call = { path: '/org/freedesktop/login1', interface: 'org.freedesktop.login1.Manager' };
    const asked = bus.call({ ...call, destination: 'org.freedesktop.login1', member: 'ListSessions', timeoutMs: 50 });
    await expect(asked).rejects.toThrow('50 ms');
    expect(await readInhibitors(bus)).toEqual([]);
    host.clearFault('logindSilent');
    expect(await readSessions(bus)).toEqual([]);
  });
});

/** Counts what the watch told; `news` resolves when it has told of what was done before, and gives the count. */
interface Watched {
  readonly host: Machine;
  readonly stop: () => void;
  readonly news: () => Promise<number>;
}

async function watched(): Promise<Watched> {
  const host = await machine();
  const bus = await busOf(host);
  let count = 0;
  const stop = watchLogind(bus, () => (count += 1));
  const news = async (): Promise<number> => {
    // Signals and the answer come from one sender, in order: after the answer all of them have arrived.
    await readInhibitors(bus);
    const told = count;
    count = 0;
    return told;
  };
  // The match rules are in force once the bus has answered a later call.
  await readInhibitors(bus);
  await news();
  return { host, stop, news };
}

describe('the watch', () => {
  test('tells when somebody comes, changes, or goes', async () => {
    const { host, news } = await watched();
    host.setSessions([CORE]);
    expect(await news()).toBeGreaterThan(0);
    host.setSessions([CORE, DESKTOP]);
    expect(await news()).toBeGreaterThan(0);
    let ada = DESKTOP;
    const changes = [{ state: 'active' }, { idleSince: 1 }, { class: 'user-incomplete' }, { type: 'x11' }, { tty: '' }];
    for (const change of changes) {
      ada = { ...ada, ...change };
      host.setSessions([CORE, ada]);
      expect([change, await news()]).toEqual([change, 1]);
    }
    host.setSessions([]);
    expect(await news()).toBeGreaterThan(0);
  });

  test('tells when somebody blocks, also beside another who does already', async () => {
    const { host, news } = await watched();
    host.setInhibitors([BACKUP]);
    expect(await news()).toBeGreaterThan(0);
    host.setInhibitors([BACKUP, { ...BACKUP, who: 'another' }]);
    expect(await news()).toBeGreaterThan(0);
    host.setInhibitors([]);
    expect(await news()).toBeGreaterThan(0);
  });

  test('says nothing of locks that block no shutdown, which everybody can take', async () => {
    const { host, news } = await watched();
    const idle = { ...BACKUP, what: 'idle:handle-lid-switch', who: 'a film' };
    host.setInhibitors([idle]);
    await news();
    for (const locks of [[idle, idle], [], [idle]]) {
      host.setInhibitors(locks);
      expect(await news()).toBe(0);
    }
    host.setInhibitors([idle, BACKUP]);
    expect(await news()).toBe(1);
    host.setInhibitors([idle]);
    expect(await news()).toBe(1);
  });

  test('says nothing when nothing changed, of delays, nor of what logind keeps to itself', async () => {
    const { host, news } = await watched();
    host.setSessions([CORE]);
    await news();
    host.setSessions([{ ...CORE }]);
    host.setInhibitors([{ ...BACKUP, mode: 'delay' }]);
    host.setSessions([{ ...CORE, idleSince: 1_700_000_001_000 }]);
    host.setSessions([{ ...CORE, idleSince: 1_700_000_001_000, state: 'closing' }]);
    expect(await news()).toBe(0);
  });

  test('says nothing once it is stopped', async () => {
    const { host, stop, news } = await watched();
    stop();
    host.setSessions([CORE]);
    host.setInhibitors([BACKUP]);
    expect(await news()).toBe(0);
  });

  test('tells when logind is there again after a reboot', async () => {
    const host = await machine();
    const bus = await busOf(host);
    let told = 0;
    watchLogind(bus, () => (told += 1));
    await expect.poll(() => told).toBeGreaterThan(0);
    const before = told;
    await host.rebootNow();
    await expect.poll(() => told).toBeGreaterThan(before);
    await expect.poll(() => readSessions(bus).catch(() => null)).toEqual([]);
    const booted = told;
    host.setSessions([CORE]);
    await expect.poll(() => told).toBeGreaterThan(booted);
  });
});
