import { without } from '../../base/record.ts';
import { type Choice, type Denial, choose, edgeTo } from '../../graph/choose.ts';
import { outlookOf, path } from '../../graph/route.ts';
import type { Graph, Release, Target } from '../../graph/types.ts';
import { deploymentKey, releaseKey, targetOf } from '../../host/rpm-ostree/deployment.ts';
import { giveBack } from './slot.ts';
import type { AgentState, Phase, Settings } from './state.ts';
import {
  beginStaging,
  discardIsDone,
  followPending,
  foreignDeployment,
  hold,
  isChanged,
  isStaged,
  keptAway,
  leaveTarget,
  pendingNow,
} from './target.ts';
import { type Turn, arm, enter, isDue, isPending, now, patch, recovered, remember, request, retryAt } from './turn.ts';

const MOST_SKIPPED = 64;

/** Good graphs in a row without an edge to a staged release after which it counts as withdrawn. */
export const WITHDRAWN_AFTER = 2;

/** `watching`: removes what is to be removed, then follows what somebody else staged if that is the source. */
export function advanceWatching(turn: Turn): void {
  if (!discardIsDone(turn)) return;
  if (turn.state.settings.source === 'staged') followPending(turn);
}

/** Phases in which the graph is polled. */
const POLLING: ReadonlySet<Phase['name']> = new Set(['watching', 'staging', 'holding']);

/** True while the graph is of interest: also while the lock server takes its time, but not once the slot is ours. */
export function isPolling({ settings, phase, stopping, pending }: AgentState): boolean {
  if (settings.source !== 'graph' || stopping !== null) return false;
  return POLLING.has(phase.name) || (phase.name === 'releasing' && pending.lock !== undefined);
}

/** Asks for the graph when its time has come. */
export function poll(turn: Turn): void {
  if (!isPolling(turn.state) || isPending(turn, 'fetchGraph') || !isDue(turn, 'poll')) return;
  arm(turn, 'poll', null);
  patch(turn, { graphAskedAt: now(turn) });
  request(turn, { kind: 'fetchGraph' });
}

/** New settings: what was waited for under the old ones is not. */
export function pollAnew(turn: Turn, before: Settings): void {
  const { settings, due, phase } = turn.state;
  const soonest = (at: number): number => Math.min(at, due.poll ?? Infinity);
  if (settings.steadyIntervalMs < before.steadyIntervalMs && due.poll !== undefined) {
    arm(turn, 'poll', soonest(now(turn) + Math.floor(settings.steadyIntervalMs * turn.event.dice)));
  }
  if (settings.graphQuestion === before.graphQuestion) return;
  // The answer to the old question is not awaited any more, nor does what it said before count.
  patch(turn, { pending: without(turn.state.pending, 'fetchGraph'), check: null });
  if (phase.name === 'staging' || phase.name === 'holding') enter(turn, { ...phase, missing: 0 });
  // Soon, but not all hosts of a fleet at once.
  arm(turn, 'poll', soonest(retryAt(turn, 1)));
}

/** A good graph: what does it say for the release that is running now? */
export function graphRead(turn: Turn, graph: Graph): void {
  const { settings } = turn.state;
  recovered(turn, 'graph');
  arm(turn, 'poll', now(turn) + Math.floor(settings.steadyIntervalMs * (1 + turn.event.dice / 10)));
  const booted = bootedRelease(turn.state);
  if (booted === null || settings.source !== 'graph') return;
  const choice = chooseFor(turn, graph, booted);
  const pending = pendingNow(turn)?.id ?? null;
  const outlook = outlookOf(path(graph, booted));
  patch(turn, { check: { at: turn.event.at, verdict: choice.verdict, outlook, warnings: graph.warnings, pending } });
  followChoice(turn, graph, booted, choice);
  // Ordered for nothing: what comes later is not what was meant.
  if (turn.state.memory.order !== null && turn.state.phase.name === 'watching') remember(turn, { order: null });
}

