import type { HostState } from './api.ts';

interface Waiter {
  readonly check: (state: HostState) => boolean;
  readonly resolve: (state: HostState) => void;
  readonly reject: (error: Error) => void;
}

/** Those who wait for a host to be in some state. */
export class Waiters {
  private readonly waiting = new Set<Waiter>();
  private ended: Error | null = null;

  /** Resolves with the first state, told from now on, that satisfies `check`. */
  wait(check: (state: HostState) => boolean): Promise<HostState> {
    if (this.ended !== null) return Promise.reject(this.ended);
    const found = new Promise<HostState>((resolve, reject) => this.waiting.add({ check, resolve, reject }));
    // Who waits in vain, and has stopped listening, is not to end the process.
    found.catch(() => undefined);
    return found;
  }

  tell(state: HostState): void {
    for (const waiter of [...this.waiting].filter(({ check }) => check(state))) {
      this.waiting.delete(waiter);
      waiter.resolve(state);
    }
  }

  /** Rejects everybody, now and from now on. */
  end(error: Error): void {
    this.ended = error;
    for (const { reject } of this.waiting) reject(error);
    this.waiting.clear();
  }
}
