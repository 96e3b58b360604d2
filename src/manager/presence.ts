import type { Waiter } from './order.ts';

/** Milliseconds for which an id counts as part of the fleet after it was heard of. */
export const SEEN_MS = 90 * 24 * 3_600_000;
/** Milliseconds after which somebody who was refused and did not ask again no longer waits. */
const GONE_MS = 3_600_000;
/** Ids of a group that are remembered; beyond it the one not heard of for the longest time is forgotten. */
export const MOST_IDS = 10_000;
const HOUR_MS = 3_600_000;

interface Wait {
  readonly since: number;
  /** When it was refused last. */
  readonly asked: number;
}

/**
 * Who was heard of in one group, and who waits. May be lost: an id that is not known is new, and waits from then on.
 */
export class Presence {
  /** Milliseconds since 1970 by id, in the order in which they were last heard of, the latest last. */
  readonly #seen = new Map<string, number>();
  /** Some of the same ids. */
  readonly #waits = new Map<string, Wait>();
  /** What is to be written differs from what was. */
  #dirty = false;

  /** True when there is something to write. */
  get dirty(): boolean {
    return this.#dirty;
  }

  /** When an id was last heard of, or null. */
  lastSeen(id: string): number | null {
    return this.#seen.get(id) ?? null;
  }

  /** Ids heard of in the last 90 days. */
  count(now: number): number {
    this.#forget(now);
    return this.#seen.size;
  }

  /** An id asked something, and is not waiting for a slot (any more). */
  heard(id: string, now: number): void {
    this.#see(id, now);
    if (this.#waits.delete(id)) this.#dirty = true;
  }

  /** An id asked for a slot and was refused. */
  refused(id: string, now: number): void {
    this.#see(id, now);
    const since = this.waitingSince(id, now);
    this.#dirty ||= since === null;
    this.#waits.set(id, { since: since ?? now, asked: now });
  }

  /** Since when an id has been waiting, or null. */
  waitingSince(id: string, now: number): number | null {
    const wait = this.#waits.get(id);
    return wait !== undefined && now - wait.asked <= GONE_MS ? wait.since : null;
  }

  /** Who was refused lately and did not get a slot since; `connected` says whose request is being held. */
  waiters(now: number, connected: (id: string) => boolean): readonly Waiter[] {
    const waiters: Waiter[] = [];
    for (const [id, { since, asked }] of this.#waits) {
      const isConnected = connected(id);
      if (isConnected || now - asked <= GONE_MS) waiters.push({ id, since, lastAsked: asked, connected: isConnected });
      else this.#waits.delete(id);
    }
    return waiters;
  }

  /** What is to be kept, as text; takes it for written. Seconds, to save room. */
  dump(now: number): string {
    this.#forget(now);
    this.#dirty = false;
    const ids = [...this.#seen].map(([id, seen]) => {
      const wait = this.#waits.get(id);
      const times = wait === undefined ? [seen] : [seen, wait.since, wait.asked];
      return [id, ...times.map((ms) => Math.floor(ms / 1000))];
    });
    return JSON.stringify({ layout: 1, ids });
  }

  /** Adds what was kept, also by another replica. What is not understood is left out: it may be lost. */
  merge(text: string): void {
    for (const { id, seen, wait } of parse(text)) {
      if (seen <= (this.#seen.get(id) ?? -1)) continue;
      this.#seen.set(id, seen);
      if (wait === null) this.#waits.delete(id);
      else this.#waits.set(id, wait);
    }
    const sorted = [...this.#seen].toSorted(([, a], [, b]) => a - b);
    this.#seen.clear();
    for (const [id, seen] of sorted) this.#seen.set(id, seen);
    this.#trim();
  }

  /** A mere sight is worth writing once an hour: they are counted in days. */
  #see(id: string, now: number): void {
    const before = this.#seen.get(id);
    this.#dirty ||= before === undefined || hourOf(now) !== hourOf(before);
    this.#seen.delete(id);
    this.#seen.set(id, now);
    this.#trim();
  }

  #trim(): void {
    for (const id of this.#seen.keys()) {
      if (this.#seen.size <= MOST_IDS) return;
      this.#drop(id);
    }
  }

  #forget(now: number): void {
    for (const [id, seen] of this.#seen) {
      if (now - seen <= SEEN_MS) return;
      this.#drop(id);
    }
  }

  #drop(id: string): void {
    this.#seen.delete(id);
    this.#waits.delete(id);
  }
}

function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS);
}

interface Kept {
  readonly id: string;
  readonly seen: number;
  readonly wait: Wait | null;
}

function parse(text: string): readonly Kept[] {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return [];
  }
  const ids = typeof root === 'object' && root !== null && 'ids' in root && Array.isArray(root.ids) ? root.ids : [];
  return ids.flatMap(parseEntry);
}

function parseEntry(entry: unknown): readonly Kept[] {
  if (!Array.isArray(entry)) return [];
  const [id, ...times] = entry as readonly unknown[];
  if (typeof id !== 'string' || id === '' || !times.every((time) => Number.isFinite(time))) return [];
  const [seen, since, asked] = (times as number[]).map((seconds) => seconds * 1000);
  if (seen === undefined) return [];
  return [{ id, seen, wait: since === undefined || asked === undefined ? null : { since, asked } }];
}
