import { type HostReading, deploymentKey, pendingDeployment, releaseKey } from '../../host/rpm-ostree/deployment.ts';
import type { Target } from '../../graph/types.ts';
import type { Failure } from '../../base/failure.ts';
import { whyNotHealthy } from '../gates/surroundings.ts';
import { mayStage } from './hooks.ts';
import { countFault } from './quarantine.ts';
import type { AgentState, Phase } from './state.ts';
import { discardIsDone, foreignDeployment, hold, isChanged, isStaged, leaveIfKeptAway } from './target.ts';
import {
  type Turn,
  arm,
  enter,
  isDue,
  isLooking,
  isPending,
  now,
  remember,
  request,
  retryAt,
  trouble,
} from './turn.ts';

type Staging = Extract<Phase, { name: 'staging' }>;

/** `staging`: starts the work when its time has come and nobody else's deployment is in the way. */
export function advanceStaging(turn: Turn, phase: Staging): void {
  if (isPending(turn, 'stage') || isLooking(turn)) return;
  if (leaveIfKeptAway(turn, phase.target) || !discardIsDone(turn)) return;
  if (foreignDeployment(turn) !== null) {
    remember(turn, { target: null });
    enter(turn, { name: 'watching' });
    return;
  }
  // A slot that is still asked for belonged to another release: its answer comes first.
  if (!isDue(turn, 'work') || turn.state.memory.slot !== null) return;
  const { target } = turn.state.memory;
  // What somebody else staged, or has changed since, is taken as it is.
  if ((target?.ours !== true || isChanged(turn.state)) && isStaged(turn, phase.target)) {
    hold(turn, phase.target);
    return;
  }
  if (mayFetch(turn, phase)) fetch(turn, phase);
}

function fetch(turn: Turn, phase: Staging): void {
  const { memory, settings } = turn.state;
  arm(turn, 'work', null);
  if (memory.target?.ours === false) remember(turn, { target: { ...memory.target, ours: true } });
  if (phase.waits !== null) enter(turn, { ...phase, waits: null });
  request(turn, { kind: 'stage', target: phase.target, allowDowngrade: settings.allowDowngrade });
}

/** Milliseconds after which it is looked at again what keeps a release from being fetched. */
const LOOK_AGAIN_MS = 60_000;

/** True when nothing around the host, and no hook, speaks against fetching the release. */
function mayFetch(turn: Turn, phase: Staging): boolean {
  const waits = whyNotYet(turn);
  if (waits === null) return mayStage(turn, phase.target);
  if (waits !== phase.waits) enter(turn, { ...phase, waits });
  arm(turn, 'work', now(turn) + LOOK_AGAIN_MS);
  return false;
}

/** Why a release is not fetched yet, as a clause, or null. */
function whyNotYet({ state }: Turn): string | null {
  const { settings, around } = state;
  if (settings.around === null) return null;
  // Nothing is known yet: soon it is.
  if (around === null) return 'the surroundings are being read';
  const unhealthy = whyNotHealthy(state);
  if (unhealthy !== null) return unhealthy;
  const isMetered = settings.around.avoidMetered && around.metered === true;
  return isMetered ? 'the network is metered (updates.network.avoid_metered)' : null;
}

/** rpm-ostree says that the release is staged: is it the one that was asked for? */
export function staged(turn: Turn, phase: Staging, reading: HostReading): void {
  const wrong = whatIsWrong(turn.state, phase.target, reading);
  const pending = pendingDeployment(reading);
  // Layering that this host has not was there before: there was nothing left to stage.
  const isOwn = pending?.layered !== true || reading.booted?.layered === true;
  const deployment = isOwn ? (pending?.id ?? null) : null;
  if (wrong === null) {
    hold(turn, phase.target, deployment);
    return;
  }
  if (pending !== null) {
    const discard = { key: deploymentKey(pending), version: pending.version, deployment, reason: wrong };
    remember(turn, { discard });
    arm(turn, 'discard', null);
  }
  stagingFailed(turn, phase, { class: 'release', text: wrong });
}

/** Compares a staged deployment with its target; null when all agrees. An administrator's layering is no matter. */
function whatIsWrong(state: AgentState, target: Target, reading: HostReading): string | null {
  const pending = pendingDeployment(reading);
  if (pending?.staged !== true) return 'rpm-ostree reported success, but nothing is staged';
  if (deploymentKey(pending) !== releaseKey(target)) {
    return `staged ${deploymentKey(pending)} where ${releaseKey(target)} was asked for`;
  }
  if (pending.version !== '' && pending.version !== target.version) {
    return `the staged release calls itself ${pending.version}, the graph calls it ${target.version}`;
  }
  const stream = state.settings.stream ?? reading.booted?.stream ?? null;
  if (stream !== null && pending.stream !== null && pending.stream !== stream) {
    return `the staged release belongs to the stream ${pending.stream}, this host to ${stream}`;
  }
  return null;
}

/** Staging did not work: try again later, or keep the release away when it is at fault once too often. */
export function stagingFailed(turn: Turn, phase: Staging, failure: Failure): void {
  const failures = phase.failures + 1;
  if (failure.class === 'release' && countFault(turn, phase.target, 'staging', failure.text)) {
    remember(turn, { target: null });
    enter(turn, { name: 'watching' });
    // Another release may be left to take.
    arm(turn, 'poll', now(turn));
    return;
  }
  const next = retryAt(turn, failures);
  trouble(turn, 'stage', failure.text, next);
  enter(turn, { ...phase, failures, progress: null });
  arm(turn, 'work', next);
}
