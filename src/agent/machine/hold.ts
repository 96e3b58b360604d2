import type { Failure } from '../../base/failure.ts';
import { evaluateGates } from '../gates/evaluate.ts';
import { inputsOf } from '../gates/inputs.ts';
import { type ClosedGate, type GateVerdict, isClosed, openFor } from '../gates/gate.ts';
import { deploymentKey } from '../../host/rpm-ostree/deployment.ts';
import type { Target } from '../../graph/types.ts';
import { surroundingsAreFresh } from './around.ts';
import { confirmationRefused, slotIsConfirmed } from './confirm.ts';
import { CONSENT_MS } from './consent-ms.ts';
import { healthIsUnclear } from './health.ts';
import { hasHooks, isHealthy } from '../gates/surroundings.ts';
import { act, askAgain, mayReboot, undoIsDone } from './hooks.ts';
import {
  attend,
  forgetNotice,
  greet,
  needsNotice,
  noticeIsOver,
  standsDown,
  surprised,
  waitsForNewcomers,
} from './people.ts';
import { dropUnwantedSlot, giveBack } from './slot.ts';
import {
  backToHolding,
  beginStaging,
  followPending,
  isStaged,
  keptAway,
  leaveIfKeptAway,
  pendingNow,
} from './target.ts';
import type { Lock, SlotRecord } from './memory.ts';
import type { Phase, Refusal } from './state.ts';
import {
  type Turn,
  arm,
  enter,
  isLooking,
  isUnread,
  isPending,
  now,
  patch,
  recovered,
  remember,
  request,
  retryAt,
  retryStreak,
  rarely,
  setBack,
  trouble,
} from './turn.ts';

type Holding = Extract<Phase, { name: 'holding' }>;
type Releasing = Extract<Phase, { name: 'releasing' }>;

/** `holding`: compares what is staged, asks the gates, and goes on when all are open. */
export function advanceHolding(turn: Turn, phase: Holding): void {
  // They hear so at once, whatever must be waited for.
  standsDown(turn, phase.target, closedGates(turn, phase.refusal));
  if (isPending(turn, 'lock') || replaced(turn, phase.target) || leaveIfKeptAway(turn, phase.target)) return;
  // One that is not healthy may be about to go back, of which people have notice as well.
  if (isHealthy(turn.state)) forgetNotice(turn);
  if (!undoIsDone(turn)) {
    giveBack(turn);
    arm(turn, 'work', null);
    return;
  }
  // After a start the recorded slot may be one of another lock server than the configured one.
  dropUnwantedSlot(turn);
  attend(turn, phase.target, closedGates(turn, phase.refusal));
  const closed = closedGates(turn, phase.refusal);
  if (closed.some((gate) => gate.gate !== 'refusal' || phase.refusal?.by !== 'lock')) giveBack(turn);
  if (closed.length > 0) {
    arm(turn, 'work', nextLook(turn, closed));
    askAgain(turn, phase.target, closed);
    return;
  }
  // Nothing is finalized on a host that cannot be read: nobody is asked for a slot that could not be used.
  const { troubles } = turn.state;
  if (troubles.host !== undefined || troubles.around !== undefined || !mayReboot(turn, phase.target)) return;
  if (turn.state.settings.lock !== null) askForSlot(turn, phase, turn.state.settings.lock);
  else if (isAnythingLeft(turn)) beginRelease(turn, phase, 0);
  else finalizeWhenFresh(turn, phase.target, phase.allowUnlocked);
}

/** Something is to be done between the opening of all gates and finalize. */
function isAnythingLeft(turn: Turn): boolean {
  return hasHooks(turn.state, 'pre-reboot') || needsNotice(turn.state);
}

function beginRelease(turn: Turn, { target, allowUnlocked, missing, refusal }: Holding, waitMs: number): void {
  const last = refusal?.by === 'lock' ? refusal : null;
  const rest = { waitMs, last, quietSince: now(turn), acted: false };
  enter(turn, { name: 'releasing', target, allowUnlocked, missing, ...rest });
}

