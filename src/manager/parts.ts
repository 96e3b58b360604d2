import type { Operation } from '../fleetlock/protocol.ts';
import type { Answer, Refusal } from './answer.ts';
import type { FleetStatus, GroupStatus } from './api.ts';
import type { AuditDraft } from './document.ts';
import type { GroupPolicy } from './policy.ts';
import type { Store, StoreError } from './store/store.ts';
import type { Time } from './time.ts';

/** What the configuration says, and may say anew at any time. */
export interface Policies {
  /** Null: there is no such group. `exists`: the store has a document of it. Asking makes none. */
  readonly of: (group: string, exists: boolean) => GroupPolicy | null;
  /** What a group would be that there is not; null: it may not be made beside so many others. */
  readonly onDemand: (group: string, others: number) => GroupPolicy | null;
  /** Groups with a table of their own, and the default group. */
  readonly configured: () => readonly string[];
  /** What window and gate of a group say at a moment; null: both are open. */
  readonly closed: (group: string, now: number) => Refusal | null;
  /** The same for a status: a gate that was not asked lately refuses nothing, since it is asked before it does. */
  readonly shown: (group: string, now: number) => Pick<GroupStatus, 'closed' | 'gate'>;
  /** When that may be different, in ms since 1970; null: nobody knows, or never. */
  readonly changesAt: (group: string, now: number) => number | null;
  /** Makes sure that `closed` rests on what is current; null: it does. Never rejects. */
  readonly prepare: (group: string) => Promise<void> | null;
}

/** What is told of what happens, for logs and metrics. */
export interface Witness {
  /** A change was written. */
  readonly changed: (audit: readonly AuditDraft[]) => void;
  readonly decided: (group: string, operation: Operation, answer: Answer) => void;
  /** A change did not fit into one transaction of the store, and was refused. Null: of the fleet. */
  readonly outgrown: (group: string | null, error: StoreError) => void;
  readonly stored: (operation: 'refresh' | 'commit', ms: number) => void;
  readonly storeFailed: (error: StoreError, since: number) => void;
  readonly storeRecovered: (since: number) => void;
  /** Requests cannot be decided at the moment; the words of the store, which are for operators. */
  readonly notReady: (problem: string) => void;
}

/** What the service is made of. */
export interface ServiceParts {
  readonly store: Store;
  readonly storeKind: FleetStatus['store']['kind'];
  readonly time: Time;
  readonly policies: Policies;
  readonly witness: Witness;
  /** Milliseconds within which a request gets its decision. */
  readonly decisionMs: number;
}
