import { type Scenery, wayUp } from '../scenery.ts';
import type { FleetPlan, StoreKind } from './events.ts';

/** The fleet as it is asked for. */
export interface FleetWish {
  /** 1 or more. */
  readonly hosts: number;
  /** 1 to `hosts`. */
  readonly slots: number;
  readonly store: StoreKind;
}

/** Names the hosts, and looks up how far they will get. */
export function planFleet(scenery: Scenery, { hosts, slots, store }: FleetWish): FleetPlan {
  const way = wayUp(scenery);
  const names = Array.from({ length: hosts }, (_, index) => `host-${index + 1}`);
  return { hosts: names, slots, store, from: scenery.from, to: way.at(-1) ?? scenery.from, hops: way.length };
}
