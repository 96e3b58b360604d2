/** Since when free slots are held open for somebody who comes first, by group. In memory: losing it costs one poll. */
export class HeldOpen {
  readonly #since = new Map<string, number>();

  /** Since when, in ms since 1970, or null. The clock may have gone back since then: the time begins again at `now`. */
  since(group: string, now: number): number | null {
    const since = this.#since.get(group);
    if (since === undefined) return null;
    if (since > now) this.#since.set(group, now);
    return Math.min(since, now);
  }

  /** Takes over what decisions say: since when, or (null) no longer. */
  note(changes: ReadonlyMap<string, number | null>): void {
    for (const [group, since] of changes) {
      if (since === null) this.#since.delete(group);
      else this.#since.set(group, since);
    }
  }
}
