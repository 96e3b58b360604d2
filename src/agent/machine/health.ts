import { evaluateGates } from '../gates/evaluate.ts';
import { type GateName, isClosed } from '../gates/gate.ts';
import { inputsOf } from '../gates/inputs.ts';
import { healthOf, isHealthy } from '../gates/surroundings.ts';
import { deploymentKey } from '../../host/rpm-ostree/deployment.ts';
import { noticeIsOver } from './people.ts';
import { quarantine } from './quarantine.ts';
import type { Instant } from '../../base/clock.ts';
import type { Memory } from './memory.ts';
import type { AgentState } from './state.ts';
import { type Turn, arm, isDue, isPending, now, recovered, remember, request, retryStreak, trouble } from './turn.ts';

/** Says loudly that this boot does not become healthy, and leaves it where that is wished. */
export function watchHealth(turn: Turn): void {
  const { settings, memory, around } = turn.state;
  // Before the first reading nothing speaks for or against it.
  if (settings.around === null || around === null) return;
  const health = healthOf(memory, around);
  if (health.kind === 'healthy') {
    recovered(turn, 'health');
    for (const timer of ['health', 'rollback'] as const)
      if (turn.state.due[timer] !== undefined) arm(turn, timer, null);
    if (!memory.wasHealthy) remember(turn, { wasHealthy: true });
    return;
  }
  // It has had its time when it was watched for so long: an agent that starts late has seen nothing of it.
  const { healthMs, rollback } = settings.around;
  const deadline = Math.max(healthMs, turn.state.startedAt + Math.min(healthMs, WATCHED_MS));
  const isOverdue = now(turn) >= deadline;
  arm(turn, 'health', isOverdue ? null : deadline);
  if (!isOverdue && health.kind === 'waiting') return;
  if (turn.state.troubles.health?.text !== health.reason) trouble(turn, 'health', health.reason, null);
  if (isOverdue && rollback) rollBack(turn);
}

/** Milliseconds that a boot is watched for at the least before it is given up: the agent may start late. */
const WATCHED_MS = 60_000;

/** Gates that also keep a host from going back. */
const HOLD_BACK: ReadonlySet<GateName> = new Set(['enabled', 'pause', 'inhibitors', 'holds', 'power']);

/**
 * Goes back to the release from which this one was updated, unless the host came here in another way, or was healthy in
 * this boot: what goes wrong later is not the fault of the update. People who are here get the last notice.
 */
function rollBack(turn: Turn): void {
  const update = updateToUndo(turn);
  if (update === null || isPending(turn, 'rollback') || isPending(turn, 'hooks')) return;
  const { due, troubles, host } = turn.state;
  if (due.rollback !== undefined && !isDue(turn, 'rollback')) return;
  const before = host?.deployments.find((one) => !one.staged && deploymentKey(one) === update.from);
  if (before === undefined) {
    if (troubles.rollback === undefined) trouble(turn, 'rollback', GONE, null);
    return;
  }
  const closed = evaluateGates(inputsOf(turn.state, turn.event.at, null)).filter(isClosed);
  if (closed.some(({ gate }) => HOLD_BACK.has(gate)) || !noticeIsOver(turn, before)) return;
  arm(turn, 'rollback', null);
  quarantine(turn, update.key, update.version, 'its boot did not become healthy');
  request(turn, { kind: 'rollback' });
}

/** The update that led to this boot, if one did and this boot was never healthy; null also before that is known. */
function updateToUndo({ state }: Turn): Memory['lastBoot'] {
  const { memory, host, phase } = state;
  const { lastBoot, wasHealthy } = memory;
  if (typeof lastBoot?.from !== 'string' || wasHealthy) return null;
  if (phase.name === 'starting' || phase.name === 'rebooting') return null;
  const booted = host?.booted ?? null;
  return booted !== null && deploymentKey(booted) === lastBoot.key ? lastBoot : null;
}

/** Why a rollback that was decided on must not begin any more, or null. Asked by the shell at the last moment. */
export function rollbackWithdrawn(state: AgentState, at: Instant): string | null {
  if (state.stopping !== null) return 'the agent is stopping';
  if (isHealthy(state)) return 'this boot is healthy after all';
  const closed = evaluateGates(inputsOf(state, at, null)).filter(isClosed);
  return closed.find(({ gate }) => HOLD_BACK.has(gate))?.reason ?? null;
}

const GONE = 'the release from before the update is no longer on this host';

/** rpm-ostree reboots into the release before; one that does not come is asked for again. */
export function rolledBack(turn: Turn): void {
  arm(turn, 'rollback', now(turn) + 2 * turn.state.settings.steadyIntervalMs);
}

/** It could not go back. */
export function rollbackFailed(turn: Turn, text: string): void {
  const next = retryStreak(turn, 'rollback');
  trouble(turn, 'rollback', text, next);
  arm(turn, 'rollback', next);
}
