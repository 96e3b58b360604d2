import { healthOf } from '../gates/surroundings.ts';
import { deploymentKey } from '../../host/rpm-ostree/deployment.ts';
import { quarantine } from './quarantine.ts';
import type { AgentState } from './state.ts';
import { type Turn, arm, isDue, isPending, now, recovered, request, retryStreak, trouble } from './turn.ts';

/** True when this boot is known to be what it should be. */
export function isHealthy({ settings, memory, around }: Pick<AgentState, 'settings' | 'memory' | 'around'>): boolean {
  return settings.around === null || healthOf(memory, around).kind === 'healthy';
}

/** Says loudly that this boot does not become healthy, and leaves it where that is wished. */
export function watchHealth(turn: Turn): void {
  const { settings, memory, around, troubles } = turn.state;
  // Before the first reading nothing speaks for or against it.
  if (settings.around === null || around === null) return;
  const health = healthOf(memory, around);
  if (health.kind === 'healthy') {
    recovered(turn, 'health');
    for (const timer of ['health', 'rollback'] as const)
      if (turn.state.due[timer] !== undefined) arm(turn, timer, null);
    return;
  }
  const { healthMs, rollback } = settings.around;
  const isOverdue = now(turn) >= healthMs;
  arm(turn, 'health', isOverdue ? null : healthMs);
  if (!isOverdue && health.kind === 'waiting') return;
  if (troubles.health?.text !== health.reason) trouble(turn, 'health', health.reason, null);
  if (isOverdue && rollback) rollBack(turn);
}

/** Goes back to the release from which this one was updated, unless the host came here in another way. */
function rollBack(turn: Turn): void {
  const { memory, host, phase, due } = turn.state;
  const { lastBoot } = memory;
  const from = lastBoot?.from ?? null;
  if (host === null || lastBoot === null || from === null || phase.name === 'rebooting') return;
  if (isPending(turn, 'rollback') || (due.rollback !== undefined && !isDue(turn, 'rollback'))) return;
  const isThere = host.deployments.some((one) => !one.staged && deploymentKey(one) === from);
  if (!isThere) {
    if (turn.state.troubles.rollback === undefined) trouble(turn, 'rollback', GONE, null);
    return;
  }
  arm(turn, 'rollback', null);
  quarantine(turn, lastBoot.key, lastBoot.version, 'its boot did not become healthy');
  request(turn, { kind: 'rollback' });
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
