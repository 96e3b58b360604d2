import { evaluateGates } from '../gates/evaluate.ts';
import { type ClosedGate, type GateName, isClosed } from '../gates/gate.ts';
import { inputsOf } from '../gates/inputs.ts';
import { healthOf, isHealthy, whyUnclear } from '../gates/surroundings.ts';
import { deploymentKey } from '../../host/rpm-ostree/deployment.ts';
import { surroundingsAreFresh } from './around.ts';
import { CONSENT_MS } from './consent-ms.ts';
import { callOff, forgetNotice, noticeIsOver, surprised, waitsForNewcomers } from './people.ts';
import { quarantine } from './quarantine.ts';
import type { Target } from '../../graph/types.ts';
import type { Instant } from '../../base/clock.ts';
import type { Failure } from '../../base/failure.ts';
import type { Memory } from './memory.ts';
import type { AgentState } from './state.ts';
import {
  type Turn,
  arm,
  isDue,
  isPending,
  isUnread,
  now,
  patch,
  recovered,
  remember,
  request,
  retryStreak,
  trouble,
} from './turn.ts';

/** Says loudly that this boot does not become healthy, and leaves it where that is wished. */
export function watchHealth(turn: Turn): void {
  const { settings, memory, around } = turn.state;
  // Before the first reading nothing speaks for or against it.
  if (settings.around === null || around === null) return;
  const health = healthOf(memory, around);
  if (isGoingBack(turn)) return;
  if (health.kind === 'healthy') {
    proveHealthy(turn);
    return;
  }
  if (health.kind === 'unknown') {
    arm(turn, 'health', null);
    return;
  }
  // It has had its time when it was watched for so long: an agent that starts late has seen nothing of it.
  const { healthMs, rollback } = settings.around;
  const deadline = Math.max(healthMs, turn.state.startedAt + Math.min(healthMs, WATCHED_MS));
  const isOverdue = now(turn) >= deadline;
  if (!isOverdue && turn.state.courtesy.goesBack) callOff(turn, null, 'this boot has more time to become healthy');
  arm(turn, 'health', isOverdue ? null : deadline);
  if (!isOverdue && health.kind === 'waiting') return;
  if (turn.state.troubles.health?.text !== health.reason) trouble(turn, 'health', health.reason, null);
  if (isOverdue && rollback) rollBack(turn);
}

/** This boot is what it should be, and so is the release that it is in. */
function proveHealthy(turn: Turn): void {
  recovered(turn, 'health');
  recovered(turn, 'rollback');
  for (const timer of ['health', 'rollback'] as const) if (turn.state.due[timer] !== undefined) arm(turn, timer, null);
  const { wasHealthy, lastBoot, quarantine: kept } = turn.state.memory;
  if (!wasHealthy) remember(turn, { wasHealthy: true });
  if (lastBoot === null || lastBoot.proven) return;
  const isCondemned = (one: Memory['quarantine'][number]): boolean =>
    one.key === lastBoot.key && one.reason === AT_FAULT;
  remember(turn, { lastBoot: { ...lastBoot, proven: true }, quarantine: kept.filter((one) => !isCondemned(one)) });
}

const AT_FAULT = 'its boot did not become healthy';

/** True while rpm-ostree was asked to go back, and the reboot may come; one that does not is said loudly. */
function isGoingBack(turn: Turn): boolean {
  const { memory, due } = turn.state;
  if (memory.goingBack === null) return false;
  if (isPending(turn, 'rollback') || (due.rollback !== undefined && !isDue(turn, 'rollback'))) return true;
  if (due.rollback !== undefined)
    trouble(turn, 'rollback', 'rpm-ostree was asked to go back, but the host has not rebooted', null);
  arm(turn, 'rollback', null);
  // Nobody takes back what rpm-ostree has acknowledged: in doubt the slot stays.
  return isHealthy(turn.state);
}

/** Milliseconds for which a reboot under way waits when nobody can be asked about the health of the boot. */
const UNCLEAR_MS = 60_000;
/** Milliseconds after which they are asked again then. */
const ASK_AGAIN_MS = 5_000;

/** Takes note of since when nobody can be asked. */
export function noteHealth(turn: Turn): void {
  const { around, unclearSince } = turn.state;
  const since = around?.boot.kind === 'unknown' ? (unclearSince ?? now(turn)) : null;
  if (since !== unclearSince) patch(turn, { unclearSince: since });
}

/**
 * True while a reboot under way is kept back by nothing but that the health of the boot, which was good, cannot be read
 * at the moment: it waits then, for a minute at most, and is not undone. Has it read again soon.
 */
