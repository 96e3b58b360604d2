import type { ClientParams } from '../fleetlock/protocol.ts';
import type { Answer, Refusal } from './answer.ts';
import type { AuditRecord, Freeze } from './document.ts';
import type { HistoryQuery } from './store/store.ts';

/** How a request for a slot is to be answered. */
export interface LockOptions {
  /** Milliseconds for which the answer may be kept back until a slot is free; 0: at once. */
  readonly waitMs: number;
  /** Aborted when nobody is there any more to hear the answer. A wait that is aborted grants nothing. */
  readonly signal: AbortSignal;
}

/** Who asks for a change by hand, and why. */
export interface Order {
  /** The administrator's name; it goes into the audit. */
  readonly by: string;
  readonly reason: string;
}

/** The manager as its listeners and its command line see it. No method rejects for a reason of the protocol. */
export interface Manager {
  /** pre-reboot. */
  lock(params: ClientParams, options: LockOptions): Promise<Answer>;
  /** steady-state. */
  unlock(params: ClientParams): Promise<Answer>;
  /** The answer to a `lock` that was ready to wait could not be delivered: takes the grant back, unless the id was heard of since. */
  takeBack(params: ClientParams): void;

  /** Gives a slot by hand; all the rules hold as they do for a node. */
  lockByHand(params: ClientParams, order: Order): Promise<Answer>;
  /** Gives a slot back by hand: as the node itself would, or, with `force`, at once and without a soak. */
  unlockByHand(params: ClientParams, order: Order & { readonly force: boolean }): Promise<Answer>;
  resize(group: string, slots: number, order: Order): Promise<Answer>;
  /** `group` null: all groups. `until` in ms since 1970; null: until it is thawed. */
  freeze(group: string | null, until: number | null, order: Order): Promise<Answer>;
  thaw(group: string | null, order: Order): Promise<Answer>;

  /** Rejects with a `StoreError`. */
  status(): Promise<FleetStatus>;
  /** Rejects with a `StoreError`. */
  history(query: HistoryQuery): Promise<readonly AuditRecord[]>;
  /** Whether requests can be decided at this moment; a text says why not. Asks the store. */
  readiness(): Promise<string | null>;

  /** Answers everybody who waits and refuses new grants from now on (`draining`); resolves when nothing is under way. */
  drain(): Promise<void>;
}

/** Everything an operator may want to know. Times in ms since 1970. */
export interface FleetStatus {
  readonly at: number;
  readonly store: {
    readonly kind: 'embedded' | 'etcd';
    readonly warnings: readonly string[];
    /** Rules that bind only requests through a manager of ours: another program on the same store grants without them. */
    readonly oursOnly: readonly string[];
  };
  readonly freeze: Freeze | null;
  /** Sorted by name. */
  readonly groups: readonly GroupStatus[];
}

/** One group. */
export interface GroupStatus {
  readonly name: string;
  /** Its document cannot be read: nothing else here is known. */
  readonly problem: string | null;
  /** It has a table of its own in the configuration, or is the default group; else it is there because of old holders. */
  readonly configured: boolean;
  readonly slots: number;
  /** What the configuration asks for (`2`, `25%`), and whether an administrator changed it since. */
  readonly wanted: string;
  readonly resized: boolean;
  readonly freeze: Freeze | null;
  readonly holders: readonly HolderStatus[];
  /** Who was refused lately, those first who come first; no more than can be listed. */
  readonly waiters: readonly WaiterStatus[];
  /** How many there are in all, and how many of them have a request that is being held. */
  readonly waiting: number;
  readonly waitingConnected: number;
  /** Too many holders are stale. */
  readonly halted: boolean;
  /** What the window says when it refuses, or the gate, when that was asked lately. */
  readonly closed: Refusal | null;
  /** Null: it has none. */
  readonly gate: GateStatus | null;
  /** Ids seen in 90 days. */
  readonly seen: number;
}

/** The gate of a group. It is asked when somebody wants a slot, and not otherwise. */
export interface GateStatus {
  /** When it was asked last; null: not since the manager was started or read its configuration. */
  readonly asked: number | null;
  /** What it said then when it refused; null: it was open, or was not asked. */
  readonly refusal: string | null;
  /** What it said still holds; else it is asked anew when somebody wants a slot. */
  readonly current: boolean;
}

/** One holder. */
export interface HolderStatus {
  readonly id: string;
  readonly since: number;
  readonly soakUntil: number | null;
  /** It has held its slot for longer than it should need. */
  readonly stale: boolean;
  /** When it last asked anything; null: not within memory. */
  readonly lastSeen: number | null;
}

/** One id that was refused and has not been granted since. */
export interface WaiterStatus {
  readonly id: string;
  readonly since: number;
  readonly lastAsked: number;
  /** Its request is being held and is answered the moment a slot is free. */
  readonly connected: boolean;
}
