import { type Answer, refuse, type Refusal } from './answer.ts';
import { type AuditDraft, type FleetDocument, type Freeze, type GroupDocument, holderOf } from './document.ts';
import { byPrecedence, expected, turnRefusal, type Waiter, whoComesFirst } from './order.ts';
import { freshDocument, type GroupPolicy, type SlotCount, slotText, slotsFor } from './policy.ts';
import {
  type Actor,
  configure,
  type Decision,
  expireSoaks,
  follow,
  force,
  freezeFleet,
  freezeGroup,
  lock,
  resize,
  takeBack,
  thawFleet,
  thawGroup,
  unlock,
} from './semaphore.ts';
import { DRAINING } from './refusals.ts';
import type { Change, FleetState } from './store/store.ts';

/** Something that is wanted of one group. */
export type GroupRequest =
  | LockRequest
  | { readonly kind: 'unlock' | 'force'; readonly group: string; readonly id: string; readonly actor: Actor }
  | { readonly kind: 'takeBack'; readonly group: string; readonly id: string }
  | { readonly kind: 'resize'; readonly group: string; readonly slots: number; readonly actor: Actor }
  /** What the configuration says is taken over. */
  | { readonly kind: 'configure'; readonly group: string }
  /** A percentage of a fleet that has grown, or (`mayLower`) is smaller. */
  | { readonly kind: 'follow'; readonly group: string; readonly mayLower: boolean }
  | { readonly kind: 'freeze'; readonly group: string; readonly freeze: Freeze }
  | { readonly kind: 'thaw'; readonly group: string; readonly actor: Actor }
  /** Nobody asks: soaks that have ended, changes by other programs, whoever waits. */
  | { readonly kind: 'settle'; readonly group: string };

/** A request for a slot. */
export interface LockRequest {
  readonly kind: 'lock';
  readonly group: string;
  readonly id: string;
  readonly actor: Actor;
  /** Milliseconds since 1970 since when the id has been waiting; now, for one that has not. */
  readonly since: number;
  /** It may wait for its answer, so that its connection can be gone by the time it is granted. */
  readonly waited: boolean;
  /** Decisions about this very request (by their `now`) whose writing nobody knows the outcome of. */
  readonly tried?: readonly number[];
}

/** Something that is wanted of all groups at once. */
export type FleetRequest =
  | { readonly kind: 'freezeFleet'; readonly group: null; readonly freeze: Freeze }
  | { readonly kind: 'thawFleet'; readonly group: null; readonly actor: Actor };

/** What is decided on together. */
export type Request = GroupRequest | FleetRequest;

/** What decisions are made under, besides the state. */
export interface World {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The manager is about to stop: no new grants. */
  readonly draining: boolean;
  /** Null: there is no such group. `exists`: the store has a document of it. */
  readonly policy: (group: string, exists: boolean) => GroupPolicy | null;
  /** The policy of a group that there is not, when it may be made; `made`: how many were, by the same decisions. */
  readonly onDemand: (group: string, made: number) => GroupPolicy | null;
  /** What the window or the gate of a group says, or null. */
  readonly closed: (group: string) => Refusal | null;
  /** Ids seen in 90 days. */
  readonly seen: (group: string) => number;
  /** Who was refused lately. */
  readonly waiters: (group: string) => readonly Waiter[];
  /** A group that cannot be read now, as it was when it last could; null: it never could. */
  readonly lastKnown: (group: string) => GroupDocument | null;
  /** Groups in which an id holds a slot, by the state and by what is last known of those that cannot be read. */
  readonly holding: (id: string) => Iterable<string>;
  /** Since when a free slot of the group is held open for somebody, in ms since 1970; null: it is not. */
  readonly heldOpen: (group: string) => number | null;
}

/** What came of requests that were decided on together. */
export interface Batch {
  /** Null: nothing is to be written. */
  readonly change: Change | null;
  /** In the order of the requests. */
  readonly answers: readonly Answer[];
  /** Groups whose free slot is held open from now on, or (null) no longer. */
  readonly heldOpen: ReadonlyMap<string, number | null>;
}

/**
 * Decides on requests in one go: first whatever frees or changes something, in order, then who wants a slot, by
 * precedence. Pure; the state is not changed.
 */
export function decideTogether(state: FleetState, requests: readonly Request[], world: World): Batch {
  const draft = new Draft(state, world);
  const answers = new Map<Request, Answer>();
  for (const request of requests) if (request.kind !== 'lock') answers.set(request, draft.decide(request));
  for (const [group, locks] of locksByGroup(requests)) draft.decideLocks(group, locks, answers);
  return {
    change: draft.change(),
    answers: requests.map((request) => answers.get(request) ?? UNDECIDED),
    heldOpen: draft.heldOpen,
  };
}

