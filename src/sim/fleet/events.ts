import type { ClimbEvent } from '../climber.ts';

/** Where a lock manager keeps its state. */
export type StoreKind = 'embedded' | 'etcd';

/** Something that happened to one host of a fleet; the lock manager's own words have it as their host. */
export type HostEvent = { readonly host: string } & (
  | ClimbEvent
  /** The lock manager has granted this host a slot, or has got it back. */
  | { readonly event: 'slot'; readonly action: string }
  /** The host goes down, or is steady again; `down`: how many are down from now on. */
  | { readonly event: 'down' | 'steady'; readonly down: number }
  /** There is nothing newer for this host. */
  | { readonly event: 'arrived'; readonly version: string; readonly reboots: number }
);

/** What a fleet is to climb. */
export interface FleetPlan {
  readonly hosts: readonly string[];
  readonly slots: number;
  readonly store: StoreKind;
  /** The release to begin with, the newest one that can be reached, and how many hops lie between. */
  readonly from: string;
  readonly to: string;
  readonly hops: number;
}

/** How it went. */
export interface FleetResult {
  /** The release that all hosts run at the end. */
  readonly to: string;
  /** Of all hosts together. */
  readonly reboots: number;
  /** The most hosts that were down at once; never more than there are slots. */
  readonly most: number;
  /** Milliseconds from a slot that was given back, while others waited, to the next reboot: the median. Null: nobody waited. */
  readonly gapMs: number | null;
  /** Of how many such moments. */
  readonly gaps: number;
}

/** Everything that a demo of a fleet shows. */
export type FleetEvent =
  | HostEvent
  | ({ readonly event: 'start' } & FleetPlan)
  | ({ readonly event: 'end'; readonly ok: true; readonly from: string } & FleetResult)
  | { readonly event: 'end'; readonly ok: false; readonly error: string };
