/** Time as the service lives in it; simulations pass their own. */
export interface Time {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Calls back once after some milliseconds; returns the way to stop. */
  readonly after: (ms: number, callback: () => void) => () => void;
}

/** The longest that a timer of Node's takes. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls back again and again. Returns the way to stop. */
export function every(time: Time, ms: number, run: () => void): () => void {
  let stop = time.after(ms, again);
  let isOver = false;
  function again(): void {
    run();
    if (!isOver) stop = time.after(ms, again);
  }
  return () => {
    isOver = true;
    stop();
  };
}

/** One moment at which something rings. */
export class Alarm {
  readonly #time: Time;
  readonly #ring: () => void;
  #at: number | null = null;
  #stop: () => void = () => undefined;

  constructor(time: Time, ring: () => void) {
    this.#time = time;
    this.#ring = ring;
  }

  /** Rings at a moment, in ms since 1970, instead of any other; Infinity: does not. Not before `soonestMs` from now. */
  set(at: number, soonestMs: number): void {
    if (at === this.#at) return;
    this.clear();
    if (!Number.isFinite(at)) return;
    this.#at = at;
    const ms = Math.min(Math.max(at - this.#time.now(), soonestMs), LONGEST_TIMER_MS);
    this.#stop = this.#time.after(ms, () => {
      this.#at = null;
      this.#ring();
    });
  }

  clear(): void {
    this.#stop();
    this.#at = null;
  }
}