const UNDECIDED = refuse('store_unavailable', 'this request could not be decided', 5_000);

function locksByGroup(requests: readonly Request[]): ReadonlyMap<string, readonly LockRequest[]> {
  const groups = new Map<string, LockRequest[]>();
  for (const request of requests) {
    if (request.kind !== 'lock') continue;
    const locks = groups.get(request.group);
    if (locks === undefined) groups.set(request.group, [request]);
    else locks.push(request);
  }
  return groups;
}

/** Milliseconds after which asking again makes sense when only a person can help. */
const UNREADABLE_RETRY_MS = 60_000;

/** Refusals that concern the asker alone: others behind him may fare better. */
const PERSONAL: ReadonlySet<string> = new Set(['held_elsewhere', 'not_your_turn']);

/** The state as decisions change it. Lives within one call. */
class Draft {
  readonly heldOpen = new Map<string, number | null>();
  readonly #state: FleetState;
  readonly #world: World;
  readonly #documents = new Map<string, GroupDocument>();
  readonly #audit: AuditDraft[] = [];
  /** Groups that there were not. */
  readonly #made = new Set<string>();
  /** Groups in which ids were granted a slot since the state was read. */
  readonly #granted = new Map<string, string[]>();
  #fleet: FleetDocument;

  constructor(state: FleetState, world: World) {
    this.#state = state;
    this.#world = world;
    this.#fleet = state.fleet;
  }

  /** Decides on anything but a request for a slot. */
  decide(request: Exclude<Request, LockRequest>): Answer {
    if (request.group === null) return this.#decideFleet(request);
    return this.#withGroup(request.group, (document, policy) => this.#decideGroup(request, document, policy));
  }

  /** Requests for slots of one group, by precedence. Who holds nothing is told the first refusal that is nobody's own. */
  decideLocks(group: string, locks: readonly LockRequest[], answers: Map<Request, Answer>): void {
    let common: Refusal | null = null;
    const policy = this.#policyOf(group);
    const isOne = policy === null || locks.length === 1;
    const absent = this.#absent(group, locks, policy);
    for (const request of isOne ? locks : locks.toSorted(byPrecedence(policy.precedence))) {
      // Many may ask at once: what is said to all of them is found out, and put into words, once.
      const isCommon: boolean = common !== null && this.#holding(request.id).length === 0;
      const answer: Answer = isCommon && common !== null ? common : this.#lock(request, absent);
      answers.set(request, answer);
      if (!answer.ok && !PERSONAL.has(answer.kind)) common ??= answer;
    }
  }

  /** Who was refused lately, may come first, and does not ask at this moment. Looked for when it matters, and once. */
  #absent(group: string, locks: readonly LockRequest[], policy: GroupPolicy | null): () => readonly Waiter[] {
    let absent: readonly Waiter[] | null = null;
    return () => {
      if (absent !== null || policy === null) return absent ?? [];
      const present = new Set(locks.map(({ id }) => id));
      const others = this.#world.waiters(group).filter(({ id }) => !present.has(id));
      absent = expected(others, policy.precedence, this.#world.now);
      return absent;
    };
  }

