import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { adminStaged, cancelAt, holdTransaction } from './admin.ts';
import type {
  AdminStages,
  HostState,
  Inhibitor,
  Machine,
  MachineOptions,
  Metered,
  OtherTransaction,
  PolkitPolicy,
  Power,
  Session,
  Shutdown,
  Unit,
} from './api.ts';
import { busAddressIn } from './dbus-daemon.ts';
import { FAULTS, isFaultName } from './faults.ts';
import type { Fault, FaultName, Faults } from './faults.ts';
import { catalogueOf, firstBoot } from './first-boot.ts';
import { HostFolder } from './host.ts';
import { inhibitorSignals, logindTrouble, sessionSignals } from './logind.ts';
import type { LogindHost } from './logind.ts';
import { dropPending, powerCut, reboot, rollBack, unlock } from './ostree.ts';
import type { BootOutcome } from './ostree.ts';
import { Polkit } from './polkit.ts';
import { writePower } from './power.ts';
import { writeRoot } from './root.ts';
import { Surroundings } from './surroundings.ts';
import { RunningSystem } from './system.ts';
import type { SystemHost } from './system.ts';
import { Waiters } from './waiters.ts';

export type * from './api.ts';
export type { Fault, FaultName, Faults } from './faults.ts';

/** A socket's path has room for 107 bytes. */
const LONGEST_DIR = 80;

/**
 * Makes a simulated host and boots it; a folder that holds one already is booted again as it was left, after a power
 * cut. Rejects when the graph, the version or dbus-daemon is not there.
 */
export async function createMachine(options: MachineOptions): Promise<Machine> {
  const temporary = options.dir === undefined;
  const dir = resolve(options.dir ?? mkdtempSync(join(tmpdir(), 'holdpoint-host-')));
  if (Buffer.byteLength(dir) > LONGEST_DIR)
    throw new Error(`${dir}: too long for sockets in it (${LONGEST_DIR} bytes)`);
  mkdirSync(dir, { recursive: true });
  const remove = (): void => {
    if (temporary) rmSync(dir, { recursive: true, force: true });
  };
  let machine: SimulatedMachine | null = null;
  try {
    machine = new SimulatedMachine(prepare(dir, options), options, remove);
    await machine.boot();
    return machine;
  } catch (error) {
    // A machine that could not boot still watches its folder.
    await machine?.stop();
    remove();
    throw error;
  }
}

function prepare(dir: string, options: MachineOptions): HostFolder {
  const folder = new HostFolder(dir);
  const catalogue = catalogueOf(options);
  folder.writeCatalogue(catalogue);
  if (existsSync(join(dir, 'host.json'))) folder.update((state) => newBoot(powerCut(state)));
  else folder.write(firstBoot(options, catalogue));
  return folder;
}

function newBoot(state: HostState): HostState {
  return { ...state, bootId: randomUUID(), bootCount: state.bootCount + 1 };
}

function hookCommand(root: string, dir: string, options: MachineOptions): readonly string[] | null {
  const { hookCommand: command, runDir = 'agent/run' } = options;
  const dirs = ['--dir', join(root, 'etc/holdpoint/hooks.d'), '--run-dir', resolve(dir, runDir)];
  return command === undefined ? null : [...command, ...dirs];
}

function stopped(): Error {
  return new Error('the machine was stopped');
}

type Hook<Argument> = (argument: Argument) => Promise<void> | void;

class SimulatedMachine implements Machine {
  readonly dir: string;
  readonly root: string;
  readonly busAddress: string;
  private readonly folder: HostFolder;
  private readonly host: SystemHost;
  private readonly surroundings = new Surroundings();
  private readonly polkit = new Polkit();
  private readonly remove: () => void;
  private readonly unwatch: () => void;
  private readonly states = new Waiters();
  private readonly boots = new Waiters();
  private readonly shutdownHooks = new Set<Hook<Shutdown>>();
  private readonly bootHooks = new Set<Hook<HostState>>();
  private inhibitors: readonly Inhibitor[] = [];
  private sessions: readonly Session[] = [];
  private units: readonly Unit[] = [];
  private system: RunningSystem | null = null;
  private going: Promise<void> | null = null;
  private stopping: Promise<void> | null = null;

  constructor(folder: HostFolder, options: MachineOptions, remove: () => void) {
    this.folder = folder;
    this.dir = folder.dir;
    this.root = join(folder.dir, 'root');
    this.busAddress = busAddressIn(folder.dir);
    this.remove = remove;
    this.host = {
      dir: folder.dir,
      command: [...options.command, '--host', folder.dir],
      logind: () => this.logind(),
      surroundings: this.surroundings,
      polkit: this.polkit,
      systemd: {
        dir: folder.dir,
        faults: folder.faults,
        units: () => this.units,
        hookCommand: hookCommand(this.root, folder.dir, options),
      },
      machineId: () => this.state().machineId,
    };
    this.unwatch = folder.watch(() => this.states.tell(this.state()));
  }

  state(): HostState {
    return this.folder.read();
  }

  async until(check: (state: HostState) => boolean): Promise<HostState> {
    const found = this.states.wait(check);
    this.states.tell(this.state());
    return found;
  }

  nextBoot(): Promise<HostState> {
    return this.boots.wait(() => true);
  }

