import type { Waiter } from './order.ts';
import { Presence } from './presence.ts';

/** Memory that the ids of all groups together may take, roughly, in bytes: some 100 000 of usual length. */
export const MOST_SIGHT_BYTES = 16 * 1024 * 1024;

/**
 * Who was heard of in which group. All groups share one bound; one that takes more than its part of it makes room first,
 * so that nobody who may ask in one group makes the others forget.
 */
export class Sights {
  readonly #presences = new Map<string, Presence>();
  readonly #isKept: (group: string, id: string) => boolean;
  readonly #mostBytes: number;
  #bytes = 0;

  /** `isKept`: ids that are forgotten last. */
  constructor(isKept: (group: string, id: string) => boolean, mostBytes: number = MOST_SIGHT_BYTES) {
    this.#isKept = isKept;
    this.#mostBytes = mostBytes;
  }

  /** Null: nothing was heard in this group. */
  of(group: string): Presence | null {
    return this.#presences.get(group) ?? null;
  }

  groups(): readonly string[] {
    return [...this.#presences.keys()];
  }

  /** An id asked something, and is not waiting for a slot (any more). Of groups that there are. */
  heard(group: string, id: string, now: number): void {
    this.#change(group, (presence) => presence.heard(id, now));
  }

  /** An id asked for a slot and was refused. Of groups that there are. */
  refused(group: string, id: string, now: number): void {
    this.#change(group, (presence) => presence.refused(id, now));
  }

  /** Takes over a note. Of groups that there are. */
  merge(group: string, text: string, now: number): void {
    this.#change(group, (presence) => presence.merge(text, now));
  }

  /** Ids of a group heard of in 90 days. */
  count(group: string, now: number): number {
    const presence = this.of(group);
    return presence === null ? 0 : this.#measured(presence, () => presence.count(now));
  }

  /** Who was refused in a group lately; `connected` says whose request is being held. */
  waiters(group: string, now: number, connected: (id: string) => boolean): readonly Waiter[] {
    const presence = this.of(group);
    return presence === null ? [] : this.#measured(presence, () => presence.waiters(now, connected));
  }

  /** What is to be kept of a group; null: nothing new. Takes it for written. */
  dump(group: string, now: number): string | null {
    const presence = this.of(group);
    return presence?.dirty === true ? this.#measured(presence, () => presence.dump(now)) : null;
  }

  #change(group: string, change: (presence: Presence) => void): void {
    let presence = this.#presences.get(group);
    if (presence === undefined) {
      presence = new Presence((id) => this.#isKept(group, id));
      this.#presences.set(group, presence);
    }
    const changed = presence;
    this.#measured(changed, () => change(changed));
    if (this.#bytes > this.#mostBytes) this.#makeRoom(changed);
  }

  #measured<T>(presence: Presence, run: () => T): T {
    const before = presence.bytes;
    const result = run();
    this.#bytes += presence.bytes - before;
    return result;
  }

  #makeRoom(grown: Presence): void {
    const share = this.#mostBytes / this.#presences.size;
    let next = grown;
    while (this.#bytes > this.#mostBytes) {
      if (next.bytes <= share) next = this.#largest();
      const [most, over] = [next, this.#bytes - this.#mostBytes];
      this.#measured(most, () => most.shrink(Math.max(Math.floor(share), most.bytes - over)));
    }
  }

  #largest(): Presence {
    return [...this.#presences.values()].reduce((a, b) => (a.bytes >= b.bytes ? a : b));
  }
}
