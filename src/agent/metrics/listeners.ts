import type { Log } from '../../base/log.ts';
import { errorText } from '../../base/text.ts';
import { type Listener, type Place, listen, nameOf } from './listen.ts';
import type { Serve } from './serve.ts';

/** A place to listen, and what is done there. */
export interface Wanted {
  readonly place: Place;
  readonly serve: Serve;
}

/** The listeners that are open: brought in line with those that are wanted, one change after another. */
export class Listeners {
  readonly #log: Log;
  readonly #open = new Map<string, Listener>();
  /** What was said of a place that cannot be opened, until it can be. */
  readonly #said = new Map<string, string>();
  #work: Promise<void> = Promise.resolve();

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Opens what is wanted and not open, or cannot be reached any more, and closes what is not wanted. Resolves when that
   * is done; never rejects. What cannot be opened is logged once and tried again with the next call.
   */
  want(wanted: readonly Wanted[]): Promise<void> {
    this.#work = this.#work.then(() => this.#change(wanted));
    return this.#work;
  }

  async #change(wanted: readonly Wanted[]): Promise<void> {
    const names = new Set(wanted.map(({ place }) => nameOf(place)));
    for (const [name, listener] of this.#open) {
      if (names.has(name) && listener.isReachable()) continue;
      this.#open.delete(name);
      await listener.close();
    }
    for (const { place, serve } of wanted) {
      const name = nameOf(place);
      if (!this.#open.has(name)) await this.#try(name, place, serve);
    }
  }

  async #try(name: string, place: Place, serve: Serve): Promise<void> {
    try {
      this.#open.set(name, await listen(place, serve));
      this.#said.delete(name);
      this.#log.debug(`metrics on ${name}`);
    } catch (error) {
      const text = errorText(error);
      if (this.#said.get(name) !== text) this.#log.warn(text);
      this.#said.set(name, text);
    }
  }
}
