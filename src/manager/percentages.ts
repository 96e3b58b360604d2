/** Looks in a row, one a minute, that must find a smaller number before it is written. */
const LOOKS = 60;

/**
 * When slot counts that are percentages are to be written. Of replicas each counts for itself: a larger number holds at
 * once, a smaller one only when it was found for an hour, since who is new at another replica may not be known here yet.
 */
export class Percentages {
  /** Looks in a row that found a smaller number. */
  readonly #smaller = new Map<string, number>();

  /** One look at a group that has `slots` and should have `wanted`. */
  look(group: string, slots: number, wanted: number): 'leave' | 'raise' | 'lower' {
    const found = wanted < slots ? (this.#smaller.get(group) ?? 0) + 1 : 0;
    if (found > 0 && found < LOOKS) this.#smaller.set(group, found);
    else this.#smaller.delete(group);
    if (wanted > slots) return 'raise';
    return found < LOOKS ? 'leave' : 'lower';
  }
}
