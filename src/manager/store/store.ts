import type { AuditDraft, AuditRecord, FleetDocument, GroupDocument } from '../document.ts';

/** What a store knows of a group. */
export type GroupEntry =
  | {
      readonly kind: 'good';
      readonly document: GroupDocument;
      /**
       * Changes by another program beside us that the document shows and that are not on record yet. They are written
       * with the next change of the group.
       */
      readonly found: readonly AuditDraft[];
    }
  /** What is stored for it cannot be read: its requests fail, and it is left as it is. `problem` says where and why. */
  | { readonly kind: 'corrupt'; readonly problem: string };

/** Everything that decisions are made from, as of one moment. */
export interface FleetState {
  readonly groups: ReadonlyMap<string, GroupEntry>;
  readonly fleet: FleetDocument;
}

/** What one transaction writes: whole documents, and a record of each change in them. */
export interface Change {
  readonly groups: ReadonlyMap<string, GroupDocument>;
  /** Left out: as it is. */
  readonly fleet?: FleetDocument;
  /** At least one record for each document that is written. */
  readonly audit: readonly AuditDraft[];
}

/** A part of the history. */
export interface HistoryQuery {
  /** Only records of this group (and of all groups at once); left out: everything. */
  readonly group?: string;
  readonly id?: string;
  /** At most so many, the newest; 1 or more. */
  readonly most: number;
}

/** How a store is. */
export interface StoreHealth {
  /** Why it cannot be used at the moment, or null. */
  readonly problem: string | null;
  /** What an operator should see to before it becomes a problem: an alarm, a size near its limit, a lost member. */
  readonly warnings: readonly string[];
}

/**
 * Where the state of a fleet is kept. It has one user, who does one thing at a time: `refresh` and `commit` are never
 * called while one of them is under way.
 */
export interface Store {
  /** As it was last read or written. A new object if and only if something has changed. */
  readonly state: FleetState;

  /**
   * Makes sure that `state` was current, at a moment between call and return, as far as these groups and the fleet are
   * concerned. At most `mostGroups` of them. Rejects with a `StoreError`.
   */
  refresh(groups: readonly string[]): Promise<void>;

  /**
   * Writes a change in one transaction and durably, unless anything in the fleet's state has changed since `state` was
   * read: then it writes nothing, `state` is the new one, and the answer is `conflict`. `groups` names all groups that
   * the change was decided from, also those that it does not write. Rejects with a `StoreError`.
   */
  commit(change: Change, groups: readonly string[]): Promise<'committed' | 'conflict'>;

  /** How many groups one `refresh` or `commit` may concern. */
  readonly mostGroups: number;

  /** Records, oldest first. Rejects with a `StoreError`. */
  history(query: HistoryQuery): Promise<readonly AuditRecord[]>;

  /** Calls `handler` when somebody else may have changed the state. Returns the way to stop. */
  watch(handler: () => void): () => void;

  /** Small texts that may be lost, outside of every comparison: waiters and last sights. Null: there is none. */
  readNote(name: string): Promise<string | null>;
  /** At most 512 KiB. The last writer wins. */
  writeNote(name: string, text: string): Promise<void>;

  health(): Promise<StoreHealth>;

  close(): Promise<void>;
}

/** The bounds of the audit. Both are kept with every write. */
export interface AuditBounds {
  readonly mostRecords: number;
  /** Milliseconds. */
  readonly longestMs: number;
}

/** Why a store did not do what it was asked for. */
export class StoreError extends Error {
  /**
   * - `unavailable`: it was not done.
   * - `ambiguous`: nobody knows; `refresh` tells.
   * - `too-large`: this change is more than one transaction can hold: split it.
   * - `broken`: it cannot be used at all as it is (corrupt, not permitted, switched off); for people.
   */
  readonly kind: 'unavailable' | 'ambiguous' | 'too-large' | 'broken';

  constructor(kind: StoreError['kind'], text: string, options?: ErrorOptions) {
    super(text, options);
    this.kind = kind;
  }
}

/** Another process has the store open, which only one can. It may be gone in a moment. */
export class StoreInUse extends StoreError {
  constructor(text: string, options?: ErrorOptions) {
    super('broken', text, options);
  }
}
