import type { Denial } from '../../graph/choose.ts';
import type { Target } from '../../graph/types.ts';
import {
  type Deployment,
  deploymentKey,
  isUntouched,
  pendingDeployment,
  releaseKey,
  targetOf,
} from '../../host/rpm-ostree/deployment.ts';
import type { Memory } from './memory.ts';
import { quarantineOf } from './quarantine.ts';
import type { AgentState, Held, Refusal } from './state.ts';
import {
  type Turn,
  arm,
  enter,
  isDue,
  isLooking,
  isPending,
  now,
  patch,
  recovered,
  remember,
  request,
  retryStreak,
  trouble,
} from './turn.ts';

/** What waits for the next boot according to the last reading, or null. */
export function pendingNow(turn: Turn): Deployment | null {
  return turn.state.host === null ? null : pendingDeployment(turn.state.host);
}

/** True when a release is staged: with or without an administrator's layering on it. */
export function isStaged(turn: Turn, target: Target): boolean {
  const pending = pendingNow(turn);
  return pending?.staged === true && deploymentKey(pending) === releaseKey(target);
}

/** What waits for the next boot, was put there by somebody else and is not our target either, or null. */
export function foreignDeployment(turn: Turn): Deployment | null {
  return foreignIn(turn.state);
}

/** The same for a state at rest. */
export function foreignIn({ host, memory }: AgentState): Deployment | null {
  const pending = host === null ? null : pendingDeployment(host);
  if (pending === null) return null;
  const { target, discard } = memory;
  const key = deploymentKey(pending);
  const isTarget = pending.staged && target !== null && releaseKey(target.release) === key;
  return isTarget || (discard !== null && isUntouched(pending, discard)) ? null : pending;
}

/** True when somebody has changed what this agent staged: it is still the target, but not this agent's to remove. */
export function isChanged({ host, memory: { target } }: Pick<AgentState, 'host' | 'memory'>): boolean {
  const pending = host === null ? null : pendingDeployment(host);
  if (target?.ours !== true || pending?.staged !== true) return false;
  const key = releaseKey(target.release);
  return deploymentKey(pending) === key && !isUntouched(pending, { key, deployment: target.deployment });
}

/** True while the target is one that somebody else staged. */
export function isAdopted({ target }: Pick<Memory, 'target'>): boolean {
  return target?.staged === true && !target.ours;
}

/** Why a release is kept away from this host at this moment, or null. */
export function keptAway(turn: Turn, target: Pick<Target, 'scheme' | 'payload' | 'version'>): Denial | null {
  return denialOf(turn.state.memory, target, turn.event.at.wall);
}

/** The same for a memory and a moment in milliseconds since 1970. */
export function denialOf(
  { quarantine, skipped }: Pick<Memory, 'quarantine' | 'skipped'>,
  target: Pick<Target, 'scheme' | 'payload' | 'version'>,
  wall: number,
): Denial | null {
  const kept = quarantineOf(quarantine, releaseKey(target), wall);
  if (kept !== null) return { kind: 'quarantined', reason: kept.reason };
  return skipped.includes(target.version) ? { kind: 'skipped', reason: SKIPPED } : null;
}

const SKIPPED = 'skipped by an administrator';

/**
 * Enters `holding` with a target that is staged, and writes it down as this agent's. With the source `staged` it is not:
 * what is somebody else's must never be removed. What was written down before stays: it may have been staged meanwhile.
 * `staged`: the id of the deployment that has just been staged; else the one that is known.
 */
export function hold(turn: Turn, target: Target, staged?: string | null): void {
  const allowUnlocked = turn.state.settings.source === 'staged';
  const { target: known } = turn.state.memory;
  const ours = known !== null && releaseKey(known.release) === releaseKey(target) && known.ours;
  const deployment = ours ? (staged ?? known.deployment) : null;
  const record = { release: target, staged: true, ours, deployment };
  remember(turn, { discard: null, ...(allowUnlocked ? {} : { target: record }) });
  recovered(turn, 'stage');
  recovered(turn, 'finalize');
  patch(turn, { setbacks: null });
  backToHolding(turn, { target, allowUnlocked, missing: 0 }, null);
}

