import type { Fault, FaultName, Faults } from './faults.ts';

/** One deployment of a simulated host, as its state file keeps it. */
export interface Deployment {
  /** `ostree` for an origin that is a ref, `container` for one that is an image. */
  readonly kind: 'ostree' | 'container';
  /** Refspec (`fedora:fedora/x86_64/coreos/stable`) or image reference. */
  readonly origin: string;
  /** The ostree commit that boots. */
  readonly checksum: string;
  /** The base commit; the same as `checksum` when nothing is layered. */
  readonly base: string;
  /** Digest of the image (`sha256:…`); null for an ostree origin. */
  readonly digest: string | null;
  readonly version: string;
  readonly stream: string;
  readonly basearch: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** Layered packages. */
  readonly packages: readonly string[];
  readonly serial: number;
  readonly booted: boolean;
  readonly staged: boolean;
  /** Staged, and not applied at a reboot unless it is finalized first. */
  readonly locked: boolean;
  readonly pinned: boolean;
}

/** A simulated host, as its state file (`host.json`) keeps it between processes. */
export interface HostState {
  readonly osname: string;
  /** 32 hex digits. */
  readonly machineId: string;
  /** Ignition's name of the platform, for example `qemu`. */
  readonly platform: string;
  readonly basearch: string;
  /** UUID of the current boot. */
  readonly bootId: string;
  /** How many times the host has booted, from 1. */
  readonly bootCount: number;
  /** First is the default. */
  readonly deployments: readonly Deployment[];
  /** What the last pull of each ref (`ref=checksum`) brought. */
  readonly refs: readonly string[];
  /** How many deployments were ever written; makes the commits of images differ. */
  readonly writes: number;
  /** The registered update driver, or null. */
  readonly driver: string | null;
  readonly automaticUpdatePolicy: string;
  /** Milliseconds after which the idle rpm-ostree daemon exits. */
  readonly idleMs: number;
}

/** An update graph, and the stream whose releases it lists. */
export interface StreamGraph {
  readonly stream: string;
  /** The JSON text as a graph server gives it. Ostree and image payloads may be mixed. */
  readonly text: string;
}

/** What a machine is made from. */
export interface MachineOptions {
  /** Folder of the machine, made when missing. Left out: a temporary one, which `stop()` removes. At most 80 bytes. */
  readonly dir?: string;
  /** Every release of the graph can be deployed. */
  readonly graph: string;
  readonly stream: string;
  readonly basearch: string;
  /** The release that the host is booted from at first; it must be in the graph, and settles the kind of origin. */
  readonly bootedVersion: string;
  /** More streams that a host can be rebased to. */
  readonly otherGraphs?: readonly StreamGraph[];
  /** The command that runs the rpm-ostree daemon; `--host DIR` is added. Example: node, dist/holdpoint.js, sim, rpm-ostreed. */
  readonly command: readonly [string, ...string[]];
  /**
   * The command in the template unit of hooks (node, dist/holdpoint.js, hook, exec); `--dir` (etc/holdpoint/hooks.d in
   * the machine's root), `--run-dir` and the instance are added. Default: systemd does not have that unit.
   */
  readonly hookCommand?: readonly [string, ...string[]];
  /** The run folder of the agent, for the template unit of hooks; relative to the machine's folder. Default: where `MachineAgent` has it. */
  readonly runDir?: string;
  /** Refspec or image reference of the origin. Default: as Fedora CoreOS has it. */
  readonly origin?: string;
  /** Packages layered on the booted deployment. Default none. */
  readonly packages?: readonly string[];
  /** Default `qemu`. */
  readonly platform?: string;
  /** 32 hex digits; random by default. */
  readonly machineId?: string;
  /** Milliseconds after which the idle rpm-ostree daemon exits. Default 60 000. */
  readonly idleMs?: number;
}

/** A logind inhibitor lock. */
export interface Inhibitor {
  /** For example `shutdown` or `shutdown:sleep`. */
  readonly what: string;
  readonly who: string;
  readonly why: string;
  readonly mode: 'block' | 'block-weak' | 'delay';
  /** Default 0. */
  readonly uid?: number;
}

/** A logind session. */
export interface Session {
  readonly id: string;
  readonly uid: number;
  readonly user: string;
  /** For example `tty1` or `pts/0`; empty for none. */
  readonly tty: string;
  /** For example `user`, `greeter`, `manager`. */
  readonly class: string;
  readonly remote: boolean;
  /** For example `tty`, `wayland`, `unspecified`. */
  readonly type: string;
  /** `online`, `active` or `closing`. */
  readonly state: string;
  /** Default none. */
  readonly remoteHost?: string;
  /** Milliseconds since 1970: idle since then. Default: not idle. */
  readonly idleSince?: number;
}

/** What polkit is asked about a caller on the bus. */
export interface PolkitQuestion {
  readonly uid: number;
  /** For example `io.github.holdpoint.Agent1.pause`. */
  readonly action: string;
  /** Somebody may be asked for a password. Nobody is there to give one. */
  readonly interactive: boolean;
}

/** Decides about a caller. `challenge`: a password is needed; `silence`: it does not answer. */
export type PolkitPolicy = (question: PolkitQuestion) => 'yes' | 'no' | 'challenge' | 'silence';