/** Enters `releasing`: records the intention, then sends the question. */
function askForSlot(turn: Turn, phase: Holding, lock: Lock): void {
  // It is written down before the question is sent: whatever happens, the slot will be given back.
  const { slot } = turn.state.memory;
  if (slot?.state !== 'held' && slot?.state !== 'doubtful') remember(turn, { slot: asked(turn, slot, lock) });
  const { settings } = turn.state;
  const waitMs = Math.min(settings.lockWaitMs, openFor(gates(turn, null), now(turn)));
  beginRelease(turn, phase, waitMs);
  request(turn, { kind: 'lock', lock, waitMs });
}

/** A question that follows one whose outcome nobody knows cannot clear up, by coming to nothing, what that one did. */
function asked(turn: Turn, before: SlotRecord | null, lock: Lock): SlotRecord {
  if (before !== null) return { ...before, state: 'doubtful' };
  return { ...lock, state: 'asked', since: turn.event.at.wall };
}

/**
 * `releasing`: the slot is asked for, which may take minutes. Once it is ours people get their last notice, the hooks
 * that act are run, and everything is looked at a last time. What closes a gate or changes the target ends all of it.
 */
export function advanceReleasing(turn: Turn, phase: Releasing): void {
  const isAsking = isPending(turn, 'lock');
  const open = gates(turn, null);
  const closed = open.filter(isClosed);
  const isUnclear = healthIsUnclear(turn, closed);
  const isShut = closed.length > 0 && !isUnclear;
  // What is known to close a gate need not be looked at once more.
  if (!isShut && !isAsking && (isLooking(turn) || isUnread(turn))) {
    endUnrest(turn, phase);
    return;
  }
  if (isUnwanted(turn, phase.target)) return;
  if (isShut || (!isAsking && lacksSlot(turn))) {
    callItOff(turn, phase);
    return;
  }
  arm(turn, 'work', isUnclear ? null : now(turn) + Math.min(openFor(open, now(turn)), LONGEST_MS));
  // Hooks are not interrupted: what they do halfway cannot be undone.
  if (isPending(turn, 'hooks')) greet(turn, phase.target);
  else if (!isAsking && !isUnclear) release(turn, phase);
}

const LONGEST_MS = 2 ** 31 - 1;

/** True when the target is not what is to be booted any more; then the phase has been left. */
function isUnwanted(turn: Turn, target: Target): boolean {
  return (!isLooking(turn) && replaced(turn, target)) || leaveIfKeptAway(turn, target);
}

/** A lock that was configured since is asked first. */
function lacksSlot({ state: { settings, memory } }: Turn): boolean {
  return settings.lock !== null && memory.slot?.state !== 'held';
}

/** The slot is ours, or none is needed. One thing after another; each brings us here again when it is done. */
function release(turn: Turn, phase: Releasing): void {
  const { target, quietSince } = phase;
  if (!surroundingsAreKnown(turn, quietSince) || !noticeIsOver(turn, target)) return;
  // Who comes while hooks run is told at once, and gets a moment after them, whichever ran last.
  const since = Math.max(phase.acted ? quietSince : 0, turn.state.hooks?.at ?? 0);
  if (waitsForNewcomers(turn, target, since)) return;
  // Before the hooks act, too: nothing is drained for a reboot that somebody would keep back.
  const somebody = surprised(turn.state, now(turn));
  if (somebody !== null) {
    putOff(turn, phase, `${somebody.user} has logged in a moment ago`);
    return;
  }
  if (!phase.acted && hasHooks(turn.state, 'pre-reboot')) {
    act(turn, target);
    return;
  }
  if (!slotIsConfirmed(turn) || !mayReboot(turn, target, quietSince)) return;
  if (surroundingsAreFresh(turn, quietSince)) finalizeWhenFresh(turn, target, phase.allowUnlocked);
}

/** What was read before the grant, or before the hooks ran, does not count any more. */
function surroundingsAreKnown(turn: Turn, since: number): boolean {
  const { settings, around } = turn.state;
  if (settings.around === null || (around !== null && around.readAt >= since)) return true;
  return surroundingsAreFresh(turn, since);
}

/** Milliseconds for which a slot is held while what surrounds the reboot cannot be read in peace. */
const LONGEST_UNREST_MS = 60_000;

