import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Bus, BusError, BusTimeoutError, Variant } from '../../src/bus/api.ts';
import { readClockSynced } from '../../src/host/time-sync.ts';
import { busPair, takeName } from '../support/bus.ts';
import type { PrivateBus } from '../support/dbus.ts';

const NAME = 'org.freedesktop.timedate1';

let dbus: PrivateBus;
let host: Bus;
let agent: Bus;

beforeEach(async () => {
  ({ dbus, host, agent } = await busPair());
});

async function serve(type: string, value: unknown): Promise<void> {
  const properties = { NTPSynchronized: { type, get: () => value } };
  host.exportObject('/org/freedesktop/timedate1', [{ name: NAME, properties }]);
  await takeName(host, NAME);
}

describe('readClockSynced', () => {
  it.each([true, false])('says what timedate1 says: %s', async (value) => {
    await serve('b', value);
    expect(await readClockSynced(agent)).toBe(value);
  });

  it.each([
    ['s', 'true'],
    ['u', 1],
    ['v', new Variant('b', true)],
  ])('does not know from a value of another type (%s)', async (type, value) => {
    await serve(type, value);
    expect(await readClockSynced(agent)).toBeNull();
  });

  it('does not know where nobody can tell', async () => {
    expect(await readClockSynced(agent)).toBeNull();
    await dbus.kill();
    expect(await readClockSynced(agent)).toBeNull();
  });

  it.each([
    new BusError('org.freedesktop.DBus.Error.AccessDenied', 'no'),
    new BusTimeoutError('no answer within 10 000 ms'),
  ])('does not know after %s', async (error) => {
    expect(await readClockSynced({ ...agent, call: () => Promise.reject(error) })).toBeNull();
  });

  it('has the service started, and does not wait for long', async () => {
    const call = vi.fn(() => Promise.resolve([new Variant('b', true)]));
    expect(await readClockSynced({ ...agent, call })).toBe(true);
    expect(call).toHaveBeenCalledWith(expect.objectContaining({ noAutoStart: false, timeoutMs: 10_000 }));
  });
});