/** A systemd unit; one that is not set is answered as not found and inactive. */
export interface Unit {
  readonly name: string;
  /** `active`, `inactive`, `failed`, … */
  readonly active: string;
  /** `running`, `dead`, … Default: `running` when active, else `dead`. */
  readonly sub?: string;
  /** Default `loaded`. */
  readonly load?: string;
  /** What is queued for it: `start`, `stop`, … Default nothing. */
  readonly job?: string;
  /** Units that it cannot do without. Default none. */
  readonly requires?: readonly string[];
  /** How its main process ended. Default: it has not, or well. */
  readonly ended?: {
    /** `exit-code`, `signal`, `watchdog`, … */
    readonly result: string;
    /** 1: it exited, with this status; 2: it was killed by the signal of this number. */
    readonly code: number;
    readonly status: number;
  };
}

/** Whether traffic costs, as NetworkManager says. */
export type Metered = 'unknown' | 'yes' | 'no' | 'guess-yes' | 'guess-no';

/** What powers the host; `none`: the kernel knows of no power supply, as on most servers. */
export type Power = 'ac' | 'battery' | 'none';

/** How the machine goes down: in order, or by a power cut. */
export type Shutdown = 'reboot' | 'crash';

/** What an administrator stages: a release of the catalogue by version, default the one that is booted. */
export interface AdminStages {
  readonly version?: string;
  /** Default: the stream of the booted deployment. */
  readonly stream?: string;
  /** Layered packages; default those of the booted deployment. */
  readonly packages?: readonly string[];
  /** Default false. */
  readonly locked?: boolean;
}

/** A transaction that another client keeps running. */
export interface OtherTransaction {
  /** Lets it finish. Resolves when the daemon is free again. */
  finish(): Promise<void>;
}

/** A simulated host: a private system bus, rpm-ostree behind activation, logind, systemd, reboots. */
export interface Machine {
  readonly dir: string;
  /**
   * A folder with the files that tell a host's identity (etc/machine-id, etc/os-release, proc/cmdline, boot id, uptime) and
   * what powers it.
   */
  readonly root: string;
  /** For DBUS_SYSTEM_BUS_ADDRESS. The same after every reboot. */
  readonly busAddress: string;
  /** The host as it is now. */
  state(): HostState;
  /** Resolves with the state as soon as it satisfies `check` (at once when it does). Rejects when the machine stops. */
  until(check: (state: HostState) => boolean): Promise<HostState>;
  /** Resolves after the next boot is complete, its hooks included. Rejects when the machine stops. */
  nextBoot(): Promise<HostState>;

  /** Runs while the system goes down, before the bus ends: stop your agent here (kill it on `crash`). Returns the undo. */
  onShutdown(hook: (how: Shutdown) => Promise<void> | void): () => void;
  /** Runs once the bus of a new boot is up (not for the first boot). Returns the undo. */
  onBoot(hook: (state: HostState) => Promise<void> | void): () => void;

  /** Goes down in order and boots, as an administrator's `systemctl reboot` would. Resolves after the boot. */
  rebootNow(): Promise<void>;
  /** Power cut, then boot. A staged deployment is lost, locked or not: it lives in /run until the shutdown writes it. */
  crash(): Promise<void>;
  /** Kills the rpm-ostree daemon; the next call activates it again. False when it was not running. */
  killDaemon(): Promise<boolean>;
  /** Process id of the rpm-ostree daemon, or null when it is not running. */
  daemonPid(): Promise<number | null>;

  /** Sets a fault; it acts from now on, `times` times or until it is cleared. */
  setFault<Name extends FaultName>(name: Name, fault?: Fault<Name>): void;
  /** Clears one fault, or all. */
  clearFault(name?: FaultName): void;
  /** What is set and not used up. */
  faults(): Faults;

  /** Stages a deployment as another tool would, in place of a staged one. */
  adminStages(what?: AdminStages): void;
  /** Removes a staged or pending deployment. */
  adminCleanup(): void;
  /** Unlocks a staged deployment: it applies at the next reboot. */
  adminUnlocks(): void;
  /** Makes the rollback deployment the default one. */
  adminRollback(): void;
  /** Starts a transaction as another client and keeps it running: everybody else gets BUSY. */
  otherTransaction(title?: string): Promise<OtherTransaction>;
  /** Cancels the transaction that is running, as any local user may. False when none is. */
  cancelTransaction(): Promise<boolean>;
  setAutomaticUpdatePolicy(policy: string): void;
  /** Tells the bus of it as logind does. A reboot ends them. */
  setInhibitors(inhibitors: readonly Inhibitor[]): void;
  /**
   * Tells the bus of it as logind does: of a session that is now `closing`, and of a terminal that is idle, nothing.
   * A reboot ends them.
   */
  setSessions(sessions: readonly Session[]): void;
  /** Replaces the units that systemd has; whoever watches is told what changed. */
  setUnits(units: readonly Unit[]): void;
  /** What NetworkManager says from now on, `guess-no` at first; null: it is not there. Resolves when the bus knows. */
  setMetered(metered: Metered | null): Promise<void>;
  /** Whether timedate1 calls the clock synchronised, true at first; null: it is not there. Resolves when the bus knows. */
  setClockSynced(synced: boolean | null): Promise<void>;
  /**
   * What polkit answers from now on; null: it is not there. At first the user who runs this may do everything, and others
   * with a password. Resolves when the bus knows.
   */
  setPolkit(policy: PolkitPolicy | null): Promise<void>;
  /** Ends the process that owns a name on the bus, as a reboot does to everything. Never this one. */
  endProcessOf(name: string): Promise<void>;
  /** `none` at first. */
  setPower(power: Power): void;

  /**
   * Ends everything: no process is left, and no folder when it was a temporary one. Waits for a reboot that is under way,
   * so it must not be awaited in a hook.
   */
  stop(): Promise<void>;
}
