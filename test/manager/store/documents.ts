// Documents, changes and records for the tests of stores.
import fc from 'fast-check';
import {
  type AuditDraft,
  byBytes,
  type FleetDocument,
  type Freeze,
  type GroupDocument,
  type Holder,
} from '../../../src/manager/document.ts';
import type { Change, FleetState, GroupEntry } from '../../../src/manager/store/store.ts';

/** So many of something, each made from its index. */
export function many<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** Holders in the order that a document wants. */
export function sorted(holders: readonly Holder[]): readonly Holder[] {
  return holders.toSorted((a, b) => byBytes(a.id, b.id));
}

/** A holder who is not soaking. */
export function holder(id: string, rest: Partial<Holder> = {}): Holder {
  return { id, since: 1_790_000_000_000, soakUntil: null, waited: false, ...rest };
}

/** A group of two slots with these holders, which must be in order. */
export function document(holders: readonly Holder[] = [], rest: Partial<GroupDocument> = {}): GroupDocument {
  return { slots: 2, configured: '2', resized: false, holders, freeze: null, ...rest };
}

/** A freeze until a moment. */
export function freeze(rest: Partial<Freeze> = {}): Freeze {
  return { since: 1_790_000_000_000, until: 1_790_000_100_000, by: 'admin:root', reason: 'why', ...rest };
}

/** What a state has for a good document that nobody else has touched. */
export function good(one: GroupDocument): GroupEntry {
  return { kind: 'good', document: one, found: [] };
}

/** A record of a change. */
export function draft(group: string | null, id: string | null = null): AuditDraft {
  return { action: 'granted', group, id, by: 'node', reason: '' };
}

/** A change of these groups, with one record for each; and of the freeze of all, when one (or null) is given. */
export function change(groups: Readonly<Record<string, GroupDocument>>, fleet?: Freeze | null): Change {
  const audit = Object.keys(groups).map((group) => draft(group));
  return fleet === undefined
    ? { groups: new Map(Object.entries(groups)), audit }
    : { groups: new Map(Object.entries(groups)), fleet: { freeze: fleet }, audit: [...audit, draft(null)] };
}

/** The documents of a state, where all are good. */
export function kept({ groups, fleet }: FleetState): { groups: Map<string, GroupDocument>; fleet: FleetDocument } {
  const documents = [...groups].flatMap(([name, entry]) =>
    entry.kind === 'good' ? [[name, entry.document] as const] : [],
  );
  return { groups: new Map(documents), fleet };
}

/** Any text that is whole: no half of a character. */
export const reasons = fc.string({ unit: 'grapheme', maxLength: 20 });
const moments = fc.integer({ min: 0, max: 4_000_000_000_000 });
const freezes = fc.record({ since: moments, until: fc.option(moments), by: reasons, reason: reasons });
const holders = fc
  .uniqueArray(
    fc.record({
      id: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
      since: moments,
      soakUntil: fc.option(moments),
      waited: fc.boolean(),
    }),
    { selector: ({ id }) => id, maxLength: 5 },
  )
  .map(sorted);

/** Any document of a group. */
export const documents: fc.Arbitrary<GroupDocument> = fc.record({
  slots: fc.nat(10),
  configured: fc.constantFrom('1', '2', '25%'),
  resized: fc.boolean(),
  holders,
  freeze: fc.option(freezes),
});

/** Anything that can be said of the whole fleet. */
export const fleets: fc.Arbitrary<FleetDocument> = fc.record({ freeze: fc.option(freezes) });
