import { type Answer, refuse, type Refusal } from './answer.ts';

/** What a request is told that has waited in vain: ask again at once. */
export const WAITED_RETRY_MS = 1_000;

export const DRAINING: Refusal = refuse('draining', 'the lock manager is about to stop', 5_000);
export const CONFLICT: Refusal = refuse(
  'conflict',
  'too many changed the same at the same time; ask again',
  WAITED_RETRY_MS,
);
export const UNAVAILABLE: Refusal = refuse(
  'store_unavailable',
  'the store of the lock manager does not answer; nobody knows whether this was done',
  5_000,
);
/** It does not pass by itself: slots must be given back, or the group be split. */
const OUTGROWN_RETRY_MS = 300_000;

/** What it is told whose change alone is more than a transaction of the store can hold. Null: of the fleet. */
export function outgrown(group: string | null, error: Error): Refusal {
  const what = group === null ? 'the fleet' : `group ${group}`;
  const text = `${what} has outgrown what one transaction of the store can hold (${error.message}): nothing was changed, and only what makes it smaller can be`;
  return refuse('store_unavailable', text, OUTGROWN_RETRY_MS);
}

/** Heard by nobody, and counted. */
export const GONE: Refusal = refuse('request_timeout', 'nobody is there any more to hear the answer', WAITED_RETRY_MS);

/** Refusals that pass by themselves, so that waiting makes sense. */
const PASSING: ReadonlySet<string> = new Set([
  'slots_full',
  'frozen',
  'outside_window',
  'not_your_turn',
  'halted',
  'blocked',
]);

/** Whether it makes sense to wait for a better answer. */
export function canWait(answer: Answer): answer is Refusal {
  return !answer.ok && PASSING.has(answer.kind);
}

/** Whether nobody knows what came of it. */
export function isUndecided(answer: Answer): boolean {
  return !answer.ok && (answer.kind === 'store_unavailable' || answer.kind === 'conflict');
}
