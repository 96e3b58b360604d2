import type { LockOptions } from '../api.ts';
import type { Exchange } from './exchange.ts';

/**
 * A request that may be kept waiting. Aborted when its connection is gone; a grant that could not be delivered is taken
 * back.
 */
export class Held implements LockOptions {
  readonly waitMs: number;
  readonly #aborter = new AbortController();
  readonly #takeBack: () => void;
  readonly #release: () => void;
  #stage: 'waiting' | 'gone' | 'granted' | 'over' = 'waiting';

  constructor(exchange: Exchange, waitMs: number, takeBack: () => void) {
    this.waitMs = waitMs;
    this.#takeBack = takeBack;
    const { whenClosed } = exchange.connection;
    const gone = (): void => this.#gone();
    const release = exchange.hold();
    this.#release = () => {
      release();
      // Delivered, as far as can be known: the answer was handed to the kernel.
      exchange.response.once('finish', () => whenClosed.delete(gone));
    };
    whenClosed.add(gone);
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  /** The manager has answered. Call it before the answer is sent. */
  end(isGranted: boolean): void {
    this.#release();
    if (this.#stage === 'waiting') this.#stage = isGranted ? 'granted' : 'over';
    else if (isGranted) this.#takeBack();
  }

  #gone(): void {
    const { signal } = this;
    if (this.#stage === 'granted') this.#takeBack();
    else if (this.#stage === 'waiting' && !signal.aborted) this.#aborter.abort();
    this.#stage = 'gone';
  }
}