  onShutdown(hook: Hook<Shutdown>): () => void {
    this.shutdownHooks.add(hook);
    return () => this.shutdownHooks.delete(hook);
  }

  onBoot(hook: Hook<HostState>): () => void {
    this.bootHooks.add(hook);
    return () => this.bootHooks.delete(hook);
  }

  rebootNow(): Promise<void> {
    return this.cycle('reboot');
  }

  crash(): Promise<void> {
    return this.cycle('crash');
  }

  async killDaemon(): Promise<boolean> {
    return (await this.system?.killDaemon()) ?? false;
  }

  async daemonPid(): Promise<number | null> {
    return (await this.system?.daemonPid()) ?? null;
  }

  setFault<Name extends FaultName>(name: Name, fault?: Fault<Name>): void {
    this.folder.faults.set(name, fault ?? {});
  }

  clearFault(name?: FaultName): void {
    const names = name === undefined ? Object.keys(FAULTS).filter(isFaultName) : [name];
    for (const one of names) this.folder.faults.clear(one);
  }

  faults(): Faults {
    return this.folder.faults.all();
  }

  adminStages(what: AdminStages = {}): void {
    const catalogue = this.folder.catalogue();
    this.folder.update((state) => adminStaged(state, catalogue, what));
  }

  adminCleanup(): void {
    this.folder.update(dropPending);
  }

  adminUnlocks(): void {
    this.folder.update(unlock);
  }

  adminRollback(): void {
    this.folder.update((state) => {
      const back = rollBack(state);
      if (back === null) throw new Error('there is no rollback deployment');
      return back;
    });
  }

  otherTransaction(title = 'upgrade'): Promise<OtherTransaction> {
    return holdTransaction(this.busAddress, this.state().osname, title);
  }

  cancelTransaction(): Promise<boolean> {
    return cancelAt(this.folder.transactionSocket);
  }

  setAutomaticUpdatePolicy(policy: string): void {
    this.folder.update((state) => ({ ...state, automaticUpdatePolicy: policy }));
  }

  setInhibitors(inhibitors: readonly Inhibitor[]): void {
    const before = this.inhibitors;
    this.inhibitors = inhibitors;
    this.system?.emit(inhibitorSignals(before, inhibitors));
  }

  setSessions(sessions: readonly Session[]): void {
    const before = this.sessions;
    this.sessions = sessions;
    this.system?.emit(sessionSignals(before, sessions));
  }

  setUnits(units: readonly Unit[]): void {
    this.units = units;
    this.system?.unitsChanged();
  }

  setMetered(metered: Metered | null): Promise<void> {
    return this.surroundings.setMetered(metered);
  }

  setClockSynced(synced: boolean | null): Promise<void> {
    return this.surroundings.setClockSynced(synced);
  }

  setPolkit(policy: PolkitPolicy | null): Promise<void> {
    return this.polkit.setPolicy(policy);
  }

  async endProcessOf(name: string): Promise<void> {
    await this.system?.endProcessOf(name);
  }

  setPower(power: Power): void {
    writePower(this.root, power);
  }

  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  /** Brings up the system of the current boot. */
  async boot(): Promise<void> {
    writeRoot(this.root, this.state());
    this.system = await RunningSystem.boot(this.host);
  }

  private async end(): Promise<void> {
    this.boots.end(stopped());
    this.states.end(stopped());
    await this.going?.catch(() => undefined);
    this.unwatch();
    try {
      await this.system?.stop();
    } finally {
      this.remove();
    }
  }

  /** Two who want a reboot at the same time get one. */
  private cycle(how: Shutdown): Promise<void> {
    if (this.stopping !== null) return Promise.reject(stopped());
    this.going ??= this.goDownAndBoot(how).finally(() => (this.going = null));
    return this.going;
  }

  private async goDownAndBoot(how: Shutdown): Promise<void> {
    try {
      if (how === 'reboot') this.system?.announceShutdown();
      for (const hook of this.shutdownHooks) await hook(how);
      await this.system?.stop();
      this.system = null;
      [this.sessions, this.inhibitors] = [[], []];
      this.folder.update((state) => newBoot(how === 'crash' ? powerCut(state) : reboot(state, this.outcome(state))));
      if (this.stopping !== null) return;
      await this.boot();
      for (const hook of this.bootHooks) await hook(this.state());
      this.boots.tell(this.state());
    } catch (error) {
      this.boots.end(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  /** The fault is used up only by a boot that would have shown an update. */
  private outcome(state: HostState): BootOutcome {
    const [first] = state.deployments;
    if (first?.staged !== true || first.locked) return 'applied';
    const outcomes: readonly BootOutcome[] = ['discarded', 'not-booted', 'rolled-back'];
    const lost = this.folder.faults.take('finalizeLost');
    return lost === null ? 'applied' : (outcomes.find((outcome) => outcome === lost.as) ?? 'discarded');
  }

  private logind(): LogindHost {
    return {
      inhibitors: this.inhibitors,
      sessions: this.sessions,
      goingDown: this.going !== null,
      trouble: (method) => logindTrouble(this.folder.faults, method),
      reboot: () => {
        if (this.folder.faults.take('rebootLost') !== null) return;
        // After the reply: the caller is to learn that its request was taken. A failure ends those who wait.
        setImmediate(() => void this.rebootNow().catch(() => undefined));
      },
    };
  }
}
