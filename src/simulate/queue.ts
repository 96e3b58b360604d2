/** Things that are to happen, each at its moment; what was put in first comes first. */
export class Queue<T> {
  /** Ascending. There are a handful at most. */
  #entries: { readonly at: number; readonly what: T }[] = [];

  /** The moment of the first; null where there is none. */
  get next(): number | null {
    return this.#entries[0]?.at ?? null;
  }

  put(at: number, what: T): void {
    const after = this.#entries.findIndex((entry) => entry.at > at);
    this.#entries.splice(after < 0 ? this.#entries.length : after, 0, { at, what });
  }

  take(): T | undefined {
    return this.#entries.shift()?.what;
  }

  /** Takes out whatever is not wanted any more. */
  remove(isUnwanted: (what: T) => boolean): void {
    this.#entries = this.#entries.filter(({ what }) => !isUnwanted(what));
  }
}
