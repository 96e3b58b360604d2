import { duration, utc } from '../base/text.ts';
import { type Answer, done, refuse, type Refusal } from './answer.ts';
import {
  type AuditAction,
  type AuditDraft,
  type FleetDocument,
  type Freeze,
  type GroupDocument,
  type Holder,
  holderOf,
  indexOfHolder,
  inForce,
  staleHolders,
} from './document.ts';

/** What a change led to. */
export interface Decision {
  /** The very document that was given, when nothing changed: a refusal or a mere confirmation writes nothing. */
  readonly document: GroupDocument;
  readonly answer: Answer;
  /** One for each change of the document, in order. */
  readonly audit: readonly AuditDraft[];
}

/** Who wants a change, and why. */
export interface Actor {
  /** `node`, `admin:NAME` or `manager`. */
  readonly by: string;
  readonly reason: string;
}

/** What the configuration says about the grants of a group. */
export interface Rules {
  readonly group: string;
  /** Milliseconds for which a slot stays taken after its node has become steady. */
  readonly soakMs: number;
  /** Milliseconds after which a holder that has not reported counts as stale. */
  readonly staleAfterMs: number;
  /** No new grants while so many holders are stale; 0: never halts. */
  readonly haltAfter: number;
  /** Refusals name the holders. */
  readonly showHolders: boolean;
}

/** What else a decision about a new grant depends on. None of it matters to a holder. */
export interface Circumstances {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly fleetFreeze: Freeze | null;
  /** The other group in which the id holds a slot, or null. */
  readonly elsewhere: string | null;
  /** What the window or the gate of the group says, or null when both are open. Asked only when it matters. */
  readonly closed: () => Refusal | null;
  /** Somebody else comes first, or null. Asked only when a slot is free. */
  readonly turn: () => Refusal | null;
  /** The request may wait for its answer. */
  readonly waited: boolean;
  /** Moments of decisions about this very request whose writing nobody knows the outcome of. */
  readonly tried: readonly number[];
}

/** Milliseconds after which asking again makes sense while all slots are taken: a FleetLock client's own interval. */
const FULL_RETRY_MS = 60_000;
const LONGEST_RETRY_MS = 3_600_000;
/** Milliseconds by which the clocks of replicas may differ. */
const CLOCK_SLACK_MS = 60_000;

/** RecursiveLock: takes a slot, or confirms the one held. Ownership comes before capacity and before every refusal. */
export function lock(given: GroupDocument, id: string, actor: Actor, rules: Rules, when: Circumstances): Decision {
  const { document, audit } = expire(given, rules, when.now);
  const held = holderOf(document, id);
  if (held !== undefined) return confirm(given, document, held, audit, actor, rules, when);
  const refusal = newGrantRefusal(document, rules, when);
  if (refusal !== null) return { document: given, answer: refusal, audit: [] };
  const holder = { id, since: when.now, soakUntil: null, waited: when.waited };
  return {
    document: withHolder(document, holder),
    answer: granted(rules.group),
    audit: [...audit, draft('granted', rules.group, id, actor)],
  };
}

function granted(group: string): Answer {
  return done('granted', () => `a slot of group ${group} is granted`);
}

function confirm(
  given: GroupDocument,
  document: GroupDocument,
  held: Holder,
  audit: readonly AuditDraft[],
  actor: Actor,
  { group }: Rules,
  { now, elsewhere, waited, tried }: Circumstances,
): Decision {
  const answer = done('confirmed', () => `a slot of group ${group} is held since ${utc(held.since)}`);
  // A node in its soak that wants to reboot again holds its slot anew.
  if (held.soakUntil !== null) {
    if (elsewhere !== null) return { document: given, answer: heldElsewhere(elsewhere), audit: [] };
    const again = { ...held, since: now, soakUntil: null, waited: false };
    const reason = 'asked again during its soak';
    return {
      document: withHolder(document, again),
      answer,
      audit: [...audit, draft('granted', group, held.id, { ...actor, reason })],
    };
  }
  if (!held.waited) return { document: given, answer, audit: [] };
  // The grant of this very request, whose writing had got no answer: nothing was heard of the id since.
  if (waited && tried.includes(held.since)) return { document: given, answer: granted(group), audit: [] };
  return {
    document: withHolder(document, { ...held, waited: false }),
    answer,
    audit: [...audit, draft('confirmed', group, held.id, actor)],
  };
}

