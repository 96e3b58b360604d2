/** Looks at everything that there is, one after the other. Who asks before a look has begun shares it. */
export class Looks {
  readonly #run: () => Promise<void>;
  /** The one that was asked for last, and the one that has not begun. */
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(run: () => Promise<void>) {
    this.#run = run;
  }

  /** A look that begins after this call. Rejects as the look does. */
  look(): Promise<void> {
    if (this.#next !== null) return this.#next;
    const look = this.#last
      .catch(() => undefined)
      .then(() => {
        this.#next = null;
        return this.#run();
      });
    this.#next = look;
    this.#last = look;
    return look;
  }
}