/** The fleet does not wait for a host whose surroundings change faster than they can be read. */
function endUnrest(turn: Turn, phase: Releasing): void {
  const { unrest } = turn.state;
  if (unrest === null || now(turn) - Math.max(unrest, turn.state.since.mono) < LONGEST_UNREST_MS) return;
  const text = 'what surrounds the reboot changes faster than it can be read';
  const until = retryAt(turn, 1);
  backToHolding(turn, phase, rarely(turn, { by: 'people', text, until, since: turn.event.at.wall }));
  giveBack(turn);
}

/** A gate has closed. Where hooks have acted they do not act again at once: what closes it may follow from what they do. */
function callItOff(turn: Turn, phase: Releasing): void {
  const text = 'it was called off when the pre-reboot hooks had acted';
  const refusal: Refusal = { by: 'hook', text, until: now(turn), since: turn.event.at.wall };
  backToHolding(turn, phase, turn.state.memory.acted === null ? null : rarely(turn, refusal));
  giveBack(turn);
}

/** Somebody would be taken by surprise: the slot goes back, and the next time everybody is told anew. */
function putOff(turn: Turn, phase: Releasing, text: string): void {
  const noticeMs = turn.state.settings.around?.people?.finalNoticeMs ?? 0;
  backToHolding(turn, phase, { by: 'people', text, until: setBack(turn, noticeMs), since: turn.event.at.wall });
  giveBack(turn);
}

/** `rebooting` without a result: finalize again, under consent as fresh as the first time, and a slot that still holds. */
export function advanceRebooting(turn: Turn): void {
  const { phase } = turn.state;
  if (phase.name !== 'rebooting') return;
  const { work } = turn.state.due;
  if (isPending(turn, 'finalize')) return;
  // What rpm-ostree has acknowledged cannot be put off any more.
  if (turn.state.memory.finalize?.outcome !== 'acknowledged') attend(turn, phase.target, closedGates(turn, null));
  if (work !== undefined && work > now(turn)) return;
  const closed = closedGates(turn, null);
  if (closed.length > 0 || keptAway(turn, phase.target) !== null) {
    arm(turn, 'work', nextLook(turn, closed));
    askAgain(turn, phase.target, closed);
    return;
  }
  // A look that is under way may still tell where the lock is.
  if (isLooking(turn)) return;
  // Nobody is told twice of one reboot, but of the next one everybody is.
  if (surprised(turn.state, now(turn)) !== null) forgetNotice(turn);
  if (!noticeIsOver(turn, phase.target)) {
    arm(turn, 'work', null);
    return;
  }
  if (!slotIsConfirmed(turn) || !mayReboot(turn, phase.target)) return;
  finalizeWhenFresh(turn, phase.target, phase.allowUnlocked);
}

/** The step after which nothing can be taken back. The reading of the host must be of this moment. */
function finalizeWhenFresh(turn: Turn, target: Target, allowUnlocked: boolean): void {
  const { host, memory, bootId } = turn.state;
  const booted = host?.booted ?? null;
  // A look that is under way or due was asked for because something may have changed.
  if (isLooking(turn) || !surroundingsAreFresh(turn)) return;
  if (host === null || booted === null || now(turn) - host.readAt > CONSENT_MS) {
    request(turn, { kind: 'look' });
    return;
  }
  const from = { key: deploymentKey(booted), version: booted.version };
  const since = memory.finalize?.since ?? turn.event.at;
  remember(turn, { finalize: { target, bootId, from, since, outcome: 'called', allowUnlocked } });
  const tries = turn.state.phase.name === 'rebooting' ? turn.state.phase.tries : 0;
  enter(turn, { name: 'rebooting', target, allowUnlocked, tries });
  arm(turn, 'work', null);
  request(turn, { kind: 'finalize', target, allowUnlocked });
}

/** True when the target is no longer what the next boot takes; then the phase has been left. */
function replaced(turn: Turn, target: Target): boolean {
  if (turn.state.host === null || isStaged(turn, target)) return false;
  giveBack(turn);
  const { memory, settings } = turn.state;
  // A target of the source `staged` is on no record: it came from whoever staged it, and so does the next one.
  const isFromGraph = settings.source === 'graph' && memory.target !== null;
  if (pendingNow(turn) === null && isFromGraph) {
    // Removed: staged again, after a pause in which somebody who removed it can say why.
    const next = retryAt(turn, 1);
    beginStaging(turn, target);
    trouble(turn, 'stage', 'the staged release was removed by somebody else', next);
    arm(turn, 'work', next);
  } else {
    if (turn.state.settings.source === 'graph') remember(turn, { target: null });
    enter(turn, { name: 'watching' });
    followPending(turn);
  }
  return true;
}

