import type { FleetDocument, Freeze, GroupDocument, Holder } from './document.ts';
import type { Change, FleetState } from './store/store.ts';

/** Changes that are remembered: a store that gives no answer is asked anew for each batch. */
const MOST = 32;

/** Changes of which nobody knows whether they were written, until a state shows that they were. */
export class Doubts {
  #changes: readonly Change[] = [];

  /** The store did not say what became of a change. Null: there was none. */
  add(change: Change | null): void {
    if (change === null) return;
    this.#changes = [...this.#changes, change].slice(-MOST);
  }

  /** Another change was written: whatever is in doubt of the same groups cannot be told from it any more. */
  written({ groups, fleet }: Change): void {
    if (this.#changes.length === 0) return;
    this.#changes = this.#changes.filter(
      (change) =>
        (fleet === undefined || change.fleet === undefined) &&
        ![...change.groups.keys()].some((name) => groups.has(name)),
    );
  }

  /** Those that a state shows, and forgets them. */
  found(state: FleetState): readonly Change[] {
    if (this.#changes.length === 0) return [];
    const found = this.#changes.filter((change) => isShown(change, state));
    this.#changes = this.#changes.filter((change) => !found.includes(change));
    return found;
  }
}

function isShown({ groups, fleet }: Change, state: FleetState): boolean {
  if (fleet !== undefined && !isSameFleet(fleet, state.fleet)) return false;
  return [...groups].every(([name, document]) => {
    const entry = state.groups.get(name);
    return entry?.kind === 'good' && isSameGroup(document, entry.document);
  });
}

function isSameFleet(a: FleetDocument, b: FleetDocument): boolean {
  return isSameFreeze(a.freeze, b.freeze);
}

function isSameGroup(a: GroupDocument, b: GroupDocument): boolean {
  return (
    a.slots === b.slots &&
    a.configured === b.configured &&
    a.resized === b.resized &&
    isSameFreeze(a.freeze, b.freeze) &&
    a.holders.length === b.holders.length &&
    a.holders.every((holder, index) => isSameHolder(holder, b.holders[index]))
  );
}

function isSameHolder(a: Holder, b: Holder | undefined): boolean {
  return a.id === b?.id && a.since === b.since && a.soakUntil === b.soakUntil && a.waited === b.waited;
}

function isSameFreeze(a: Freeze | null, b: Freeze | null): boolean {
  return a?.since === b?.since && a?.until === b?.until && a?.by === b?.by && a?.reason === b?.reason;
}
