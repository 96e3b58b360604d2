import { type NameFlags, type NameState, NOT_CONNECTED } from './api.ts';
import type { AskBus } from './driver.ts';
import { once } from './rules.ts';

/** Flags of `RequestName` (D-Bus specification). */
const FLAG = { allowReplacement: 1, replaceExisting: 2, doNotQueue: 4 } as const;

/** Replies of `RequestName`: 1 the name is ours now, 4 it was already; 2 in the queue, 3 somebody else has it. */
const OURS: readonly unknown[] = [1, 4];

const TAKEN: NameState = { owned: false, reason: 'another connection owns the name' };

interface Entry {
  readonly flags: number;
  readonly handler: (state: NameState) => void;
  /** Why the name is not ours, as the handler was told last; null: it is; undefined: nothing was said yet. */
  told: string | null | undefined;
}

/** The bus names that we ask for. */
export class OwnNames {
  readonly #entries = new Map<string, Entry>();
  readonly #ask: AskBus;

  constructor(ask: AskBus) {
    this.#ask = ask;
  }

  /** Asks for a name until the returned function is called. Throws when it is asked for already. */
  request(name: string, flags: NameFlags, handler: (state: NameState) => void): () => void {
    if (this.#entries.has(name)) throw new TypeError(`the bus name ${name} is asked for already`);
    const entry: Entry = { flags: encodeFlags(flags), handler, told: undefined };
    this.#entries.set(name, entry);
    this.#request(name, entry);
    return once(() => {
      this.#entries.delete(name);
      this.#ask('ReleaseName', 's', [name]);
    });
  }

  #request(name: string, entry: Entry): void {
    this.#ask(
      'RequestName',
      'su',
      [name, entry.flags],
      ([reply]) => this.#tell(name, entry, OURS.includes(reply) ? { owned: true } : TAKEN),
      (error) => this.#tell(name, entry, { owned: false, reason: error.message }),
    );
  }

  /** Both the reply and a signal tell of the same change. */
  #tell(name: string, entry: Entry, state: NameState): void {
    const told = state.owned ? null : state.reason;
    if (this.#entries.get(name) !== entry || entry.told === told) return;
    entry.told = told;
    entry.handler(state);
  }

  /** Takes note of `NameAcquired` and `NameLost`. */
  changed(name: string, owned: boolean): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined) this.#tell(name, entry, owned ? { owned } : TAKEN);
  }

  /** The connection is lost, and with it all names. */
  forget(): void {
    for (const [name, entry] of this.#entries) this.#tell(name, entry, { owned: false, reason: NOT_CONNECTED });
  }

  /** Asks for all names again, on a new connection. */
  renew(): void {
    for (const [name, entry] of this.#entries) this.#request(name, entry);
  }
}

function encodeFlags(flags: NameFlags): number {
  return (
    (flags.allowReplacement === true ? FLAG.allowReplacement : 0) |
    (flags.replaceExisting === true ? FLAG.replaceExisting : 0) |
    (flags.queue === true ? 0 : FLAG.doNotQueue)
  );
}
