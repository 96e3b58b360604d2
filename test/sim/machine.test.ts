import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Machine, createMachine } from '../../src/sim/machine.ts';
import { client, COMMITS, GRAPH, machine, plain, VERSIONS } from '../support/sim-host.ts';

const v2 = `revision=${COMMITS.v2}`;

function shown(host: Machine): unknown[] {
  return host.state().deployments.map(({ version, booted, staged }) => [version, booted, staged]);
}

/** The command lines of all processes that name this folder. */
function processesOf(dir: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(commandLine).filter((line) => line.includes(dir));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

test('a host that cannot boot looks at its folder no more', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hp-machine-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  // A word that no bus can pass on to the daemon.
  const options = { dir, graph: GRAPH, stream: 'testing', basearch: 'x86_64', bootedVersion: VERSIONS.v1 };
  await expect(createMachine({ ...options, command: ["it's"] })).rejects.toThrow('cannot be passed on by the bus');
  const seen = new Promise<void>((resolve) => {
    const watcher = watch(dir, (_event, file) => {
      if (file !== 'host.json') return;
      watcher.close();
      resolve();
    });
  });
  rmSync(join(dir, 'host.json'));
  // Whoever watched as well, and before, has seen it by now, and would have failed on it.
  await seen;
});

describe('a reboot', () => {
  test('applies what is unlocked, and discards what is locked', async () => {
    const host = await machine();
    const one = await client(host);
    await one.stageLocked(v2);
    await host.rebootNow();
    expect(shown(host)).toEqual([[VERSIONS.v1, true, false]]);
    const two = await client(host);
    await two.deploy(v2);
    await host.rebootNow();
    expect(shown(host)).toEqual([
      [VERSIONS.v2, true, false],
      [VERSIONS.v1, false, false],
    ]);
    host.adminStages({ version: VERSIONS.v3 });
    await host.rebootNow();
    expect(shown(host)).toEqual([
      [VERSIONS.v3, true, false],
      [VERSIONS.v2, false, false],
    ]);
  });

  test('is another boot: boot id, files, bus; hooks run around it', async () => {
    const host = await machine();
    const read = (path: string): string => readFileSync(join(host.root, path), 'utf8').trim();
    const one = await client(host);
    const first = host.state().bootId;
    expect(read('proc/sys/kernel/random/boot_id')).toBe(first);
    const log: string[] = [];
    host.onShutdown((how) => void log.push(`down ${how} ${String(existsSync(join(host.dir, 'bus')))}`));
    host.onBoot((state) => void log.push(`up ${state.bootCount}`));
    const undo = host.onBoot(() => void log.push('never'));
    undo();
    host.adminStages({ version: VERSIONS.v2 });
    await Promise.all([host.rebootNow(), host.rebootNow(), one.bus.connection.closed]);
    expect(log).toEqual(['down reboot true', 'up 2']);
    expect(host.state().bootId).not.toBe(first);
    expect(read('proc/sys/kernel/random/boot_id')).toBe(host.state().bootId);
    expect(read('etc/os-release')).toContain(`OSTREE_VERSION='${VERSIONS.v2}'`);
    expect(read('etc/machine-id')).toMatch(/^[0-9a-f]{32}$/);
    expect(read('proc/cmdline')).toContain('ignition.platform.id=qemu');
  });

  test('comes when logind is asked for it, and is announced', async () => {
    const host = await machine();
    const one = await client(host);
    const body = ["type='signal',member='PrepareForShutdown'"];
    const bus = {
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
    };
    await one.bus.call({ ...bus, member: 'AddMatch', signature: 's', body });
    const announced = new Promise((resolve) =>
      one.bus.connection.onSignal((signal) => signal.member === 'PrepareForShutdown' && resolve(signal.body)),
    );
    const booted = host.nextBoot();
    const manager = { path: '/org/freedesktop/login1', interface: 'org.freedesktop.login1.Manager' };
    const reboot = { ...manager, destination: 'org.freedesktop.login1', member: 'Reboot' };
    expect(await one.bus.call({ ...reboot, signature: 'b', body: [false] })).toEqual([]);
    expect(await announced).toEqual([true]);
    expect((await booted).bootCount).toBe(2);
  });

  test('by power cut loses what is staged, even unlocked', async () => {
    const host = await machine();
    const how: string[] = [];
    host.onShutdown((kind) => void how.push(kind));
    host.adminStages({ version: VERSIONS.v2 });
    await host.crash();
    expect(shown(host)).toEqual([[VERSIONS.v1, true, false]]);
    expect([how, host.state().bootCount]).toEqual([['crash'], 2]);
  });
});

