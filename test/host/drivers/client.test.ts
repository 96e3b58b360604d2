import { beforeEach, describe, expect, it } from 'vitest';
import { type Bus, BusError, type IncomingCall, Variant } from '../../../src/bus/api.ts';
import { isGoingDown, readDriverUnits } from '../../../src/host/drivers/client.ts';
import { DRIVER_UNITS } from '../../../src/host/drivers/judge.ts';
import { busPair, takeName } from '../../support/bus.ts';
import type { PrivateBus } from '../../support/dbus.ts';

const UNIT_TYPE = 'a(ssssssouso)';

let dbus: PrivateBus;
let host: Bus;
let agent: Bus;

beforeEach(async () => {
  ({ dbus, host, agent } = await busPair());
});

async function serveSystemd(handle: (call: IncomingCall) => readonly unknown[], type = UNIT_TYPE): Promise<void> {
  const ListUnitsByNames = { in: [{ name: 'names', type: 'as' }], out: [{ name: 'units', type }], handle };
  host.exportObject('/org/freedesktop/systemd1', [
    { name: 'org.freedesktop.systemd1.Manager', methods: { ListUnitsByNames } },
  ]);
  await takeName(host, 'org.freedesktop.systemd1');
}

const unit = (name: string, active: string): readonly unknown[] => [
  ...[name, 'A unit', 'loaded', active, 'running', ''],
  ...['/org/freedesktop/systemd1/unit/x', 0, '', '/'],
];

describe('readDriverUnits', () => {
  it('asks systemd about every unit that may drive updates', async () => {
    const asked: unknown[] = [];
    await serveSystemd(({ args }) => {
      asked.push(...args);
      return [[unit('zincati.service', 'active'), unit('uupd.timer', 'inactive')]];
    });
    expect(await readDriverUnits(agent)).toEqual([
      { name: 'zincati.service', activeState: 'active' },
      { name: 'uupd.timer', activeState: 'inactive' },
    ]);
    expect(asked).toEqual([DRIVER_UNITS]);
  });

  it('knows nothing where there is no systemd', async () => {
    expect(await readDriverUnits(agent)).toBeNull();
  });

  it('knows nothing when systemd refuses', async () => {
    await serveSystemd(() => {
      throw new BusError('org.freedesktop.DBus.Error.AccessDenied', 'no');
    });
    expect(await readDriverUnits(agent)).toBeNull();
  });

  it('knows of none when the answer is of another kind', async () => {
    await serveSystemd(() => [['zincati.service']], 'as');
    expect(await readDriverUnits(agent)).toEqual([]);
  });

  it('knows nothing without a bus', async () => {
    await dbus.kill();
    expect(await readDriverUnits(agent)).toBeNull();
  });
});

describe('isGoingDown', () => {
  async function serveLogind(type: string, value: unknown): Promise<void> {
    const properties = { PreparingForShutdown: { type, get: () => value } };
    host.exportObject('/org/freedesktop/login1', [{ name: 'org.freedesktop.login1.Manager', properties }]);
    await takeName(host, 'org.freedesktop.login1');
  }

  it.each([true, false])('says what logind says: %s', async (value) => {
    await serveLogind('b', value);
    expect(await isGoingDown(agent)).toBe(value);
  });

  it.each([
    ['s', 'true'],
    ['u', 1],
    ['v', new Variant('b', true)],
  ])('takes a value of another type (%s) for no', async (type, value) => {
    await serveLogind(type, value);
    expect(await isGoingDown(agent)).toBe(false);
  });

  it('is false where there is no logind', async () => {
    expect(await isGoingDown(agent)).toBe(false);
  });
});
