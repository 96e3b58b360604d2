import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Bus } from '../../../src/bus/api.ts';
import { readBootHealth } from '../../../src/host/systemd/boot.ts';
import { unitPath } from '../../../src/host/systemd/unit.ts';
import { readUnit, watchUnit } from '../../../src/host/systemd/units.ts';
import type { Machine } from '../../../src/sim/api.ts';
import { busPair, connectedBus, takeName } from '../../support/bus.ts';
import { startDbus } from '../../support/dbus.ts';
import { machine } from '../../support/sim-host.ts';

const LIMIT = { timeout: 30_000 };
const NAME = 'boot-complete.target';
const CHECK = 'greenboot-healthcheck.service';

let root = '';
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'hp-systemd-'))));
afterEach(() => rmSync(root, { recursive: true }));

function busAt(address: string): Promise<Bus> {
  return connectedBus(address, { random: () => 0.01 });
}

async function host(): Promise<{ readonly one: Machine; readonly bus: Bus }> {
  const one = await machine();
  return { one, bus: await busAt(one.busAddress) };
}

describe('a unit', LIMIT, () => {
  test('is read as systemd has it', async () => {
    const { one, bus } = await host();
    one.setUnits([{ name: NAME, active: 'activating', sub: 'dead', job: 'start' }]);
    expect(await readUnit(bus, NAME, root)).toMatchObject({
      load: 'loaded',
      active: 'activating',
      job: { type: 'start' },
    });
    expect(await readUnit(bus, 'other.service', root)).toMatchObject({
      load: 'not-found',
      active: 'inactive',
      job: null,
    });
  });

  test('is none where there is no systemd; where it has only left the bus, that is an error', async () => {
    const dbus = await startDbus();
    const bus = await busAt(dbus.address);
    expect(await readUnit(bus, NAME, root)).toBeNull();
    expect(await readBootHealth(bus, NAME, root)).toEqual({ kind: 'healthy' });
    mkdirSync(join(root, 'run/systemd/system'), { recursive: true });
    await expect(readUnit(bus, NAME, root)).rejects.toThrow(`systemd cannot be asked about ${NAME}`);
    await expect(readBootHealth(bus, NAME, root)).rejects.toThrow(`systemd cannot be asked about ${NAME}`);
    await dbus.stop();
  });

  test('cannot be read without a bus', async () => {
    const dbus = await startDbus();
    const bus = await busAt(dbus.address);
    await dbus.kill();
    await expect(readUnit(bus, NAME, root)).rejects.toThrow(`systemd cannot be asked about ${NAME}`);
    await dbus.stop();
  });

  test('is none of ours when the answer is of another kind', async () => {
    const dbus = await startDbus();
    const [server, bus] = [await busAt(dbus.address), await busAt(dbus.address)];
    const ListUnitsByNames = {
      in: [{ name: 'names', type: 'as' }],
      out: [{ name: 'units', type: 'as' }],
      handle: () => [['x']],
    };
    server.exportObject('/org/freedesktop/systemd1', [
      { name: 'org.freedesktop.systemd1.Manager', methods: { ListUnitsByNames } },
    ]);
    await takeName(server, 'org.freedesktop.systemd1');
    await expect(readUnit(bus, NAME, root)).rejects.toThrow(`systemd says nothing of ${NAME}`);
    await dbus.stop();
  });
});