/** Why there is no new grant, or null. What concerns the asker alone comes first, then what an operator can change. */
function newGrantRefusal(document: GroupDocument, rules: Rules, when: Circumstances): Refusal | null {
  const { now, elsewhere } = when;
  if (elsewhere !== null) return heldElsewhere(elsewhere);
  return (
    frozen(when.fleetFreeze, 'all groups are', now) ??
    frozen(document.freeze, `group ${rules.group} is`, now) ??
    halted(document, rules, now) ??
    when.closed() ??
    full(document, rules, now) ??
    when.turn()
  );
}

function heldElsewhere(group: string): Refusal {
  const text = `this id holds a slot of group ${group}; it must be given back there first`;
  return refuse('held_elsewhere', text, FULL_RETRY_MS);
}

function frozen(freeze: Freeze | null, what: string, now: number): Refusal | null {
  const active = inForce(freeze, now);
  if (active === null) return null;
  const until = active.until === null ? 'until it is thawed' : `until ${utc(active.until)}`;
  const why = active.reason === '' ? '' : ` (${active.reason})`;
  const text = `${what} frozen by ${active.by} since ${utc(active.since)}, ${until}${why}`;
  return refuse('frozen', text, active.until === null ? FULL_RETRY_MS : retryIn(active.until - now));
}

function halted(document: GroupDocument, rules: Rules, now: number): Refusal | null {
  const { haltAfter, staleAfterMs, group } = rules;
  const stale = staleHolders(document, now, staleAfterMs);
  if (haltAfter === 0 || stale.length < haltAfter) return null;
  const who = rules.showHolders ? `: ${named(stale, now)}` : '';
  const text = `group ${group} is halted: ${count(stale.length, 'holder')} of it did not come back within ${duration(staleAfterMs)}${who}`;
  return refuse('halted', text, FULL_RETRY_MS);
}

function full({ slots, holders }: GroupDocument, { group, showHolders }: Rules, now: number): Refusal | null {
  if (holders.length < slots) return null;
  if (slots === 0) return refuse('slots_full', `group ${group} has no slots`, FULL_RETRY_MS);
  const oldest = holders.reduce((a, b) => (a.since <= b.since ? a : b));
  const soaking = holders.filter(({ soakUntil }) => soakUntil !== null).length;
  const which = soaking === 0 ? '' : `, ${soaking} of them soaking`;
  const who = showHolders
    ? `, held by ${named(holders, now)}`
    : `, the longest held since ${utc(oldest.since)} (${duration(now - oldest.since)})`;
  const taken = `${holders.length} of ${slots} slots of group ${group} are taken${which}${who}`;
  const ends = holders.map(({ soakUntil }) => (soakUntil === null ? FULL_RETRY_MS : soakUntil - now));
  return refuse('slots_full', taken, Math.min(FULL_RETRY_MS, retryIn(Math.min(...ends))));
}

const MOST_NAMED = 5;

function named(holders: readonly Holder[], now: number): string {
  const shown = holders.slice(0, MOST_NAMED).map(({ id, since, soakUntil }) => {
    const soak = soakUntil === null ? '' : `, soaking until ${utc(soakUntil)}`;
    return `${id} since ${utc(since)} (${duration(now - since)}${soak})`;
  });
  const more = holders.length > MOST_NAMED ? [`${holders.length - MOST_NAMED} more`] : [];
  return [...shown, ...more].join(', ');
}

/** UnlockIfHeld: gives the slot back, at once or after the soak. What is not held writes nothing; repeats do neither. */
export function unlock(given: GroupDocument, id: string, actor: Actor, rules: Rules, now: number): Decision {
  const { document, audit } = expire(given, rules, now);
  const held = holderOf(document, id);
  if (held === undefined) return unchanged(given, 'not-held', `no slot of group ${rules.group} is held`);
  const end = held.soakUntil;
  if (end !== null) {
    const answer = done('soaking', () => `the slot of group ${rules.group} is free at ${utc(end)}`);
    return { document: given, answer, audit: [] };
  }
  if (rules.soakMs === 0) return remove(document, audit, 'released', held, actor, rules.group);
  const soakUntil = now + rules.soakMs;
  return {
    document: withHolder(document, { ...held, soakUntil, waited: false }),
    answer: done('soaking', () => `the slot of group ${rules.group} is free at ${utc(soakUntil)}`),
    audit: [...audit, draft('soaking', rules.group, id, actor)],
  };
}

