import type { GroupDocument } from '../document.ts';
import type { Change, FleetState, GroupEntry } from './store.ts';

/** The entry of a document that only this program writes. */
export function goodEntry(document: GroupDocument): GroupEntry {
  return { kind: 'good', document, found: [] };
}

/** The state after a change; the given one is left as it is. */
export function applied({ groups, fleet }: FleetState, change: Change): FleetState {
  const after = new Map(groups);
  for (const [name, document] of change.groups) after.set(name, goodEntry(document));
  return { groups: after, fleet: change.fleet ?? fleet };
}