describe('other people on the host', () => {
  test('stage, layer, unlock, clean up and roll back; the daemon notices', async () => {
    const host = await machine();
    const one = await client(host);
    const seen = async (): Promise<unknown> => plain((await one.properties('OS'))['DefaultDeployment']);
    expect(await seen()).toMatchObject({ version: VERSIONS.v1 });
    host.adminStages({ packages: ['vim'], locked: true });
    await one.sysroot('Reload');
    expect(await seen()).toMatchObject({ staged: true, 'base-checksum': COMMITS.v1, packages: ['vim'] });
    host.adminStages({ version: VERSIONS.v3, locked: true });
    host.adminUnlocks();
    await expect.poll(seen).toMatchObject({ version: VERSIONS.v3 });
    expect(host.state().deployments[0]).toMatchObject({ locked: false });
    host.adminCleanup();
    await one.sysroot('Reload');
    expect(await seen()).toMatchObject({ version: VERSIONS.v1, booted: true });
    expect(() => host.adminRollback()).toThrow('no rollback deployment');
    expect(() => host.adminStages({ version: '1' })).toThrow('1: not a release of testing');
  });

  test('hold inhibitors, are logged in, run other drivers, set a policy', async () => {
    const host = await machine();
    const one = await client(host);
    const ask = async (service: string, member: string, signature = '', ...body: unknown[]): Promise<unknown> => {
      const destination = `org.freedesktop.${service}`;
      const path = `/org/freedesktop/${service}`;
      const reply = await one.bus.call({
        destination,
        path,
        interface: `${destination}.Manager`,
        member,
        signature,
        body,
      });
      return reply[0];
    };
    expect(await ask('login1', 'ListSessions')).toEqual([]);
    host.setSessions([
      { id: '3', uid: 1000, user: 'core', tty: 'pts/0', class: 'user', remote: true, type: 'tty', state: 'active' },
    ]);
    host.setInhibitors([{ what: 'shutdown', who: 'a', why: 'b', mode: 'delay' }]);
    host.setUnits([{ name: 'zincati.service', active: 'active' }]);
    host.setAutomaticUpdatePolicy('stage');
    const path = '/org/freedesktop/login1/session/_33';
    expect(await ask('login1', 'ListSessions')).toEqual([['3', 1000, 'core', '', path]]);
    expect(await ask('login1', 'ListInhibitors')).toEqual([['shutdown', 'a', 'b', 'delay', 0, 1]]);
    const properties = { destination: 'org.freedesktop.login1', interface: 'org.freedesktop.DBus.Properties' };
    const body = ['org.freedesktop.login1.Session'];
    const [session] = await one.bus.call({ ...properties, path, member: 'GetAll', signature: 's', body });
    expect(plain(session)).toMatchObject({ Name: 'core', TTY: 'pts/0', Remote: true, User: [1000, expect.anything()] });
    const units = (await ask('systemd1', 'ListUnitsByNames', 'as', ['zincati.service', 'x.timer'])) as unknown[][];
    expect(units.map(([name, , load, active, sub]) => [name, load, active, sub])).toEqual([
      ['zincati.service', 'loaded', 'active', 'running'],
      ['x.timer', 'not-found', 'inactive', 'dead'],
    ]);
    expect(plain(await one.properties('Sysroot'))).toMatchObject({ AutomaticUpdatePolicy: 'stage' });
  });
});

describe('the daemon', () => {
  test('exits when idle, is held by registered clients only, and is activated again', async () => {
    const host = await machine({ idleMs: 150 });
    const one = await client(host);
    const holder = await client(host);
    await holder.sysroot('RegisterClient', 'a{sv}', {});
    const pid = await host.daemonPid();
    expect(pid).not.toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await host.daemonPid()).toBe(pid);
    holder.close();
    await expect.poll(() => host.daemonPid()).toBeNull();
    await one.sysroot('Reload');
    expect(await host.daemonPid()).not.toBe(pid);
  });

  test('can be killed, and comes back', async () => {
    const host = await machine();
    expect(await host.killDaemon()).toBe(false);
    const one = await client(host);
    await one.sysroot('Reload');
    expect(await host.killDaemon()).toBe(true);
    expect(await host.daemonPid()).toBeNull();
    await one.sysroot('Reload');
    expect(await host.daemonPid()).not.toBeNull();
  });
});

describe('stop', () => {
  test('leaves no process and no folder, and rejects who waits', async () => {
    const host = await machine();
    const one = await client(host);
    await one.sysroot('Reload');
    const waiting = [host.nextBoot(), host.until(() => false)].map((promise) =>
      expect(promise).rejects.toThrow('stopped'),
    );
    expect(processesOf(host.dir).length).toBeGreaterThanOrEqual(2);
    await host.stop();
    await Promise.all(waiting);
    await expect.poll(() => processesOf(host.dir)).toEqual([]);
    expect(existsSync(host.dir)).toBe(false);
  });

  test('while a daemon is just being activated leaves none either', async () => {
    const host = await machine();
    const one = await client(host);
    const reload = one.sysroot('Reload').catch(() => null);
    await host.stop();
    await reload;
    await expect.poll(() => processesOf(host.dir)).toEqual([]);
  });

  test('keeps a folder that was given, from which the same host boots again', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hp-host-'));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const host = await machine({ dir });
    host.adminStages({ version: VERSIONS.v2 });
    await host.rebootNow();
    const { machineId } = host.state();
    await host.stop();
    const again = await machine({ dir });
    expect(again.state()).toMatchObject({ machineId, bootCount: 3, deployments: [{ version: VERSIONS.v2 }, {}] });
  });
});

test('what a machine cannot be made from is said', async () => {
  await expect(machine({ bootedVersion: '1.2.3' })).rejects.toThrow('1.2.3: not a release in the graph of testing');
  await expect(machine({ graph: '[]' })).rejects.toThrow(
    'the graph of testing: expected an object with a list of nodes',
  );
  await expect(machine({ dir: `/tmp/${'x'.repeat(90)}` })).rejects.toThrow('too long for sockets');
  expect(GRAPH).toContain(VERSIONS.v1);
});