describe('watching a unit', LIMIT, () => {
  test('tells of its changes, of a start that came to nothing, and of a new boot', async () => {
    const { one, bus } = await host();
    one.setUnits([{ name: NAME, active: 'inactive', job: 'start' }]);
    const changed = vi.fn();
    const stop = watchUnit(bus, NAME, changed);
    // Once, as soon as it is certain that no change is missed.
    await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1));
    one.setUnits([
      { name: NAME, active: 'inactive', job: 'start' },
      { name: CHECK, active: 'failed' },
    ]);
    one.setUnits([
      { name: NAME, active: 'inactive' },
      { name: CHECK, active: 'failed' },
    ]);
    // The unit's own change, and the end of its job.
    await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(3));
    await one.rebootNow();
    await vi.waitFor(() => expect(changed.mock.calls.length).toBeGreaterThan(3), { timeout: 10_000 });
    const before = changed.mock.calls.length;
    one.setUnits([{ name: NAME, active: 'active' }]);
    await vi.waitFor(() => expect(changed.mock.calls.length).toBeGreaterThan(before));
    stop();
    const after = changed.mock.calls.length;
    one.setUnits([]);
    await readUnit(bus, NAME, root);
    expect(changed).toHaveBeenCalledTimes(after);
  });

  test('two who watch are told both', async () => {
    const { one, bus } = await host();
    const [first, second] = [vi.fn(), vi.fn()];
    watchUnit(bus, NAME, first);
    watchUnit(bus, CHECK, second);
    await vi.waitFor(() => expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 1]));
    one.setUnits([{ name: CHECK, active: 'active' }]);
    await vi.waitFor(() => expect(second).toHaveBeenCalledTimes(2));
    one.setUnits([
      { name: CHECK, active: 'active' },
      { name: NAME, active: 'active' },
    ]);
    await vi.waitFor(() => expect(first).toHaveBeenCalledTimes(2));
    expect(second).toHaveBeenCalledTimes(2);
  });
});

describe('the health of a boot', LIMIT, () => {
  test('is that of its unit, and names what has failed', async () => {
    const { one, bus } = await host();
    const health = (): Promise<unknown> => readBootHealth(bus, NAME, root);
    expect(await health()).toEqual({ kind: 'healthy', missing: true });
    const target = { name: NAME, active: 'inactive', requires: [CHECK, 'sysinit.target'] };
    one.setUnits([
      { ...target, job: 'start' },
      { name: CHECK, active: 'activating' },
    ]);
    expect(await health()).toMatchObject({ kind: 'waiting' });
    one.setUnits([target, { name: CHECK, active: 'failed' }]);
    expect(await health()).toEqual({ kind: 'unhealthy', reason: `${NAME} was not reached: ${CHECK} failed` });
    one.setUnits([
      { ...target, active: 'active' },
      { name: CHECK, active: 'active' },
    ]);
    expect(await health()).toEqual({ kind: 'healthy' });
  });
});

describe('what a unit cannot do without', LIMIT, () => {
  /** A systemd with a target that has not been reached and is bound to a unit that failed. */
  async function systemd(queued: () => boolean): Promise<{ readonly bus: Bus; readonly asked: () => number }> {
    const { host: server, agent: bus } = await busPair({ random: () => 0.01 });
    let asked = 0;
    const row = (name: string): readonly unknown[] => {
      const job = name === NAME && queued() ? [7, 'start', '/job/7'] : [0, '', '/'];
      return [name, '', 'loaded', name === CHECK ? 'failed' : 'inactive', 'dead', '', unitPath(name), ...job];
    };
    const ListUnitsByNames = {
      in: [{ name: 'names', type: 'as' }],
      out: [{ name: 'units', type: 'a(ssssssouso)' }],
      handle: ({ args: [names] }: { readonly args: readonly unknown[] }) => [(names as readonly string[]).map(row)],
    };
    const units = (names: readonly string[]) => ({ type: 'as', get: () => ((asked += 1), names) });
    server.exportObject('/org/freedesktop/systemd1', [
      { name: 'org.freedesktop.systemd1.Manager', methods: { ListUnitsByNames } },
    ]);
    server.exportObject(unitPath(NAME), [
      {
        name: 'org.freedesktop.systemd1.Unit',
        properties: { Requires: units(['sysinit.target']), BindsTo: units([CHECK]) },
      },
    ]);
    await takeName(server, 'org.freedesktop.systemd1');
    return { bus, asked: () => asked };
  }

  test('is also what it is bound to', async () => {
    const { bus } = await systemd(() => false);
    const reason = `${NAME} was not reached: ${CHECK} failed`;
    expect(await readBootHealth(bus, NAME, root)).toEqual({ kind: 'unhealthy', reason });
  });

  test('is not asked for while it is being started', async () => {
    const { bus, asked } = await systemd(() => true);
    expect(await readBootHealth(bus, NAME, root)).toMatchObject({ kind: 'waiting' });
    expect(asked()).toBe(0);
  });
});
