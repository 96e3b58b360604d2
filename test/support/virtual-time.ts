import type { Time } from '../../src/manager/time.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that passes only when a test says so. What runs at once (promises, immediates) runs between its steps. */
export class VirtualTime implements Time {
  #now: number;
  /** By which the clock differs from the time that timers run by. */
  #offset = 0;
  readonly #timers = new Set<Timer>();

  constructor(start = 1_700_000_000_000) {
    this.#now = start;
  }

  readonly now = (): number => this.#now + this.#offset;

  /** Somebody sets the clock. Timers that run do not see it. */
  set(wall: number): void {
    this.#offset = wall - this.#now;
  }

  readonly after = (ms: number, callback: () => void): (() => void) => {
    const timer = { at: this.#now + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /** Lets what is under way come to rest. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets time pass, from one timer to the next. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.settle();
    for (let next = this.#due(end); next !== null; next = this.#due(end)) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await this.settle();
    }
    this.#now = end;
  }

  /** Lets time pass until something holds, at most so long. */
  async until(holds: () => boolean, mostMs: number): Promise<void> {
    const end = this.#now + mostMs;
    await this.settle();
    while (!holds()) {
      const next = this.#due(end);
      if (next === null) throw new Error('it did not come about in time');
      await this.pass(next.at - this.#now);
    }
  }

  #due(end: number): Timer | null {
    let first: Timer | null = null;
    for (const timer of this.#timers) if (timer.at <= end && (first === null || timer.at < first.at)) first = timer;
    return first;
  }
}
