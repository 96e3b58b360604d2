import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '../../base/text.ts';
import { HostFolder } from '../host.ts';
import { BusConnection } from '../wire/bus.ts';
import { serve } from '../wire/objects.ts';
import { comeUp, Daemon } from './daemon.ts';
import { BUS_NAME } from './interfaces.ts';
import { objectsOf } from './objects.ts';

/** How to run the simulated daemon. */
export interface RpmOstreedOptions {
  /** Folder of the simulated host. */
  readonly host: string;
  /** Address of the bus. Default: DBUS_SYSTEM_BUS_ADDRESS, which must then be set: never the bus of this machine. */
  readonly busAddress?: string;
}

/** The file in which a running daemon leaves its process id. */
export const PID_FILE = 'rpm-ostreed.pid';

/**
 * Runs the simulated rpm-ostree daemon: owns `org.projectatomic.rpmostree1` on the bus until it is idle for long
 * enough, the bus ends, or SIGTERM or SIGINT comes. Rejects when the bus, the name or the host cannot be had.
 */
export async function runRpmOstreed(options: RpmOstreedOptions): Promise<void> {
  const address = options.busAddress ?? process.env['DBUS_SYSTEM_BUS_ADDRESS'];
  if (address === undefined) {
    throw new Error('DBUS_SYSTEM_BUS_ADDRESS is not set; set it to a private bus: this is a simulated rpm-ostree');
  }
  const pidFile = join(options.host, PID_FILE);
  writeFileSync(pidFile, String(process.pid));
  const folder = new HostFolder(options.host);
  await comeUp(folder);
  const bus = await BusConnection.open(address);
  const end = (): void => bus.connection.close();
  process.once('SIGTERM', end).once('SIGINT', end);
  const daemon = new Daemon(bus, folder, end);
  const unwatch = folder.watch(() => reload(daemon));
  try {
    const objects = objectsOf(daemon);
    const machineId = (): string => daemon.hostState.machineId;
    serve(bus.connection, () => objects, machineId);
    await bus.own(BUS_NAME);
    await bus.connection.closed;
  } finally {
    unwatch();
    end();
    daemon.close();
    process.off('SIGTERM', end).off('SIGINT', end);
    rmSync(pidFile, { force: true });
  }
}

/** Somebody may have left nonsense in the state file: the daemon then goes on with what it knew. */
function reload(daemon: Daemon): void {
  try {
    daemon.reload();
  } catch (error) {
    process.stderr.write(`rpm-ostreed: ${errorText(error)}\n`);
  }
}