export function healthIsUnclear(turn: Turn, closed: readonly ClosedGate[]): boolean {
  const { around, memory, unclearSince, due } = turn.state;
  if (closed.length === 0 || closed.some(({ gate }) => gate !== 'health')) return false;
  if (around === null || unclearSince === null || healthOf(memory, around).kind !== 'unknown') return false;
  if (now(turn) - unclearSince > UNCLEAR_MS) return false;
  arm(turn, 'around', Math.min(due.around ?? Infinity, around.readAt + ASK_AGAIN_MS));
  return true;
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
  const isWaiting = due.rollback !== undefined && !isDue(turn, 'rollback');
  if (!isWaiting) arm(turn, 'rollback', null);
  const before = host?.deployments.find((one) => !one.staged && deploymentKey(one) === update.from);
  if (before === undefined) {
    callOff(turn, null, GONE);
    if (troubles.rollback === undefined) trouble(turn, 'rollback', GONE, null);
    return;
  }
  const reason = heldBack(turn.state, turn.event.at);
  if (reason !== null) {
    // Who knows when it opens: people are told anew then.
    callOff(turn, before, reason);
    return;
  }
  if (isWaiting) return;
  if (!peopleKnow(turn, before) || !surroundingsAreFresh(turn)) return;
  quarantine(turn, update.key, update.version, AT_FAULT);
  const { goingBack } = turn.state.memory;
  const asked = { to: before.version, since: turn.event.at.wall, acknowledged: false };
  remember(turn, { goingBack: goingBack ?? asked });
  request(turn, { kind: 'rollback' });
}

/** True when people have had the last notice, and who came later knows for long enough as well. */
function peopleKnow(turn: Turn, before: Pick<Target, 'version'>): boolean {
  if (!noticeIsOver(turn, before, true) || waitsForNewcomers(turn, before, 0)) return false;
  if (surprised(turn.state, now(turn)) === null) return true;
  // Nobody is waited for one by one for ever: everybody is told anew.
  forgetNotice(turn);
  return noticeIsOver(turn, before, true);
}

/** Why a host does not go back now, or null. */
function heldBack(state: AgentState, at: Instant): string | null {
  const unclear = whyUnclear(state);
  if (unclear !== null) return `nobody knows whether this boot is healthy: ${unclear}`;
  const closed = evaluateGates(inputsOf(state, at, null)).filter(isClosed);
  return closed.find(({ gate }) => HOLD_BACK.has(gate))?.reason ?? null;
}

/**
 * Who was told that the host goes back hears that it does not: the boot is healthy after all, or it is not wished any
 * more. A boot that was never healthy has no other reboot of which people could have been told.
 */
export function stayHere(turn: Turn): void {
  const { memory, settings, courtesy } = turn.state;
  if (memory.wasHealthy || memory.goingBack !== null || courtesy.noticeUntil === null) return;
  if (isHealthy(turn.state)) callOff(turn, null, 'this boot is healthy after all');
  else if (settings.around?.rollback !== true) callOff(turn, null, NOT_WISHED);
}

const NOT_WISHED = 'health.rollback is off';

/** The update that led to this boot, if one did and this boot was never healthy; null also before that is known. */
function updateToUndo({ state }: Turn): Memory['lastBoot'] {
  const { memory, host, phase } = state;
  const { lastBoot, wasHealthy } = memory;
  if (typeof lastBoot?.from !== 'string' || lastBoot.proven || wasHealthy) return null;
  if (phase.name === 'starting' || phase.name === 'rebooting') return null;
  const booted = host?.booted ?? null;
  return booted !== null && deploymentKey(booted) === lastBoot.key ? lastBoot : null;
}

/** Why a rollback that was decided on must not begin any more, or null. Asked by the shell at the last moment. */
export function rollbackWithdrawn(state: AgentState, at: Instant): string | null {
  if (state.stopping !== null) return 'the agent is stopping';
  if (isHealthy(state)) return 'this boot is healthy after all';
  if (state.settings.around?.rollback !== true) return NOT_WISHED;
  if (isUnread({ state, event: { at } })) return 'what surrounds the reboot is being looked at';
  const reason = heldBack(state, at);
  if (reason !== null) return reason;
  if (at.mono - (state.around?.readAt ?? -Infinity) > CONSENT_MS) {
    return `what surrounds the reboot was last looked at more than ${CONSENT_MS / 1000} s ago`;
  }
  const somebody = surprised(state, at.mono);
  return somebody === null ? null : `${somebody.user} has logged in a moment ago`;
}

const GONE = 'the release from before the update is no longer on this host';

/** rpm-ostree reboots into the release before; one that does not come is asked for again. */
export function rolledBack(turn: Turn): void {
  const { goingBack } = turn.state.memory;
  if (goingBack !== null) remember(turn, { goingBack: { ...goingBack, acknowledged: true } });
  arm(turn, 'rollback', now(turn) + 2 * turn.state.settings.steadyIntervalMs);
}

/** It could not go back. */
export function rollbackFailed(turn: Turn, { class: kind, text }: Failure): void {
  // Only a definite no takes back what was asked for.
  const { goingBack } = turn.state.memory;
  if (kind !== 'unknown' && goingBack?.acknowledged === false) remember(turn, { goingBack: null });
  const next = retryStreak(turn, 'rollback');
  trouble(turn, 'rollback', text, next);
  arm(turn, 'rollback', next);
}