function followChoice(turn: Turn, graph: Graph, booted: Pick<Target, 'scheme' | 'payload'>, choice: Choice): void {
  const { phase } = turn.state;
  // What is being staged comes first, also where the target was left in the meantime.
  if (isPending(turn, 'stage')) return;
  if (phase.name === 'watching' && choice.target !== null) take(turn, choice.target);
  const isAsking = phase.name === 'releasing' && isPending(turn, 'lock');
  if (phase.name === 'staging' || phase.name === 'holding' || isAsking) reconsider(turn, graph, booted, choice, phase);
}

/** A newer release replaces the target; one that is gone from two good graphs in a row is withdrawn. */
function reconsider(
  turn: Turn,
  graph: Graph,
  booted: Pick<Target, 'scheme' | 'payload'>,
  choice: Choice,
  phase: Extract<Phase, { name: 'staging' | 'holding' | 'releasing' }>,
): void {
  const newer =
    choice.target !== null && !same(choice.target, phase.target) && choice.target.ageIndex > phase.target.ageIndex;
  // A slot that was asked for in vain, as far as anybody knows, is given back before another release is fetched; one
  // that is being asked for, when that has ended.
  if (newer) {
    giveBack(turn);
    take(turn, choice.target);
    return;
  }
  const edge = edgeTo(graph, booted, phase.target.payload);
  if (edge === 'unknown') return;
  const missing = edge === 'present' ? 0 : phase.missing + 1;
  enter(turn, { ...phase, missing });
  if (missing < WITHDRAWN_AFTER) return;
  leaveTarget(turn, GONE);
  if (choice.target !== null) take(turn, choice.target);
}

const GONE = 'the update graph no longer leads to it';

/** Takes a release as the target: adopts it where it is staged already, waits for somebody else's, else stages it. */
function take(turn: Turn, target: Target): void {
  const removing = turn.state.memory.discard?.key === releaseKey(target);
  const { target: known } = turn.state.memory;
  const isKept = known !== null && isStaged(turn, known.release) && (!known.ours || isChanged(turn.state));
  const isTheirs = foreignDeployment(turn) !== null || isKept;
  if (isStaged(turn, target) && !removing) hold(turn, target);
  else if (!isTheirs) beginStaging(turn, target);
  else if (turn.state.phase.name !== 'watching') leaveTarget(turn, 'somebody else staged another one');
}

/** The release that runs, as the graph would name it; null before the host was read. */
export function bootedRelease(state: AgentState): Target | null {
  const booted = state.host?.booted ?? null;
  return booted === null ? null : targetOf(booted);
}

function chooseFor(turn: Turn, graph: Graph, booted: Target): Choice {
  const { settings, host } = turn.state;
  const { wall } = turn.event.at;
  const local = new Set((host?.deployments ?? []).filter((one) => !one.staged).map(deploymentKey));
  const deny = (release: Release): Denial | null => {
    const isLocal = local.has(releaseKey(release));
    return keptAway(turn, release) ?? (isLocal ? { kind: 'local', reason: 'it is on this host already' } : null);
  };
  const wariness = { configured: settings.wariness, nodeId: settings.nodeId };
  return choose(graph, { booted, deny, allowDowngrade: settings.allowDowngrade, now: wall, wariness });
}

function same(a: Target, b: Target): boolean {
  return releaseKey(a) === releaseKey(b);
}

/** The administrator does not want a version. A target of that version is left as soon as no work on it is under way. */
export function skip(turn: Turn, version: string): void {
  const { skipped } = turn.state.memory;
  if (!skipped.includes(version)) remember(turn, { skipped: [...skipped, version].slice(-MOST_SKIPPED) });
}

/** The administrator wants a version after all: nothing keeps it away any more. */
export function unskip(turn: Turn, version: string): void {
  const { skipped, quarantine, faults } = turn.state.memory;
  remember(turn, {
    skipped: skipped.filter((one) => one !== version),
    quarantine: quarantine.filter((one) => one.version !== version),
    faults: faults.filter((one) => one.version !== version),
  });
  arm(turn, 'poll', now(turn));
}