/** The lock server granted the slot, or confirmed it. */
export function slotGranted(turn: Turn): void {
  recovered(turn, 'slot');
  const { memory, phase, slotConfirmedAt } = turn.state;
  patch(turn, { slotConfirmedAt: now(turn) });
  const { slot } = memory;
  if (slot !== null && slot.state !== 'held') remember(turn, { slot: { ...slot, state: 'held' } });
  // What the host looked like before the question was sent does not count any more. A slot that is confirmed was ours
  // all the time: what the hooks said under it still counts, or those that take long would be asked for ever.
  if (phase.name === 'releasing' && !phase.acted && (slotConfirmedAt ?? -Infinity) < phase.quietSince)
    enter(turn, { ...phase, quietSince: now(turn) });
  if (phase.name === 'releasing' || phase.name === 'rebooting') arm(turn, 'host', now(turn));
}

/** Milliseconds that pass before the lock server is asked again at the least, whatever it says. */
const SHORTEST_PAUSE_MS = 1_000;

/** The lock server said "not now": nothing is held. */
export function slotRefused(turn: Turn, text: string, retryAfterMs: number | undefined): void {
  const { phase, settings } = turn.state;
  const wait = Math.max(retryAfterMs ?? settings.steadyIntervalMs * (1 + turn.event.dice / 10), SHORTEST_PAUSE_MS);
  const [until, said] = [now(turn) + Math.ceil(wait), `the lock manager refused: ${text}`];
  if (phase.name === 'rebooting') {
    confirmationRefused(turn, said, until);
    return;
  }
  const since = askedSince(turn);
  recovered(turn, 'slot');
  remember(turn, { slot: null });
  if (phase.name === 'releasing') backToHolding(turn, phase, rarely(turn, { by: 'lock', text: said, until, since }));
}

/**
 * The lock server decided nothing. Whether the slot is ours is not known, and the record of it stays, unless this
 * question certainly came to nothing (`transient`) and none with an unknown outcome went before it.
 */
export function lockFailed(turn: Turn, failure: Failure): void {
  const { phase, memory, stopping } = turn.state;
  const until = Math.max(retryStreak(turn, 'slot'), now(turn) + (failure.retryAfterMs ?? 0));
  if (phase.name === 'rebooting') {
    if (stopping === null) confirmationRefused(turn, failure.text, until);
    return;
  }
  const since = askedSince(turn);
  const isDoubtful = memory.slot !== null && memory.slot.state !== 'asked';
  if (memory.slot?.state === 'asked' && failure.class === 'transient') remember(turn, { slot: null });
  // A question that was given up was not answered: that is no trouble.
  if (phase.name !== 'releasing' || stopping !== null) return;
  trouble(turn, 'slot', failure.text, until);
  const kept = isDoubtful ? '; a slot that may be held already is kept' : '';
  const text = `no decision from the lock manager: ${failure.text}${kept}`;
  backToHolding(turn, phase, rarely(turn, { by: 'lock', text, until, since }));
}

/** Milliseconds since 1970 at which the slot was first asked for, of the questions in a row that led here. */
function askedSince(turn: Turn): number {
  const { phase, memory } = turn.state;
  const last = phase.name === 'releasing' ? phase.last : null;
  return last?.since ?? memory.slot?.since ?? turn.event.at.wall;
}

function gates(turn: Turn, refusal: Refusal | null): readonly GateVerdict[] {
  return evaluateGates(inputsOf(turn.state, turn.event.at, refusal));
}

function closedGates(turn: Turn, refusal: Refusal | null): readonly ClosedGate[] {
  return gates(turn, refusal).filter(isClosed);
}

/** When to look at closed gates again: whoever asks is to be told of each that opens. Past moments tell of nothing. */
function nextLook(turn: Turn, closed: readonly ClosedGate[]): number | null {
  const times = closed.flatMap(({ lookAgain }) => (lookAgain !== null && lookAgain > now(turn) ? lookAgain : []));
  return times.length === 0 ? null : Math.min(...times);
}
