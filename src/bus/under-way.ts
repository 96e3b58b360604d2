import { BusError } from './api.ts';
import type { NameOwners } from './owners.ts';

const ERROR = 'org.freedesktop.DBus.Error';

/** Calls that may be under way at once: of one caller, and of all together. */
const MAX_OF_ONE = 16;
const MAX_BUSY = 128;
/** As many of all are kept for callers who have none under way, so that those who have many leave room for others. */
const RESERVED = 16;

interface Caller {
  readonly calls: Set<AbortController>;
  readonly release: () => void;
}

/** The calls of others that are not answered yet: so many of each, and none of those who have left the bus. */
export class CallsUnderWay {
  readonly #callers = new Map<string, Caller>();
  readonly #owners: NameOwners;
  #busy = 0;

  constructor(owners: NameOwners) {
    this.#owners = owners;
  }

  /**
   * Does the work of a call of `sender`; `gone` tells it that nobody waits for the answer any more. Rejects with
   * `BusError`: LimitsExceeded, without doing it, and NoReply as soon as the caller has left.
   */
  async run<T>(sender: string, work: (gone: AbortSignal) => T | Promise<T>): Promise<T> {
    const of = this.#callers.get(sender)?.calls.size ?? 0;
    const most = of === 0 ? MAX_BUSY : MAX_BUSY - RESERVED;
    if (of >= MAX_OF_ONE || this.#busy >= most) throw new BusError(`${ERROR}.LimitsExceeded`, 'too many calls at once');
    const call = new AbortController();
    const left = new Promise<never>((_, reject) => {
      const gone = new BusError(`${ERROR}.NoReply`, 'the caller has left the bus');
      call.signal.addEventListener('abort', () => reject(gone), { once: true });
    });
    this.#enter(sender, call);
    try {
      return await Promise.race([left, work(call.signal)]);
    } finally {
      this.#leave(sender, call);
    }
  }

  #enter(sender: string, call: AbortController): void {
    this.#busy += 1;
    const known = this.#callers.get(sender);
    if (known !== undefined) {
      known.calls.add(call);
      return;
    }
    const calls = new Set([call]);
    const release = this.#owners.follow(sender, (owner) => {
      if (owner === null) for (const one of calls) one.abort();
    });
    this.#callers.set(sender, { calls, release });
  }

  #leave(sender: string, call: AbortController): void {
    this.#busy -= 1;
    const caller = this.#callers.get(sender);
    caller?.calls.delete(call);
    if (caller?.calls.size !== 0) return;
    caller.release();
    this.#callers.delete(sender);
  }

  /** The connection is lost, and with it all who called. */
  forget(): void {
    for (const { calls } of this.#callers.values()) for (const call of calls) call.abort();
  }
}
