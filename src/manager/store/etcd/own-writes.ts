/** Revisions that are remembered: a watch is never further behind without having missed more than that. */
const MOST = 256;

/** The revisions that this process has written, by which a watch tells them from those of others. */
export class OwnWrites {
  readonly #revisions = new Set<number>();
  #writing: Promise<void> = Promise.resolve();

  /** A write begins; what is returned is to be called when it is over. */
  begin(): () => void {
    let done = (): void => undefined;
    this.#writing = new Promise((resolve) => (done = resolve));
    return done;
  }

  /** Resolves when no write is under way. */
  settled(): Promise<void> {
    return this.#writing;
  }

  add(revision: number): void {
    this.#revisions.add(revision);
    const [oldest] = this.#revisions;
    if (this.#revisions.size > MOST && oldest !== undefined) this.#revisions.delete(oldest);
  }

  has(revision: number): boolean {
    return this.#revisions.has(revision);
  }
}
