import type { Waiter } from './order.ts';

/** Milliseconds for which an id counts as part of the fleet after it was heard of. */
export const SEEN_MS = 90 * 24 * 3_600_000;
/** Milliseconds after which somebody who was refused and did not ask again no longer waits. */
const GONE_MS = 3_600_000;
/** Ids of a group that are remembered; beyond it the one not heard of for the longest time is forgotten. */
export const MOST_IDS = 10_000;
const HOUR_MS = 3_600_000;

interface Sight {
  /** Milliseconds since 1970 at which the id was last heard of. */
  readonly seen: number;
  /** Since when it has been waiting; null: it is not. */
  readonly waiting: number | null;
  /** When it was refused last. */
  readonly asked: number;
}

/**
 * Who was heard of in one group, and who waits. May be lost: an id that is not known is new, and waits from then on.
 */
export class Presence {
  /** In the order in which they were last heard of, the latest last. */
  readonly #sights = new Map<string, Sight>();
  /** What is to be written differs from what was. */
  #dirty = false;

  /** True when there is something to write. */
  get dirty(): boolean {
    return this.#dirty;
  }

  /** When an id was last heard of, or null. */
  lastSeen(id: string): number | null {
    return this.#sights.get(id)?.seen ?? null;
  }

  /** Ids heard of in the last 90 days. */
  count(now: number): number {
    this.#forget(now);
    return this.#sights.size;
  }

  /** An id asked something, and is not waiting for a slot (any more). */
  heard(id: string, now: number): void {
    const before = this.#sights.get(id);
    this.#put(id, { seen: now, waiting: null, asked: 0 }, (before?.waiting ?? null) !== null);
  }

  /** An id asked for a slot and was refused. */
  refused(id: string, now: number): void {
    const waiting = this.waitingSince(id, now) ?? now;
    this.#put(id, { seen: now, waiting, asked: now }, this.#sights.get(id)?.waiting !== waiting);
  }

  /** Since when an id has been waiting, or null. */
  waitingSince(id: string, now: number): number | null {
    const sight = this.#sights.get(id);
    return sight !== undefined && now - sight.asked <= GONE_MS ? sight.waiting : null;
  }

  /** Who was refused lately and did not get a slot since; `connected` says whose request is being held. */
  waiters(now: number, connected: (id: string) => boolean): readonly Waiter[] {
    const waiters: Waiter[] = [];
    for (const [id, { waiting, asked }] of this.#sights) {
      const isConnected = waiting !== null && connected(id);
      if (waiting === null || (!isConnected && now - asked > GONE_MS)) continue;
      waiters.push({ id, since: waiting, lastAsked: asked, connected: isConnected });
    }
    return waiters;
  }

  /** What is to be kept, as text; takes it for written. Seconds, to save room. */
  dump(now: number): string {
    this.#forget(now);
    this.#dirty = false;
    const ids = [...this.#sights].map(([id, { seen, waiting, asked }]) => {
      const [first, ...rest] = [seen, ...(waiting === null ? [] : [waiting, asked])].map((ms) => Math.floor(ms / 1000));
      return [id, first, ...rest];
    });
    return JSON.stringify({ layout: 1, ids });
  }

  /** Adds what was kept, also by another replica. What is not understood is left out: it may be lost. */
  merge(text: string): void {
    for (const { id, sight } of parse(text)) {
      const mine = this.#sights.get(id);
      if (mine === undefined) this.#sights.set(id, sight);
      else if (sight.seen > mine.seen) this.#sights.set(id, sight);
    }
    const sorted = [...this.#sights].toSorted(([, a], [, b]) => a.seen - b.seen);
    this.#sights.clear();
    for (const [id, sight] of sorted.slice(-MOST_IDS)) this.#sights.set(id, sight);
  }

  /** A mere sight is worth writing once an hour: they are counted in days. */
  #put(id: string, sight: Sight, matters: boolean): void {
    const before = this.#sights.get(id);
    this.#dirty ||= matters || before === undefined || hourOf(sight.seen) !== hourOf(before.seen);
    this.#sights.delete(id);
    this.#sights.set(id, sight);
    if (this.#sights.size > MOST_IDS) for (const oldest of this.#sights.keys()) return void this.#sights.delete(oldest);
  }

  #forget(now: number): void {
    for (const [id, { seen }] of this.#sights) {
      if (now - seen <= SEEN_MS) return;
      this.#sights.delete(id);
    }
  }
}

function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS);
}

function parse(text: string): readonly { id: string; sight: Sight }[] {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return [];
  }
  const ids = typeof root === 'object' && root !== null && 'ids' in root && Array.isArray(root.ids) ? root.ids : [];
  return ids.flatMap((entry: unknown) => {
    if (!Array.isArray(entry)) return [];
    const [id, ...times] = entry as readonly unknown[];
    if (typeof id !== 'string' || id === '' || !times.every((time) => Number.isFinite(time))) return [];
    const [seen, waiting, asked] = (times as number[]).map((seconds) => seconds * 1000);
    if (seen === undefined) return [];
    return [{ id, sight: { seen, waiting: waiting ?? null, asked: asked ?? 0 } }];
  });
}
