import { type Freeze, type GroupDocument, inForce } from './document.ts';
import { Holdings } from './holdings.ts';
import { nextSoakEnd } from './semaphore.ts';
import type { FleetState, GroupEntry } from './store/store.ts';

/** What came of a look at a state. `freeze`: a freeze began, changed or was lifted, beside whatever else. */
export type Changed = 'nothing' | 'something' | 'freeze';

/** What follows from the state of a fleet and is not looked for anew each time: only what has changed is looked at. */
export class Overview {
  /** Milliseconds after which a holder of a group is stale. */
  readonly #staleAfter: (group: string) => number;
  /** When time alone changes something in a group, in ms since 1970; groups in which it does not are left out. */
  readonly #moments = new Map<string, number>();
  /** Before these moments soaks that have ended and changes by others count for nothing. */
  readonly #putOff = new Map<string, number>();
  readonly #lastKnown = new Map<string, GroupDocument>();
  readonly #holdings = new Holdings();
  #state: FleetState = NOTHING;

  constructor(staleAfter: (group: string) => number) {
    this.#staleAfter = staleAfter;
  }

  /** A group as it was when it could last be read; null: it never could. */
  lastKnown(group: string): GroupDocument | null {
    return this.#lastKnown.get(group) ?? null;
  }

  /** Groups in which an id holds a slot, soaking or not; of those that cannot be read, in which it did. */
  holding(id: string): Iterable<string> {
    return this.#holdings.of(id);
  }

  /** Takes a state for the current one. `now` in ms since 1970. */
  update(state: FleetState, now: number): Changed {
    if (state === this.#state) return 'nothing';
    const before = this.#state;
    this.#state = state;
    let frozen = !isSame(before.fleet.freeze, state.fleet.freeze);
    let kept = 0;
    for (const [name, entry] of state.groups) {
      const old = before.groups.get(name);
      if (old !== undefined) kept += 1;
      if (entry === old) continue;
      frozen ||= !isSame(freezeOf(old), freezeOf(entry));
      this.#putOff.delete(name);
      this.#look(name, entry, now);
    }
    if (kept < before.groups.size) this.#forgetOthers(before, state);
    return frozen ? 'freeze' : 'something';
  }

  /** The next moment at which time alone changes something, in ms since 1970; Infinity: never. */
  next(now: number): number {
    let next = freezeEnd(this.#state.fleet.freeze, now);
    for (const moment of this.#moments.values()) next = Math.min(next, moment);
    return next;
  }

  /** Groups whose moment has come. */
  due(now: number): readonly string[] {
    const due = [...this.#moments].flatMap(([name, moment]) => (moment <= now ? [name] : []));
    for (const name of due) this.#lookAt(name, now);
    return due;
  }

  /** What is due in a group could not be written: not again within so many ms, unless the group changes. */
  putOff(group: string, now: number, ms: number): void {
    this.#putOff.set(group, now + ms);
    this.#lookAt(group, now);
  }

  /** Everything is looked at anew, since clock or configuration have changed. */
  lookAgain(now: number): void {
    for (const name of this.#state.groups.keys()) this.#lookAt(name, now);
  }

  /** Groups in which a slot soaks. */
  soaking(): readonly string[] {
    return [...this.#moments.keys()].filter((name) => {
      const entry = this.#state.groups.get(name);
      return entry?.kind === 'good' && nextSoakEnd(entry.document) !== null;
    });
  }

  #lookAt(name: string, now: number): void {
    const entry = this.#state.groups.get(name);
    if (entry !== undefined) this.#look(name, entry, now);
  }

  #look(name: string, entry: GroupEntry, now: number): void {
    if (entry.kind === 'good') this.#know(name, entry.document);
    const moment = entry.kind === 'good' ? this.#momentOf(name, entry, now) : Infinity;
    if (moment === Infinity) this.#moments.delete(name);
    else this.#moments.set(name, moment);
  }

  #know(name: string, document: GroupDocument): void {
    const before = this.#lastKnown.get(name);
    if (before === document) return;
    this.#holdings.change(name, before?.holders ?? [], document.holders);
    this.#lastKnown.set(name, document);
  }

  #momentOf(name: string, { document, found }: Extract<GroupEntry, { kind: 'good' }>, now: number): number {
    const due = found.length > 0 ? now : (nextSoakEnd(document) ?? Infinity);
    let moment = Math.min(Math.max(due, this.#putOff.get(name) ?? due), freezeEnd(document.freeze, now));
    if (document.holders.length === 0) return moment;
    const staleAfter = this.#staleAfter(name);
    for (const { since, soakUntil } of document.holders) {
      const stale = since + staleAfter + 1;
      if (soakUntil === null && stale > now && stale < moment) moment = stale;
    }
    return moment;
  }

  #forgetOthers(before: FleetState, { groups }: FleetState): void {
    for (const name of before.groups.keys()) if (!groups.has(name)) this.#forget(name);
  }

  #forget(name: string): void {
    this.#moments.delete(name);
    this.#putOff.delete(name);
    this.#holdings.change(name, this.#lastKnown.get(name)?.holders ?? [], []);
    this.#lastKnown.delete(name);
  }
}

const NOTHING: FleetState = { groups: new Map(), fleet: { freeze: null } };

function freezeOf(entry: GroupEntry | undefined): Freeze | null {
  return entry?.kind === 'good' ? entry.document.freeze : null;
}

function isSame(a: Freeze | null, b: Freeze | null): boolean {
  return a === b || (a?.since === b?.since && a?.until === b?.until);
}

/** When a freeze that is in force ends by itself; Infinity: there is none that does. */
function freezeEnd(freeze: Freeze | null, now: number): number {
  return inForce(freeze, now)?.until ?? Infinity;
}
