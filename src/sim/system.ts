import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readCapped } from '../base/files.ts';
import { busAddressIn, startDbusDaemon } from './dbus-daemon.ts';
import type { DbusDaemon } from './dbus-daemon.ts';
import { disturbLogind, LOGIND, LOGIND_MANAGER, LOGIND_PATH, logindObjects } from './logind.ts';
import type { LogindHost } from './logind.ts';
import type { Polkit } from './polkit.ts';
import { PID_FILE } from './rpm-ostreed/index.ts';
import { BUS_NAME } from './rpm-ostreed/interfaces.ts';
import type { Surroundings } from './surroundings.ts';
import { Systemd, SYSTEMD } from './systemd.ts';
import type { SystemdHost } from './systemd.ts';
import { BusConnection } from './wire/bus.ts';
import type { Sent } from './wire/connection.ts';
import { serve } from './wire/objects.ts';

/** What the services of a running system ask of its machine, whenever they are called. */
export interface SystemHost {
  readonly dir: string;
  /** Runs the rpm-ostree daemon. */
  readonly command: readonly string[];
  logind(): LogindHost;
  readonly surroundings: Surroundings;
  readonly polkit: Polkit;
  readonly systemd: SystemdHost;
  machineId(): string;
}

/** One boot of a machine: its bus, with logind and systemd on it, and rpm-ostree behind activation. */
export class RunningSystem {
  private readonly dir: string;
  private readonly dbus: DbusDaemon;
  private readonly bus: BusConnection;
  private readonly systemd: Systemd;

  private constructor(dir: string, dbus: DbusDaemon, bus: BusConnection, systemd: Systemd) {
    this.dir = dir;
    this.dbus = dbus;
    this.bus = bus;
    this.systemd = systemd;
  }

  /** Resolves when the bus and the services are there. */
  static async boot(host: SystemHost): Promise<RunningSystem> {
    const { dir } = host;
    rmSync(join(dir, PID_FILE), { force: true });
    rmSync(join(dir, 'transaction.sock'), { force: true });
    const dbus = await startDbusDaemon(dir, { name: BUS_NAME, command: host.command });
    try {
      const bus = await BusConnection.open(busAddressIn(dir));
      const systemd = new Systemd(host.systemd, bus.connection);
      const objects = (): ReturnType<typeof logindObjects> =>
        new Map([
          ...logindObjects(host.logind()),
          ...systemd.objects(),
          ...host.surroundings.objects(),
          ...host.polkit.objects(),
        ]);
      serve(
        bus.connection,
        objects,
        () => host.machineId(),
        (call) => disturbLogind(host.logind(), call),
      );
      await bus.own(LOGIND);
      await bus.own(SYSTEMD);
      await host.surroundings.appear(bus);
      await host.polkit.appear(bus);
      return new RunningSystem(dir, dbus, bus, systemd);
    } catch (error) {
      await dbus.stop();
      throw error;
    }
  }

  /** Tells everybody that the system is going down, as logind does. */
  announceShutdown(): void {
    this.bus.connection.signal(LOGIND_PATH, LOGIND_MANAGER.name, 'PrepareForShutdown', 'b', [true]);
  }

  /** Sends signals of logind. */
  emit(signals: readonly Sent[]): void {
    for (const signal of signals) this.bus.connection.emit(signal);
  }

  /** Tells everybody what has changed in the units. */
  unitsChanged(): void {
    this.systemd.unitsChanged();
  }

  /** The process id of the rpm-ostree daemon when it owns its name. */
  daemonPid(): Promise<number | null> {
    return this.bus.processOf(BUS_NAME);
  }

  /** Kills the rpm-ostree daemon, whether it owns its name already or not. False when there is none. */
  async killDaemon(): Promise<boolean> {
    const file = join(this.dir, PID_FILE);
    const pid = Number(readCapped(file, 32) ?? Number.NaN);
    const found = runsIn(pid, this.dir);
    if (found) process.kill(pid, 'SIGKILL');
    for (let tries = 0; tries < 1000 && runsIn(pid, this.dir); tries += 1) await delay(2);
    while (found && (await this.daemonPid()) === pid) await delay(2);
    rmSync(file, { force: true });
    return found;
  }

  /** Ends the process that owns a name on the bus, unless it is this one. */
  async endProcessOf(name: string): Promise<void> {
    const pid = await this.bus.processOf(name);
    if (pid !== null && pid !== process.pid) process.kill(pid, 'SIGKILL');
  }

  /** Ends every process of this boot. */
  async stop(): Promise<void> {
    await this.systemd.stop();
    await this.killDaemon();
    this.bus.connection.close();
    await this.dbus.stop();
  }
}

/** Whether this process runs for this machine: a process id in a file may by now be somebody else's. */
function runsIn(pid: number, dir: string): boolean {
  const words = Number.isInteger(pid) ? readCapped(`/proc/${pid}/cmdline`, 1_000_000) : null;
  return words?.split('\0').includes(dir) ?? false;
}
