/** What is to be undone at the end, whatever happens. */
export class Cleanup {
  readonly #steps: (() => Promise<void> | void)[] = [];

  /** Adds something to undo. */
  add(step: () => Promise<void> | void): void {
    this.#steps.push(step);
  }

  /** Undoes everything, the last first; goes on after a failure, and rejects with the first one. */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