  /** What is to be written: documents that differ, and what others changed in them. */
  change(): Change | null {
    const fleet = this.#fleet === this.#state.fleet ? {} : { fleet: this.#fleet };
    if (this.#documents.size === 0 && this.#fleet === this.#state.fleet) return null;
    return { groups: this.#documents, ...fleet, audit: this.#audit };
  }

  #decideFleet(request: FleetRequest): Answer {
    const decision =
      request.kind === 'freezeFleet' ? freezeFleet(this.#fleet, request.freeze) : thawFleet(this.#fleet, request.actor);
    this.#fleet = decision.document;
    this.#audit.push(...decision.audit);
    return decision.answer;
  }

  #decideGroup(
    request: Exclude<GroupRequest, LockRequest>,
    document: GroupDocument,
    { rules, slots }: GroupPolicy,
  ): Decision {
    const { group } = request;
    const { now } = this.#world;
    switch (request.kind) {
      case 'unlock':
        return unlock(document, request.id, request.actor, rules, now);
      case 'force':
        return force(document, request.id, request.actor, rules, now);
      case 'takeBack':
        return takeBack(document, request.id, rules, now);
      case 'resize':
        return resize(document, request.slots, request.actor, group);
      case 'configure':
        // What this replica counts may be too little: only `follow` knows whether it is.
        return slots.kind === 'percent' && document.slots <= slots.max && document.configured === slotText(slots)
          ? follow(document, this.#slotsFor(group, slots), slotText(slots), false, group)
          : configure(document, this.#slotsFor(group, slots), slotText(slots), group);
      case 'follow':
        return follow(document, this.#slotsFor(group, slots), slotText(slots), request.mayLower, group);
      case 'freeze':
        return freezeGroup(document, request.freeze, group);
      case 'thaw':
        return thawGroup(document, request.actor, group);
      case 'settle':
        return expireSoaks(document, rules, now);
    }
  }

  #slotsFor(group: string, slots: SlotCount): number | null {
    return slotsFor(slots, this.#world.seen(group));
  }

  #lock({ group, id, actor, since, waited, tried = [] }: LockRequest, absent: () => readonly Waiter[]): Answer {
    return this.#withGroup(group, (document, policy) => {
      const { now, draining, closed } = this.#world;
      const decision = lock(document, id, actor, policy.rules, {
        now,
        fleetFreeze: this.#fleet.freeze,
        elsewhere: this.#elsewhere(group, id),
        closed: () => (draining ? DRAINING : closed(group)),
        turn: () => this.#turn(group, { id, since }, policy, absent()),
        waited,
        tried,
      });
      const { answer } = decision;
      if (answer.ok) {
        // Nobody's turn has passed where a holder merely asked once more.
        if (answer.outcome === 'granted') this.heldOpen.set(group, null);
        if (decision.document !== document) this.#noteHolder(group, id);
      } else if (answer.kind === 'not_your_turn' && this.#heldOpenSince(group) === null) {
        this.heldOpen.set(group, now);
      }
      return decision;
    });
  }

  #turn(
    group: string,
    asker: Pick<Waiter, 'id' | 'since'>,
    { precedence }: GroupPolicy,
    absent: readonly Waiter[],
  ): Refusal | null {
    const { now } = this.#world;
    const other = whoComesFirst(asker, absent, precedence);
    return other === null ? null : turnRefusal(other, this.#heldOpenSince(group) ?? now, now);
  }

  #heldOpenSince(group: string): number | null {
    return this.heldOpen.has(group) ? (this.heldOpen.get(group) ?? null) : this.#world.heldOpen(group);
  }

  #withGroup(group: string, decide: (document: GroupDocument, policy: GroupPolicy) => Decision): Answer {
    const entry = this.#state.groups.get(group);
    if (entry?.kind === 'corrupt') {
      // The problem may quote what is stored, ids of holders too: that is for operators.
      const text = `what is stored for group ${group} cannot be read; the operators of the lock manager must mend it`;
      return refuse('store_unavailable', text, UNREADABLE_RETRY_MS);
    }
    const policy = this.#policyOf(group);
    if (policy === null) return refuse('unknown_group', `there is no group ${group} in the configuration`);
    const given = this.#documents.get(group) ?? entry?.document ?? freshDocument(policy, this.#world.seen(group));
    const { document, answer, audit } = decide(given, policy);
    const found = this.#documents.has(group) ? [] : (entry?.found ?? []);
    if (document !== given || found.length > 0) {
      if (this.#existing(group) === null) this.#made.add(group);
      this.#documents.set(group, document);
      this.#audit.push(...found, ...audit);
    }
    return answer;
  }

  #policyOf(group: string): GroupPolicy | null {
    return this.#existing(group) ?? this.#world.onDemand(group, this.#made.size);
  }

  #existing(group: string): GroupPolicy | null {
    return this.#world.policy(group, this.#state.groups.has(group) || this.#made.has(group));
  }

  /** The other group in which an id holds a slot that is not soaking, or null. */
  #elsewhere(group: string, id: string): string | null {
    for (const name of this.#holding(id)) {
      if (name === group) continue;
      const document = this.#documentOf(name);
      if (document !== null && holderOf(document, id)?.soakUntil === null) return name;
    }
    return null;
  }

  /** A group as it stands now; one that cannot be read, as it was last known; null: nothing is known of it. */
  #documentOf(group: string): GroupDocument | null {
    const changed = this.#documents.get(group);
    if (changed !== undefined) return changed;
    const entry = this.#state.groups.get(group);
    return entry?.kind === 'corrupt' ? this.#world.lastKnown(group) : (entry?.document ?? null);
  }

  /** Groups in which an id may hold a slot: it did when the state was read, or was granted one since. */
  #holding(id: string): readonly string[] {
    return [...this.#world.holding(id), ...(this.#granted.get(id) ?? [])];
  }

  #noteHolder(group: string, id: string): void {
    const groups = this.#granted.get(id);
    if (groups === undefined) this.#granted.set(id, [group]);
    else groups.push(group);
  }
}
