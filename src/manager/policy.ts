import type { Precedence } from './order.ts';
import type { Rules } from './semaphore.ts';

/** Everything that the configuration says about one group and that a decision needs. */
export interface GroupPolicy {
  readonly rules: Rules;
  readonly precedence: Precedence;
  readonly slots: SlotCount;
}

/** How many slots a group is to have. */
export type SlotCount =
  | { readonly kind: 'count'; readonly count: number }
  /** Of the ids seen in 90 days, rounded down, 1 to `max`. */
  | { readonly kind: 'percent'; readonly percent: number; readonly max: number };

/** The number of slots for a fleet of so many ids. */
export function slotsFor(slots: SlotCount, seen: number): number {
  if (slots.kind === 'count') return slots.count;
  return Math.min(slots.max, Math.max(1, Math.floor((seen * slots.percent) / 100)));
}

/** A slot count as it is written in the configuration. */
export function slotText(slots: SlotCount): string {
  return slots.kind === 'count' ? String(slots.count) : `${slots.percent}%`;
}
