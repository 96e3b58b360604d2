import { utc } from '../../../base/text.ts';
import { type AuditAction, type AuditDraft, emptyDocument, type GroupDocument, type Holder } from '../../document.ts';
import type { Semaphore } from './airlock.ts';

/** When each holder that we do not have on record was seen first, in ms since 1970. */
export type FirstSeen = ReadonlyMap<string, number>;

/** A group as both programs left it. */
export interface Reconciled {
  readonly document: GroupDocument;
  /** What the other program did that is not on record yet. */
  readonly found: readonly AuditDraft[];
  readonly firstSeen: FirstSeen;
}

/** Nothing was seen that is not on record. */
export const NOTHING_SEEN: FirstSeen = new Map();

/**
 * Makes one document of airlock's key, which is the truth for slots and holders, and of ours, which knows everything
 * else and what airlock's key was like when ours was written. Where they differ, another program has written since.
 *
 * - A holder that we do not know holds since it was first seen: `firstSeen` remembers that until it is on record.
 * - One that is gone is gone, with its soak.
 * - Another number of slots was set by an administrator (airlock itself never changes it): as with a resize through us,
 *   it stays until the configuration says something else.
 * - Without a key of airlock's nobody holds anything: removing it is how airlock's users reset a group.
 *
 * At least one of the two is there. `now` in ms since 1970.
 */
export function reconcile(
  group: string,
  airlock: Semaphore | null,
  own: GroupDocument | null,
  firstSeen: FirstSeen,
  now: number,
): Reconciled {
  const before = own ?? emptyDocument(airlock?.slots ?? 0, '');
  const { slots, holders: present } = airlock ?? { slots: before.slots, holders: [] };
  const known = new Map(before.holders.map((holder) => [holder.id, holder]));
  const holders = present.map((id) => known.get(id) ?? seen(id, firstSeen.get(id) ?? now));
  const unknown = holders.filter(({ id }) => !known.has(id));
  const isPresent = new Set(present);
  const gone = before.holders.filter(({ id }) => !isPresent.has(id));
  const isResized = before.slots !== slots;
  const draft = (action: AuditAction, id: string | null, reason: string): AuditDraft => {
    return { action, group, id, by: 'another program', reason };
  };
  return {
    document: { ...before, slots, resized: isResized || before.resized, holders },
    found: [
      ...(isResized ? [draft('found-slots', null, `from ${before.slots} to ${slots}`)] : []),
      ...gone.map(({ id, since }) => draft('vanished', id, `held since ${utc(since)}`)),
      ...unknown.map(({ id, since }) => draft('found', id, `first seen at ${utc(since)}`)),
    ],
    firstSeen: unknown.length === 0 ? NOTHING_SEEN : new Map(unknown.map(({ id, since }) => [id, since])),
  };
}

function seen(id: string, since: number): Holder {
  return { id, since, soakUntil: null, waited: false };
}
