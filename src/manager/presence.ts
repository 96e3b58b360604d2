import type { Waiter } from './order.ts';

/** Milliseconds for which an id counts as part of the fleet after it was heard of. */
export const SEEN_MS = 90 * 24 * 3_600_000;
/** Milliseconds after which somebody who was refused and did not ask again no longer waits. */
const GONE_MS = 3_600_000;
/** Ids of a group that are remembered; beyond it the one not heard of for the longest time is forgotten. */
export const MOST_IDS = 10_000;
/** Bytes of a note. What does not fit is what was not heard of for the longest time. */
export const MOST_NOTE_BYTES = 500_000;
/** A note that is shorter has room for everybody. */
const NEARLY_FULL_BYTES = 0.9 * MOST_NOTE_BYTES;
/** Bytes that an id takes beside its own, and those of a wait. Roughly: they bound memory, they do not measure it. */
const [ID_BYTES, WAIT_BYTES] = [96, 96];
const HOUR_MS = 3_600_000;

interface Wait {
  readonly since: number;
  /** When it was refused last. */
  readonly asked: number;
}

/**
 * Who was heard of in one group, and who waits. May be lost: an id that is not known is new, and waits from then on. A
 * moment that is still to come was read from a clock that has gone back since, and is taken for now.
 */
export class Presence {
  /** Milliseconds since 1970 by id, in the order in which they were last heard of, the latest last. */
  readonly #seen = new Map<string, number>();
  /** Some of the same ids. */
  readonly #waits = new Map<string, Wait>();
  readonly #isKept: (id: string) => boolean;
  #bytes = 0;
  /** What is to be written differs from what was. */
  #dirty = false;

  /** `isKept`: ids that are forgotten last. */
  constructor(isKept: (id: string) => boolean = nobody) {
    this.#isKept = isKept;
  }

  /** True when there is something to write. */
  get dirty(): boolean {
    return this.#dirty;
  }

