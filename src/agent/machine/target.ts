import type { Target } from '../../graph/types.ts';
import {
  type Deployment,
  deploymentKey,
  pendingDeployment,
  releaseKey,
  targetOf,
} from '../../host/rpm-ostree/deployment.ts';
import type { Refusal } from './state.ts';
import { type Turn, arm, enter, isDue, isPending, now, recovered, remember, request } from './turn.ts';

/** What waits for the next boot according to the last reading, or null. */
export function pendingNow(turn: Turn): Deployment | null {
  return turn.state.host === null ? null : pendingDeployment(turn.state.host);
}

/** True when a release is staged: with or without an administrator's layering on it. */
export function isStaged(turn: Turn, target: Target): boolean {
  const pending = pendingNow(turn);
  return pending?.staged === true && deploymentKey(pending) === releaseKey(target);
}

/** What waits for the next boot and was put there by somebody else, or null. */
export function foreignDeployment(turn: Turn): Deployment | null {
  const pending = pendingNow(turn);
  if (pending === null) return null;
  const { target, discard } = turn.state.memory;
  const key = deploymentKey(pending);
  const ours = pending.staged && target !== null && releaseKey(target.release) === key;
  return ours || discard?.key === key ? null : pending;
}

/** Enters `holding` with a target that is staged, and writes that down. */
export function hold(turn: Turn, target: Target, allowUnlocked: boolean): void {
  remember(turn, { target: { release: target, staged: true } });
  recovered(turn, 'stage');
  recovered(turn, 'finalize');
  enter(turn, { name: 'holding', target, allowUnlocked, refusals: 0, refusal: null, missing: 0 });
}

/** Returns to `holding`, with what was said and when to try again where somebody refused. */
export function backToHolding(
  turn: Turn,
  from: { readonly target: Target; readonly allowUnlocked: boolean; readonly refusals: number },
  refusal: Refusal | null,
): void {
  const { target, allowUnlocked } = from;
  const refusals = from.refusals + (refusal === null ? 0 : 1);
  enter(turn, { name: 'holding', target, allowUnlocked, refusals, refusal, missing: 0 });
}

/** Enters `staging` for a release; what was staged for an earlier target is removed first. */
export function beginStaging(turn: Turn, target: Target): void {
  const discard = stagedByUs(turn, `replaced by ${target.version}`);
  remember(turn, { target: { release: target, staged: false }, ...discard });
  arm(turn, 'discard', null);
  enter(turn, { name: 'staging', target, failures: 0, progress: null });
  arm(turn, 'work', now(turn));
}

/** Leaves the target, and removes it where it is staged. */
export function leaveTarget(turn: Turn, reason: string): void {
  remember(turn, { target: null, ...stagedByUs(turn, reason) });
  arm(turn, 'discard', null);
  enter(turn, { name: 'watching' });
}

function stagedByUs(turn: Turn, reason: string): Pick<Turn['state']['memory'], 'discard'> | undefined {
  const { target } = turn.state.memory;
  if (target?.staged !== true || !isStaged(turn, target.release)) return undefined;
  return { discard: { key: releaseKey(target.release), version: target.release.version, reason } };
}

/** With the source `staged`, whatever is staged is the target. */
export function followPending(turn: Turn): void {
  const pending = pendingNow(turn);
  if (turn.state.settings.source === 'staged' && pending?.staged === true) hold(turn, targetOf(pending), true);
}

/** Removes a deployment of ours that must not be booted. True when there is nothing (left) to remove. */
export function discardIsDone(turn: Turn): boolean {
  const { discard } = turn.state.memory;
  if (discard === null) return true;
  if (isPending(turn, 'discard')) return false;
  const pending = pendingNow(turn);
  if (pending === null || deploymentKey(pending) !== discard.key) {
    remember(turn, { discard: null });
    arm(turn, 'discard', null);
    recovered(turn, 'discard');
    return true;
  }
  if (turn.state.due.discard !== undefined && !isDue(turn, 'discard')) return false;
  arm(turn, 'discard', null);
  request(turn, { kind: 'discard', key: discard.key });
  return false;
}
