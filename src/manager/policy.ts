import { emptyDocument, type GroupDocument } from './document.ts';
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
  | { readonly kind: 'percent'; readonly percent: number; readonly max: number }
  /** The configuration says nothing (any more): as many as there are. */
  | { readonly kind: 'as-is' };

/** The number of slots for a fleet of so many ids; null: whatever it is. */
export function slotsFor(slots: SlotCount, seen: number): number | null {
  switch (slots.kind) {
    case 'count':
      return slots.count;
    case 'percent':
      return Math.min(slots.max, Math.max(1, Math.floor((seen * slots.percent) / 100)));
    case 'as-is':
      return null;
  }
}

/** A slot count as it is written in the configuration; empty where that says nothing. */
export function slotText(slots: SlotCount): string {
  switch (slots.kind) {
    case 'count':
      return String(slots.count);
    case 'percent':
      return `${slots.percent}%`;
    case 'as-is':
      return '';
  }
}

/** A group that nobody has asked for yet. */
export function freshDocument({ slots }: GroupPolicy, seen: number): GroupDocument {
  return emptyDocument(slotsFor(slots, seen) ?? 0, slotText(slots));
}