  /** How much memory it takes, roughly. */
  get bytes(): number {
    return this.#bytes;
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
    if (this.#endWait(id)) this.#dirty = true;
    this.#see(id, now);
    this.#trim(MOST_IDS, Infinity);
  }

  /** An id asked for a slot and was refused. */
  refused(id: string, now: number): void {
    const since = this.waitingSince(id, now);
    this.#dirty ||= since === null;
    this.#see(id, now);
    this.#wait(id, { since: since ?? now, asked: now });
    this.#trim(MOST_IDS, Infinity);
  }

  /** Since when an id has been waiting, or null. */
  waitingSince(id: string, now: number): number | null {
    const wait = this.#waits.get(id);
    return wait !== undefined && now - wait.asked <= GONE_MS ? Math.min(wait.since, now) : null;
  }

  /** Who was refused lately and did not get a slot since; `connected` says whose request is being held. */
  waiters(now: number, connected: (id: string) => boolean): readonly Waiter[] {
    const waiters: Waiter[] = [];
    for (const [id, wait] of this.#waits) {
      const { since, asked } = wait.asked > now ? this.#setBack(id, wait, now) : wait;
      const isConnected = connected(id);
      if (isConnected || now - asked <= GONE_MS) waiters.push({ id, since, lastAsked: asked, connected: isConnected });
      else this.#endWait(id);
    }
    return waiters;
  }

  /** Forgets who was not heard of for the longest time until it takes no more than so much memory. */
  shrink(bytes: number): void {
    this.#trim(MOST_IDS, bytes);
  }

  /** What is to be kept, as text of `MOST_NOTE_BYTES` at most; takes it for written. Seconds, to save room. */
  dump(now: number): string {
    this.#forget(now);
    this.#dirty = false;
    const entries: string[] = [];
    let bytes = FRAME.length;
    for (const [id, seen] of [...this.#seen].toReversed()) {
      const wait = this.#waits.get(id);
      const times = wait === undefined ? [seen] : [seen, wait.since, wait.asked];
      const entry = JSON.stringify([id, ...times.map((ms) => Math.floor(Math.min(ms, now) / 1000))]);
      bytes += Buffer.byteLength(entry) + 1;
      if (bytes > MOST_NOTE_BYTES) break;
      entries.push(entry);
    }
    return FRAME.replace('[]', () => `[${entries.toReversed().join(',')}]`);
  }

  /** What was dumped last could not be written. */
  notWritten(): void {
    this.#dirty = true;
  }

  /** Adds what was kept, also by another replica. What is not understood or too long is left out: it may be lost. */
  merge(text: string, now: number): void {
    let isNew = false;
    const kept = parse(text, now);
    for (const { id, seen, wait } of kept) {
      if (seen <= (this.#seen.get(id) ?? -1)) continue;
      isNew = true;
      this.#set(id, seen);
      if (wait === null) this.#endWait(id);
      else this.#wait(id, wait);
    }
    // What another replica wrote at the same time as this one lacks what this one wrote: it is written again.
    if (this.#seen.size > kept.length && text.length < NEARLY_FULL_BYTES) this.#dirty = true;
    if (!isNew) return;
    const sorted = [...this.#seen].toSorted(([, a], [, b]) => a - b);
    this.#seen.clear();
    for (const [id, seen] of sorted) this.#seen.set(id, seen);
    this.#trim(MOST_IDS, Infinity);
  }

  /** A mere sight is worth writing once an hour: they are counted in days. */
  #see(id: string, now: number): void {
    const before = this.#seen.get(id);
    this.#dirty ||= before === undefined || hourOf(now) !== hourOf(before);
    if (before !== undefined) this.#seen.delete(id);
    else this.#bytes += bytesOf(id);
    this.#seen.set(id, now);
  }

  #set(id: string, seen: number): void {
    if (!this.#seen.has(id)) this.#bytes += bytesOf(id);
    this.#seen.set(id, seen);
  }

  #wait(id: string, wait: Wait): void {
    if (!this.#waits.has(id)) this.#bytes += WAIT_BYTES;
    this.#waits.set(id, wait);
  }

  #setBack(id: string, { since }: Wait, now: number): Wait {
    const wait = { since: Math.min(since, now), asked: now };
    this.#waits.set(id, wait);
    return wait;
  }

  #endWait(id: string): boolean {
    const waited = this.#waits.delete(id);
    if (waited) this.#bytes -= WAIT_BYTES;
    return waited;
  }

  #trim(ids: number, bytes: number): void {
    if (this.#seen.size <= ids && this.#bytes <= bytes) return;
    let spared = 0;
    for (const [id, seen] of this.#seen) {
      if (this.#seen.size <= ids && this.#bytes <= bytes) return;
      if (spared < this.#seen.size && this.#isKept(id)) {
        // Its turn comes again when all others are forgotten.
        this.#seen.delete(id);
        this.#seen.set(id, seen);
        spared += 1;
      } else this.#drop(id);
    }
  }

  #forget(now: number): void {
    for (const [id, seen] of this.#seen) {
      if (seen > now) this.#seen.set(id, now);
      if (now - seen <= SEEN_MS) return;
      this.#drop(id);
    }
  }

  #drop(id: string): void {
    this.#endWait(id);
    if (this.#seen.delete(id)) this.#bytes -= bytesOf(id);
  }
}

const FRAME = JSON.stringify({ layout: 1, ids: [] });

function nobody(): boolean {
  return false;
}

function bytesOf(id: string): number {
  return ID_BYTES + Buffer.byteLength(id);
}

function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS);
}

interface Kept {
  readonly id: string;
  readonly seen: number;
  readonly wait: Wait | null;
}

function parse(text: string, now: number): readonly Kept[] {
  if (text.length > MOST_NOTE_BYTES) return [];
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return [];
  }
  const ids = typeof root === 'object' && root !== null && 'ids' in root && Array.isArray(root.ids) ? root.ids : [];
  return ids.flatMap((entry) => parseEntry(entry, now));
}

function parseEntry(entry: unknown, now: number): readonly Kept[] {
  if (!Array.isArray(entry)) return [];
  const [id, ...times] = entry as readonly unknown[];
  if (typeof id !== 'string' || id === '' || !times.every((time) => Number.isFinite(time))) return [];
  const [seen, since, asked] = (times as number[]).map((seconds) => Math.min(seconds * 1000, now));
  if (seen === undefined) return [];
  return [{ id, seen, wait: since === undefined || asked === undefined ? null : { since, asked } }];
}
