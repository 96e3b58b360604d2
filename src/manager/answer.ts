import type { RefusalKind } from '../fleetlock/protocol.ts';

/** What a request for a change was answered. */
export type Answer = Done | Refusal;

/** It is as the request wanted it to be. */
export interface Done {
  readonly ok: true;
  /**
   * `granted`, `confirmed`: the id holds a slot, now or since before. `released`, `soaking`, `not-held`: it does not, or
   * its slot is free at the end of the soak. `changed`, `unchanged`: of resize, freeze and thaw.
   */
  readonly outcome: 'granted' | 'confirmed' | 'released' | 'soaking' | 'not-held' | 'changed' | 'unchanged';
  /** For people, one sentence without a full stop. */
  readonly text: string;
}

/** It is not. */
export interface Refusal {
  readonly ok: false;
  readonly kind: RefusalKind;
  /** For people: what, why, until when. */
  readonly value: string;
  /** Milliseconds before which asking again is pointless, or null. */
  readonly retryAfterMs: number | null;
}

/** Makes a refusal. */
export function refuse(kind: RefusalKind, value: string, retryAfterMs: number | null = null): Refusal {
  return { ok: false, kind, value, retryAfterMs };
}

/** Says what was done, in words that are found when somebody reads them: hosts never do. */
export function done(outcome: Done['outcome'], words: () => string): Done {
  return new Worded(outcome, words);
}

class Worded implements Done {
  readonly ok = true;
  readonly outcome: Done['outcome'];
  readonly #words: () => string;

  constructor(outcome: Done['outcome'], words: () => string) {
    this.outcome = outcome;
    this.#words = words;
  }

  get text(): string {
    return this.#words();
  }
}
