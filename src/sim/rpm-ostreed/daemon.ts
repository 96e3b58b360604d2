import { setTimeout as delay } from 'node:timers/promises';
import type { HostState, Inhibitor } from '../api.ts';
import type { Release } from '../catalogue.ts';
import type { HostFolder } from '../host.ts';
import type { BusConnection } from '../wire/bus.ts';
import type { InterfaceSpec } from '../wire/interface.ts';
import { propertiesChanged } from '../wire/objects.ts';
import { Clients } from './clients.ts';
import { busy, failed } from './errors.ts';
import { OS, ROOT_PATH, SYSROOT } from './interfaces.ts';
import { changed, osPath, propertiesOf } from './properties.ts';
import type { ActiveTransaction, Properties } from './properties.ts';
import type { Sysroot } from './sysroot.ts';
import { Transaction } from './transaction.ts';
import type { Work } from './transaction.ts';

const LOGIND = {
  destination: 'org.freedesktop.login1',
  path: '/org/freedesktop/login1',
  interface: 'org.freedesktop.login1.Manager',
} as const;

interface Running {
  readonly transaction: Transaction;
  /** Method and arguments: the same again joins. */
  readonly key: string;
  readonly shown: ActiveTransaction;
}

/** A call that begins a transaction. */
export interface Begin {
  /** Unique bus name. */
  readonly caller: string;
  readonly key: string;
  readonly work: Work;
  /** Reboot when it has succeeded. */
  readonly reboot: boolean;
}

/** The state of the daemon: what the host looks like, who uses it, and the one transaction. */
export class Daemon implements Sysroot {
  readonly folder: HostFolder;
  readonly clients: Clients;
  properties: Properties;
  private readonly bus: BusConnection;
  private readonly catalogue: readonly Release[];
  private readonly exit: () => void;
  private running: Running | null = null;
  private rebooting = false;
  private idle: NodeJS.Timeout | undefined;
  private state: HostState;

  /** `exit` is called when nobody has needed the daemon for long enough. */
  constructor(bus: BusConnection, folder: HostFolder, exit: () => void) {
    this.bus = bus;
    this.folder = folder;
    this.exit = exit;
    this.catalogue = folder.catalogue();
    this.state = folder.read();
    this.properties = propertiesOf(this.state, this.catalogue, null);
    this.clients = new Clients(bus, () => this.watchIdle());
    this.watchIdle();
  }

  get hostState(): HostState {
    return this.state;
  }

  /** Reads the host again, and tells the bus what has changed. */
  reload(): void {
    this.state = this.folder.read();
    this.publish();
  }

  apply(change: (state: HostState) => HostState): void {
    this.state = this.folder.update(change);
    this.publish();
  }

  async inhibitors(): Promise<readonly Inhibitor[]> {
    const [list] = await this.bus.call({ ...LOGIND, member: 'ListInhibitors' }).catch(() => []);
    if (!Array.isArray(list)) return [];
    return list.filter(Array.isArray).map(([what, who, why, mode]: readonly unknown[]) => {
      return { what: String(what), who: String(who), why: String(why), mode: mode === 'block' ? 'block' : 'delay' };
    });
  }

  /** Begins a transaction, or joins the one that does the same; answers its address. */
  async begin({ caller, key, work, reboot }: Begin): Promise<string> {
    await this.running?.transaction.settle();
    if (this.rebooting) throw failed('Reboot initiated, cannot start new transaction');
    if (this.running !== null) return this.join(this.running, key);
    if (this.folder.faults.take('ostreeLocked') !== null) throw busy('System transaction in progress');
    const socket = this.folder.transactionSocket;
    const address = `unix:path=${socket}`;
    const transaction = new Transaction(work, socket, this.folder.faults, {
      finished: (success) => {
        if (success && reboot) void this.reboot();
      },
      closed: () => {
        forget();
        this.setRunning(null);
      },
    });
    const forget = this.bus.onVanished(caller, () => transaction.callerVanished());
    this.setRunning({ transaction, key, shown: [work.method, caller, address] });
    await transaction.open();
    return address;
  }

  /** Ends a transaction that runs, as the end of the process does. */
  close(): void {
    this.running?.transaction.close();
    clearTimeout(this.idle);
  }

  private join({ transaction, key, shown }: Running, wanted: string): string {
    if (key === wanted && transaction.state !== 'finished') return shown[2];
    throw busy(
      `Transaction in progress: ${transaction.work.title}\n You can cancel the current transaction with \`rpm-ostree cancel\``,
    );
  }

  private async reboot(): Promise<void> {
    this.rebooting = true;
    // A host without logind stays up, as a real one would whose systemctl fails.
    await this.bus.call({ ...LOGIND, member: 'Reboot', signature: 'b', body: [false] }).catch(() => undefined);
  }

  private setRunning(running: Running | null): void {
    this.running = running;
    this.publish();
    this.watchIdle();
  }

  private publish(): void {
    const before = this.properties;
    this.properties = propertiesOf(this.state, this.catalogue, this.running?.shown ?? null);
    this.announce(`${ROOT_PATH}/Sysroot`, SYSROOT, changed(before.sysroot, this.properties.sysroot));
    this.announce(osPath(this.state.osname), OS, changed(before.os, this.properties.os));
  }

  private announce(path: string, spec: InterfaceSpec, values: Readonly<Record<string, unknown>>): void {
    if (Object.keys(values).length === 0) return;
    this.bus.connection.emit(propertiesChanged(path, spec, values));
  }

  /** Calls do not hold the daemon; registered clients and a transaction do. */
  private watchIdle(): void {
    clearTimeout(this.idle);
    if (this.clients.count > 0 || this.running !== null) return;
    this.idle = setTimeout(this.exit, this.state.idleMs);
  }
}

/** Waits as long as the fault `slowActivation` says. */
export async function comeUp(folder: HostFolder): Promise<void> {
  const slow = folder.faults.take('slowActivation');
  if (slow !== null) await delay(slow.ms);
}