/** An administrator releases a slot, whatever its holder does; a soak ends with it. */
export function force(given: GroupDocument, id: string, actor: Actor, rules: Rules, now: number): Decision {
  const { document, audit } = expire(given, rules, now);
  const held = holderOf(document, id);
  if (held === undefined) return unchanged(given, 'not-held', `no slot of group ${rules.group} is held by this id`);
  return remove(document, audit, 'forced', held, actor, rules.group);
}

/** Takes a grant back whose requester has gone, unless anything was heard of the id since. */
export function takeBack(given: GroupDocument, id: string, rules: Rules, now: number): Decision {
  const { document, audit } = expire(given, rules, now);
  const held = holderOf(document, id);
  if (held?.waited !== true || held.soakUntil !== null) {
    return unchanged(given, 'not-held', 'there is no grant to take back');
  }
  const actor = { by: 'manager', reason: 'the request that was ready to wait for it was gone' };
  return remove(document, audit, 'taken-back', held, actor, rules.group);
}

function remove(
  document: GroupDocument,
  audit: readonly AuditDraft[],
  action: AuditAction,
  held: Holder,
  actor: Actor,
  group: string,
): Decision {
  return {
    document: { ...document, holders: document.holders.filter((holder) => holder !== held) },
    answer: done('released', () => `the slot of group ${group}, held since ${utc(held.since)}, is free`),
    audit: [...audit, draft(action, group, held.id, actor)],
  };
}

/** Ends the soaks whose time has come. */
export function expireSoaks(given: GroupDocument, rules: Rules, now: number): Decision {
  const { document, audit } = expire(given, rules, now);
  const text = `${count(given.holders.length - document.holders.length, 'soak')} of group ${rules.group} ended`;
  return { document, audit, answer: { ok: true, outcome: audit.length === 0 ? 'unchanged' : 'changed', text } };
}

/** Sets the number of slots. Holders beyond it stay until they give their slots back. */
export function resize(given: GroupDocument, slots: number, actor: Actor, group: string): Decision {
  if (given.slots === slots) return unchanged(given, 'unchanged', `group ${group} has ${count(slots, 'slot')} already`);
  const change = `from ${given.slots} to ${slots}`;
  return {
    document: { ...given, slots, resized: true },
    answer: { ok: true, outcome: 'changed', text: `the slots of group ${group} were changed ${change}` },
    audit: [draft('resized', group, null, { ...actor, reason: because(change, actor.reason) })],
  };
}

/**
 * Takes over what the configuration says. A resize by an administrator stays in force until the configuration says
 * something else than before; until then a percentage, whose number changes with the fleet, is followed. Null: the
 * configuration says nothing.
 */
export function configure(given: GroupDocument, slots: number | null, configured: string, group: string): Decision {
  const isNew = given.configured !== configured;
  if (slots === null || (!isNew && (given.resized || given.slots === slots))) {
    return unchanged(given, 'unchanged', `group ${group} is as configured`);
  }
  const reason = `from ${given.slots} to ${slots}, as configured (${configured})`;
  return {
    document: { ...given, slots, configured, resized: false },
    answer: { ok: true, outcome: 'changed', text: `the slots of group ${group} were changed ${reason}` },
    audit: [draft('configured', group, null, { by: 'manager', reason })],
  };
}

/** Follows a percentage, as long as it is what the configuration said last: up, and down only when it may. */
export function follow(
  given: GroupDocument,
  slots: number | null,
  configured: string,
  mayLower: boolean,
  group: string,
): Decision {
  const isDue = given.configured === configured && slots !== null && (mayLower || slots > given.slots);
  return configure(given, isDue ? slots : null, configured, group);
}

/** Refuses new grants from now on. */
export function freezeGroup(given: GroupDocument, freeze: Freeze, group: string): Decision {
  const until = freeze.until === null ? '' : `until ${utc(freeze.until)}`;
  return {
    document: { ...given, freeze },
    answer: { ok: true, outcome: 'changed', text: `group ${group} is frozen${until === '' ? '' : ` ${until}`}` },
    audit: [draft('frozen', group, null, { by: freeze.by, reason: because(until, freeze.reason) })],
  };
}

