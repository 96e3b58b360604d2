import { duration } from '../base/text.ts';
import { refuse, type Refusal } from './answer.ts';

/** An id that was refused and may ask again. */
export interface Waiter {
  readonly id: string;
  /** Milliseconds since 1970 of its first refusal since it last held a slot. */
  readonly since: number;
  readonly lastAsked: number;
  /** Its request is held open. */
  readonly connected: boolean;
}

/** Whom the configuration wants served before others. */
export interface Precedence {
  /** Canaries. */
  readonly first: ReadonlySet<string>;
  /** Milliseconds by which somebody must have waited longer than another to come before him. */
  readonly overdueMs: number;
}

/** Milliseconds within which a stock client that waits asks again: it does so every 300 to 330 s. */
export const POLL_MS = 330_000;

/** The order in which requests that are there at the same time are served: canaries, then who has waited longest. */
export function byPrecedence({ first }: Precedence): (a: Pick<Waiter, 'id' | 'since'>, b: typeof a) => number {
  return (a, b) => rank(first, a.id) - rank(first, b.id) || a.since - b.since;
}

/** Of those who were refused, who may come before others although he is not here: he asked within the last poll. In order. */
export function expected(waiters: readonly Waiter[], precedence: Precedence, now: number): readonly Waiter[] {
  return waiters
    .filter(({ connected, lastAsked }) => !connected && now - lastAsked <= POLL_MS)
    .toSorted(byPrecedence(precedence));
}

/**
 * Who of them comes before the asker, so that a free slot is held open for him: a canary, or somebody who has waited very
 * much longer. Null when there is nobody. Only the first in order can be: the others come after him.
 */
export function whoComesFirst(
  asker: Pick<Waiter, 'id' | 'since'>,
  inOrder: readonly Waiter[],
  { first, overdueMs }: Precedence,
): Waiter | null {
  const other = inOrder.find(({ id }) => id !== asker.id);
  if (other === undefined) return null;
  const [mine, theirs] = [rank(first, asker.id), rank(first, other.id)];
  const comesFirst = theirs < mine || (theirs === mine && asker.since - other.since >= overdueMs);
  return comesFirst ? other : null;
}

/**
 * The refusal of somebody before whom another comes; null once the slot has been held open for one poll, `heldOpen`
 * being the moment when that began. Order bounds unfairness; it does not reserve.
 */
export function turnRefusal(other: Waiter, heldOpen: number, now: number): Refusal | null {
  // A moment that is still to come was read from a clock that has gone back since.
  const left = Math.min(heldOpen, now) + POLL_MS - now;
  if (left <= 0) return null;
  const waited = `has waited for ${duration(now - other.since)}`;
  const text = `a slot is free, but held open for somebody who comes first and ${waited}, for ${duration(left)} at most`;
  return refuse('not_your_turn', text, left);
}

function rank(first: ReadonlySet<string>, id: string): number {
  return first.has(id) ? 0 : 1;
}
