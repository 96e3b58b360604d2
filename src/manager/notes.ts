import type { Sights } from './sights.ts';
import { type Store, StoreError } from './store/store.ts';

/** What notes of sights need. */
export interface NotesOptions {
  readonly store: Pick<Store, 'readNote' | 'writeNote'>;
  readonly sights: Sights;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onFailure: (error: StoreError) => void;
}

/** Keeps what was heard beyond the end of the process, merged with what other replicas keep. It may be lost. */
export class Notes {
  readonly #options: NotesOptions;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: NotesOptions) {
    this.#options = options;
  }

  /** Reads what was kept of a group that there is. Rejects with a `StoreError`. */
  async recall(group: string): Promise<void> {
    const { store, sights, now } = this.#options;
    const text = await store.readNote(nameOf(group));
    if (text !== null) sights.merge(group, text, now());
  }

  /** Takes over what others have kept of a group. False: the store does not answer. */
  async merge(group: string): Promise<boolean> {
    try {
      await this.recall(group);
      return true;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#options.onFailure(error);
      return false;
    }
  }

  /** Writes what is new, one group after another. Never rejects for a reason of the store. */
  keep(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#keepAll());
    return this.#writing;
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  async #keepAll(): Promise<void> {
    const { sights, onFailure } = this.#options;
    for (const group of sights.groups()) {
      if (sights.of(group)?.dirty !== true) continue;
      try {
        await this.#keep(group);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        // A note that is too large is lost, as any may be: the store is as well as before.
        if (error.kind === 'too-large') continue;
        onFailure(error);
        // The others would wait for the same store, one after another.
        return;
      }
    }
  }

  async #keep(group: string): Promise<void> {
    const { store, sights, now } = this.#options;
    await this.recall(group);
    const text = sights.dump(group, now());
    if (text === null) return;
    try {
      await store.writeNote(nameOf(group), text);
    } catch (error) {
      sights.of(group)?.notWritten();
      throw error;
    }
  }
}

function nameOf(group: string): string {
  return `seen/${group}`;
}