/**
 * Returns to `holding`, with what was said and when to try again where somebody refused. What an administrator has
 * cancelled is not tried before its time, whichever way led here.
 */
export function backToHolding(turn: Turn, { target, allowUnlocked, missing }: Held, refusal: Refusal | null): void {
  enter(turn, { name: 'holding', target, allowUnlocked, missing, refusal: cancellation(turn) ?? refusal });
}

function cancellation({ state, event: { at } }: Turn): Refusal | null {
  const { cancelled } = state.memory;
  if (cancelled === null || cancelled.until <= at.wall) return null;
  const { by, since, until } = cancelled;
  return { by: 'administrator', text: `cancelled by ${by}`, until: at.mono + (until - at.wall), since };
}

/** Enters `staging` for a release; what was staged for an earlier target is removed first. */
export function beginStaging(turn: Turn, target: Target): void {
  const { memory } = turn.state;
  const again = memory.target !== null && releaseKey(memory.target.release) === releaseKey(target);
  const discard = again ? undefined : toDiscard(turn, `replaced by ${target.version}`);
  remember(turn, { target: { release: target, staged: false, ours: false, deployment: null }, ...discard });
  arm(turn, 'discard', null);
  enter(turn, { name: 'staging', target, failures: 0, progress: null, waits: null, missing: 0 });
  arm(turn, 'work', now(turn));
}

/** Leaves a target that is kept away from this host by now. True when it was left. */
export function leaveIfKeptAway(turn: Turn, target: Target): boolean {
  const denial = keptAway(turn, target);
  if (denial !== null) leaveTarget(turn, denial.reason);
  return denial !== null;
}

/** Leaves the target, and removes it where this agent staged it. */
export function leaveTarget(turn: Turn, reason: string): void {
  remember(turn, { target: null, ...toDiscard(turn, reason) });
  arm(turn, 'discard', null);
  enter(turn, { name: 'watching' });
}

/** What this agent staged, or may have staged: an answer can be lost. It is removed if it is there. */
function toDiscard(turn: Turn, reason: string): Pick<Turn['state']['memory'], 'discard'> | undefined {
  const { target, discard } = turn.state.memory;
  // What is to be removed already was staged before: nothing has been staged since.
  if (target === null || !target.ours || discard !== null || isChanged(turn.state)) return undefined;
  const { release, deployment } = target;
  return { discard: { key: releaseKey(release), version: release.version, deployment, reason } };
}

/** With the source `staged`, whatever is staged is the target, unless it is kept away. */
export function followPending(turn: Turn): void {
  const pending = pendingNow(turn);
  if (turn.state.settings.source !== 'staged' || pending?.staged !== true) return;
  const target = targetOf(pending);
  if (keptAway(turn, target) === null) hold(turn, target);
}

/** The removal came back: a deployment that is still there is removed again, but not at once. */
export function discarded(turn: Turn): void {
  const { discard } = turn.state.memory;
  if (discard !== null && isUntouched(pendingNow(turn), discard)) {
    discardFailed(turn, 'rpm-ostree reported success, but the deployment is still there');
  }
}

/** The removal did not work: again later. */
export function discardFailed(turn: Turn, text: string): void {
  const next = retryStreak(turn, 'discard');
  trouble(turn, 'discard', text, next);
  arm(turn, 'discard', next);
}

/** Removes a deployment of ours that must not be booted. True when there is nothing (left) to remove. */
export function discardIsDone(turn: Turn): boolean {
  const { discard } = turn.state.memory;
  if (discard === null) return true;
  if (isPending(turn, 'discard') || isLooking(turn)) return false;
  // What is past being staged, or was changed since, is nobody's to remove.
  if (!isUntouched(pendingNow(turn), discard)) {
    remember(turn, { discard: null });
    arm(turn, 'discard', null);
    recovered(turn, 'discard');
    return true;
  }
  if (turn.state.due.discard !== undefined && !isDue(turn, 'discard')) return false;
  arm(turn, 'discard', null);
  request(turn, { kind: 'discard', key: discard.key, deployment: discard.deployment });
  return false;
}
