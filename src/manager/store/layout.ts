import type { AuditDraft, AuditRecord } from '../document.ts';
import type { AuditBounds } from './store.ts';

/** The part of the state by which writers see each other: rewritten in every transaction, and compared. */
export interface Head {
  /** The number that the next audit record gets. */
  readonly next: number;
  /** For each day on which something was written, its first record; oldest first. By these the audit is trimmed by age. */
  readonly days: readonly { readonly at: number; readonly record: number }[];
}

/** The head of a store in which nothing was written yet. */
export const FIRST_HEAD: Head = { next: 1, days: [] };

const DAY_MS = 24 * 3_600_000;

/** What a transaction writes to the audit: `chunksOf` the records, each kept under the number of its first one. */
export interface AuditAppend {
  readonly head: Head;
  readonly records: readonly AuditRecord[];
  /** Chunks that begin below this number are deleted; never those that are written. */
  readonly dropBelow: number;
}

/** A chunk is dropped when it begins so many records before what is to be kept: then all of it is too old. */
const LONGEST_CHUNK = 512;

/** Records of one transaction in pieces that are short enough to be dropped as a whole. */
export function chunksOf(records: readonly AuditRecord[]): readonly (readonly AuditRecord[])[] {
  const count = Math.ceil(records.length / LONGEST_CHUNK);
  return Array.from({ length: count }, (_, index) => records.slice(index * LONGEST_CHUNK, (index + 1) * LONGEST_CHUNK));
}

/** Numbers the records of a transaction and says which old ones go. `now` in ms since 1970. */
export function appendAudit(head: Head, drafts: readonly AuditDraft[], now: number, bounds: AuditBounds): AuditAppend {
  const records = drafts.map((draft, index) => ({ ...draft, number: head.next + index, at: now }));
  const next = head.next + records.length;
  const last = head.days.at(-1);
  const isNewDay = records.length > 0 && (last === undefined || now - last.at >= DAY_MS);
  const days = isNewDay ? [...head.days, { at: now, record: head.next }] : head.days;
  // What was written on a day was written within 24 hours of its first record.
  const kept = days.filter(({ at }, index) => index === days.length - 1 || now - at < bounds.longestMs + DAY_MS);
  const keepFrom = Math.max(kept[0]?.record ?? 1, next - bounds.mostRecords);
  return { head: { next, days: kept }, records, dropBelow: Math.min(head.next, Math.max(1, keepFrom - LONGEST_CHUNK)) };
}
