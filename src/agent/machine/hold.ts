import type { Failure } from '../../base/failure.ts';
import { evaluateGates } from '../gates/evaluate.ts';
import { type ClosedGate, type GateVerdict, isClosed, openFor } from '../gates/gate.ts';
import { deploymentKey } from '../../host/rpm-ostree/deployment.ts';
import type { Target } from '../../graph/types.ts';
import { confirmationRefused, slotIsConfirmed } from './confirm.ts';
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
  isPending,
  now,
  patch,
  recovered,
  remember,
  request,
  retryAt,
  retryStreak,
  trouble,
} from './turn.ts';

/** Milliseconds for which a reading of the host may stand for the present when finalize is decided on. */
export const CONSENT_MS = 5_000;

type Holding = Extract<Phase, { name: 'holding' }>;
type Releasing = Extract<Phase, { name: 'releasing' }>;

/** `holding`: compares what is staged, asks the gates, and goes on when all are open. */
export function advanceHolding(turn: Turn, phase: Holding): void {
  if (isPending(turn, 'lock') || replaced(turn, phase.target) || leaveIfKeptAway(turn, phase.target)) return;
  // After a start the recorded slot may be one of another lock server than the configured one.
  dropUnwantedSlot(turn);
  const closed = closedGates(turn, phase.refusal);
  if (closed.some((gate) => gate.gate !== 'refusal' || phase.refusal?.by !== 'lock')) giveBack(turn);
  if (closed.length > 0) {
    arm(turn, 'work', earliest(closed));
    return;
  }
  if (turn.state.settings.lock === null) finalizeWhenFresh(turn, phase.target, phase.allowUnlocked);
  else askForSlot(turn, phase, turn.state.settings.lock);
}

/** Enters `releasing`: records the intention, then sends the question. */
function askForSlot(turn: Turn, { target, allowUnlocked, missing, refusal }: Holding, lock: Lock): void {
  // It is written down before the question is sent: whatever happens, the slot will be given back.
  const { slot } = turn.state.memory;
  if (slot?.state !== 'held' && slot?.state !== 'doubtful') remember(turn, { slot: asked(turn, slot, lock) });
  const { settings } = turn.state;
  const waitMs = Math.min(settings.lockWaitMs, openFor(gates(turn, null), now(turn)));
  const last = refusal?.by === 'lock' ? refusal : null;
  enter(turn, { name: 'releasing', target, allowUnlocked, missing, waitMs, last });
  request(turn, { kind: 'lock', lock, waitMs });
}

/** A question that follows one whose outcome nobody knows cannot clear up, by coming to nothing, what that one did. */
function asked(turn: Turn, before: SlotRecord | null, lock: Lock): SlotRecord {
  if (before !== null) return { ...before, state: 'doubtful' };
  return { ...lock, state: 'asked', since: turn.event.at.wall };
}

/**
 * `releasing`: the slot is asked for, which may take minutes, and once it is ours the host is looked at a last time.
 * What closes a gate or changes the target ends the wait, or gives the slot back.
 */
export function advanceReleasing(turn: Turn, phase: Releasing): void {
  const isAsking = isPending(turn, 'lock');
  if (!isAsking && isLooking(turn)) return;
  if (replaced(turn, phase.target) || leaveIfKeptAway(turn, phase.target)) return;
  if (closedGates(turn, null).length > 0) {
    backToHolding(turn, phase, null);
    giveBack(turn);
    return;
  }
  if (!isAsking && slotIsConfirmed(turn)) finalizeWhenFresh(turn, phase.target, phase.allowUnlocked);
}

/** `rebooting` without a result: finalize again, under consent as fresh as the first time, and a slot that still holds. */
export function advanceRebooting(turn: Turn): void {
  const { phase } = turn.state;
  if (phase.name !== 'rebooting') return;
  const { work } = turn.state.due;
  if (isPending(turn, 'finalize') || (work !== undefined && work > now(turn))) return;
  const closed = closedGates(turn, null);
  if (closed.length > 0 || keptAway(turn, phase.target) !== null) {
    arm(turn, 'work', earliest(closed));
    return;
  }
  // A look that is under way may still tell where the lock is.
  if (!isLooking(turn) && slotIsConfirmed(turn)) finalizeWhenFresh(turn, phase.target, phase.allowUnlocked);
}

/** The step after which nothing can be taken back. The reading of the host must be of this moment. */
function finalizeWhenFresh(turn: Turn, target: Target, allowUnlocked: boolean): void {
  const { host, memory, bootId } = turn.state;
  const booted = host?.booted ?? null;
  // A look that is under way or due was asked for because something may have changed.
  if (isLooking(turn)) return;
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
  patch(turn, { slotConfirmedAt: now(turn) });
  const { memory, phase } = turn.state;
  const { slot } = memory;
  if (slot !== null && slot.state !== 'held') remember(turn, { slot: { ...slot, state: 'held' } });
  // What the host looked like before the question was sent does not count any more.
  if (phase.name === 'releasing' || phase.name === 'rebooting') arm(turn, 'host', now(turn));
}

/** Milliseconds that pass before the lock server is asked again at the least, whatever it says. */
const SHORTEST_PAUSE_MS = 1_000;

/** The lock server said "not now": nothing is held. */
export function slotRefused(turn: Turn, text: string, retryAfterMs: number | undefined): void {
  const { phase, settings } = turn.state;
  const wait = Math.max(retryAfterMs ?? settings.steadyIntervalMs * (1 + turn.event.dice / 10), SHORTEST_PAUSE_MS);
  const [until, said] = [now(turn) + Math.ceil(wait), `the lock server refused: ${text}`];
  if (phase.name === 'rebooting') {
    confirmationRefused(turn, said, until);
    return;
  }
  const since = askedSince(turn);
  recovered(turn, 'slot');
  remember(turn, { slot: null });
  if (phase.name === 'releasing') backToHolding(turn, phase, { by: 'lock', text: said, until, since });
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
  backToHolding(turn, phase, {
    by: 'lock',
    text: `no decision from the lock server: ${failure.text}${kept}`,
    until,
    since,
  });
}

/** Milliseconds since 1970 at which the slot was first asked for, of the questions in a row that led here. */
function askedSince(turn: Turn): number {
  const { phase, memory } = turn.state;
  const last = phase.name === 'releasing' ? phase.last : null;
  return last?.since ?? memory.slot?.since ?? turn.event.at.wall;
}

function gates(turn: Turn, refusal: Refusal | null): readonly GateVerdict[] {
  const { memory, settings } = turn.state;
  return evaluateGates({ at: turn.event.at, memory, settings, refusal });
}

function closedGates(turn: Turn, refusal: Refusal | null): readonly ClosedGate[] {
  return gates(turn, refusal).filter(isClosed);
}

function earliest(closed: readonly ClosedGate[]): number | null {
  const times = closed.flatMap((gate) => gate.lookAgain ?? []);
  // All must open: nothing is gained by looking before the last of those that name a time.
  return times.length === 0 ? null : Math.max(...times);
}