/** Ends a freeze. */
export function thawGroup(given: GroupDocument, actor: Actor, group: string): Decision {
  if (given.freeze === null) return unchanged(given, 'unchanged', `group ${group} is not frozen`);
  return {
    document: { ...given, freeze: null },
    answer: { ok: true, outcome: 'changed', text: `group ${group} is thawed` },
    audit: [draft('thawed', group, null, actor)],
  };
}

/** A decision about what concerns all groups. */
export interface FleetDecision {
  readonly document: FleetDocument;
  readonly answer: Answer;
  readonly audit: readonly AuditDraft[];
}

/** Refuses new grants in all groups from now on. */
export function freezeFleet(given: FleetDocument, freeze: Freeze): FleetDecision {
  const until = freeze.until === null ? '' : `until ${utc(freeze.until)}`;
  return {
    document: { ...given, freeze },
    answer: { ok: true, outcome: 'changed', text: ['all groups are frozen', until].join(' ').trim() },
    audit: [{ action: 'frozen', group: null, id: null, by: freeze.by, reason: because(until, freeze.reason) }],
  };
}

/** Ends a freeze of all groups; groups that are frozen one by one stay so. */
export function thawFleet(given: FleetDocument, actor: Actor): FleetDecision {
  if (given.freeze === null) {
    return {
      document: given,
      answer: { ok: true, outcome: 'unchanged', text: 'there is no freeze of all groups' },
      audit: [],
    };
  }
  return {
    document: { ...given, freeze: null },
    answer: { ok: true, outcome: 'changed', text: 'the freeze of all groups is over' },
    audit: [{ action: 'thawed', group: null, id: null, ...actor }],
  };
}

/** The earliest moment at which a soak ends, in ms since 1970, or null. */
export function nextSoakEnd({ holders }: GroupDocument): number | null {
  const ends = holders.flatMap(({ soakUntil }) => soakUntil ?? []);
  return ends.length === 0 ? null : Math.min(...ends);
}

/**
 * Without the soaks that are over. One that ends later than it can when it began now was written by a clock that has
 * gone back since, or under a longer soak: it ends a whole soak from now.
 */
function expire(given: GroupDocument, { group, soakMs }: Rules, now: number): Pick<Decision, 'document' | 'audit'> {
  const latest = soakMs === 0 ? Infinity : now + soakMs + CLOCK_SLACK_MS;
  const isDone = ({ soakUntil }: Holder): boolean => soakUntil !== null && (soakUntil <= now || soakUntil > latest);
  const over = given.holders.filter(isDone);
  if (over.length === 0) return { document: given, audit: [] };
  const soakUntil = now + soakMs;
  const holders = given.holders.flatMap((holder) => {
    if (!isDone(holder)) return [holder];
    return (holder.soakUntil ?? 0) <= now ? [] : [{ ...holder, soakUntil }];
  });
  const audit = over.map(({ id, soakUntil: end }) =>
    (end ?? 0) <= now
      ? draft('soaked', group, id, { by: 'manager', reason: 'steady for the whole soak' })
      : draft('soaking', group, id, { by: 'manager', reason: `until ${utc(soakUntil)}, no longer ${utc(end ?? 0)}` }),
  );
  return { document: { ...given, holders }, audit };
}

function withHolder(document: GroupDocument, holder: Holder): GroupDocument {
  const index = indexOfHolder(document.holders, holder.id);
  const [at, old] = index < 0 ? [-index - 1, 0] : [index, 1];
  return { ...document, holders: document.holders.toSpliced(at, old, holder) };
}

function unchanged(document: GroupDocument, outcome: 'not-held' | 'soaking' | 'unchanged', text: string): Decision {
  return { document, answer: { ok: true, outcome, text }, audit: [] };
}

function draft(action: AuditAction, group: string, id: string | null, { by, reason }: Actor): AuditDraft {
  return { action, group, id, by, reason };
}

function because(what: string, reason: string): string {
  return [what, reason].filter((part) => part !== '').join(': ');
}

function retryIn(ms: number): number {
  return Math.min(Math.max(ms, 1_000), LONGEST_RETRY_MS);
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
