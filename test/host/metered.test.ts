import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Bus, BusError, type ExportedObject, Variant } from '../../src/bus/api.ts';
import { readMetered, watchMetered } from '../../src/host/metered.ts';
import { busPair, connectedBus, takeName } from '../support/bus.ts';
import type { PrivateBus } from '../support/dbus.ts';

const NAME = 'org.freedesktop.NetworkManager';
const PATH = '/org/freedesktop/NetworkManager';

let dbus: PrivateBus;
let host: Bus;
let agent: Bus;

const AGAIN_SOON = { random: () => 0, minRetryMs: 20 };

beforeEach(async () => {
  ({ dbus, host, agent } = await busPair(AGAIN_SOON));
});

let value: unknown;

async function serve(type: string, first: unknown): Promise<{ object: ExportedObject; leave: () => void }> {
  value = first;
  const properties = { Metered: { type, get: () => value }, Connectivity: { type: 'u', get: () => 4 } };
  const object = host.exportObject(PATH, [{ name: NAME, properties }]);
  return { object, leave: await takeName(host, NAME) };
}

describe('readMetered', () => {
  it.each([
    [0, null],
    [1, true],
    [2, false],
    [3, true],
    [4, false],
    [5, null],
  ])('takes NetworkManager’s %i for %s', async (metered, expected) => {
    await serve('u', metered);
    expect(await readMetered(agent)).toBe(expected);
  });

  it.each([
    ['s', '1'],
    ['b', true],
    ['i', 1],
    ['v', new Variant('u', 1)],
  ])('does not know from a value of another type (%s)', async (type, metered) => {
    await serve(type, metered);
    expect(await readMetered(agent)).toBeNull();
  });

  it('does not know where there is no NetworkManager, or none that knows of it', async () => {
    expect(await readMetered(agent)).toBeNull();
    host.exportObject(PATH, [{ name: NAME, properties: {} }]);
    await takeName(host, NAME);
    expect(await readMetered(agent)).toBeNull();
  });

  it('does not know when it may not ask, or without a bus', async () => {
    const refusing = {
      ...agent,
      call: () => Promise.reject(new BusError('org.freedesktop.DBus.Error.AccessDenied', '')),
    };
    expect(await readMetered(refusing)).toBeNull();
    await dbus.kill();
    expect(await readMetered(agent)).toBeNull();
  });

  it('neither starts NetworkManager nor waits for long', async () => {
    const call = vi.fn(() => Promise.resolve([]));
    expect(await readMetered({ ...agent, call })).toBeNull();
    expect(call).toHaveBeenCalledWith(expect.objectContaining({ noAutoStart: true, timeoutMs: 5_000 }));
  });
});

describe('watchMetered', () => {
  /** Calls so far, and the next one. */
  function watched(): { count: () => number; next: () => Promise<void>; stop: () => void } {
    let count = 0;
    let waiting: (() => void)[] = [];
    const stop = watchMetered(agent, () => {
      count += 1;
      const told = waiting;
      waiting = [];
      for (const resolve of told) resolve();
    });
    return { count: () => count, next: () => new Promise((resolve) => waiting.push(resolve)), stop };
  }

  /** What was sent before has arrived when a later call is answered. */
  const settled = async (): Promise<unknown> => [await readMetered(agent), await readMetered(agent)];

  it('tells when it begins, and when NetworkManager says that this changed, not of anything else', async () => {
    const { object } = await serve('u', 4);
    const { count, next, stop } = watched();
    await next();
    const before = count();
    object.changed(NAME, ['Connectivity']);
    await settled();
    expect(count()).toBe(before);
    const told = next();
    value = 1;
    object.changed(NAME, ['Connectivity', 'Metered']);
    await told;
    expect(await readMetered(agent)).toBe(true);
    stop();
    const last = count();
    object.changed(NAME, ['Metered']);
    await settled();
    expect(count()).toBe(last);
  });

  it('tells when the value has to be asked for', async () => {
    await serve('u', 4);
    const { next } = watched();
    await next();
    const told = next();
    const signal = { path: PATH, interface: 'org.freedesktop.DBus.Properties', member: 'PropertiesChanged' };
    host.emit({ ...signal, signature: 'sa{sv}as', body: [NAME, {}, ['Metered']] });
    await told;
  });

  it('does not believe others', async () => {
    await serve('u', 4);
    const { count, next } = watched();
    await next();
    const before = count();
    const other = await connectedBus(dbus.address, AGAIN_SOON);
    const signal = { path: PATH, interface: 'org.freedesktop.DBus.Properties', member: 'PropertiesChanged' };
    other.emit({ ...signal, signature: 'sa{sv}as', body: [NAME, { Metered: new Variant('u', 1) }, []] });
    await readMetered(other);
    await settled();
    other.close();
    expect(count()).toBe(before);
  });

  it('is not confused by signals of another shape', async () => {
    await serve('u', 4);
    const { count, next } = watched();
    await next();
    const before = count();
    const signal = { path: PATH, interface: 'org.freedesktop.DBus.Properties', member: 'PropertiesChanged' };
    host.emit(signal);
    host.emit({ ...signal, signature: 's', body: [NAME] });
    host.emit({ ...signal, signature: 'sss', body: [NAME, 'Metered', 'Metered'] });
    host.emit({ ...signal, signature: 'sa{sv}as', body: ['org.other', { Metered: new Variant('u', 1) }, ['Metered']] });
    await readMetered(host);
    await settled();
    expect(count()).toBe(before);
  });

  it('tells when NetworkManager appears and goes, and when the bus is back', async () => {
    const { next } = watched();
    await next();
    const appears = next();
    const { leave } = await serve('u', 1);
    await appears;
    const goes = next();
    leave();
    await goes;
    const back = next();
    await dbus.kill();
    await dbus.start();
    await back;
  });
});
