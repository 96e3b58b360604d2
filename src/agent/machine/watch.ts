import { type Choice, choose, edgeTo } from '../../graph/choose.ts';
import type { Graph, Release, Target } from '../../graph/types.ts';
import { deploymentKey, releaseKey, targetOf } from '../../host/rpm-ostree/deployment.ts';
import { quarantineOf } from './quarantine.ts';
import type { AgentState, Phase } from './state.ts';
import {
  beginStaging,
  discardIsDone,
  followPending,
  foreignDeployment,
  hold,
  isStaged,
  leaveTarget,
} from './target.ts';
import { type Turn, arm, enter, isDue, isPending, now, patch, recovered, remember, request } from './turn.ts';

/** Good graphs in a row without an edge to a staged release after which it counts as withdrawn. */
export const WITHDRAWN_AFTER = 2;

/** `watching`: removes what is to be removed, then follows what somebody else staged if that is the source. */
export function advanceWatching(turn: Turn): void {
  if (!discardIsDone(turn)) return;
  if (turn.state.settings.source === 'staged') followPending(turn);
}

/** Phases in which the graph is polled. */
const POLLING: ReadonlySet<Phase['name']> = new Set(['watching', 'staging', 'holding']);

/** True while the graph is of interest. */
export function isPolling(state: AgentState): boolean {
  return state.settings.source === 'graph' && POLLING.has(state.phase.name) && !state.stopping;
}

/** Asks for the graph when its time has come. */
export function poll(turn: Turn): void {
  if (!isPolling(turn.state) || isPending(turn, 'fetchGraph') || !isDue(turn, 'poll')) return;
  arm(turn, 'poll', null);
  request(turn, { kind: 'fetchGraph' });
}

/** A good graph: what does it say for the release that is running now? */
export function graphRead(turn: Turn, graph: Graph): void {
  const { settings } = turn.state;
  recovered(turn, 'graph');
  arm(turn, 'poll', now(turn) + Math.floor(settings.steadyIntervalMs * (1 + turn.event.dice / 10)));
  const booted = bootedRelease(turn.state);
  if (booted === null) return;
  const choice = chooseFor(turn, graph, booted);
  patch(turn, { check: { at: turn.event.at, verdict: choice.verdict, warnings: graph.warnings } });
  followChoice(turn, graph, booted, choice);
}

function followChoice(turn: Turn, graph: Graph, booted: Pick<Target, 'scheme' | 'payload'>, choice: Choice): void {
  const { phase } = turn.state;
  if (phase.name === 'watching' && choice.target !== null) take(turn, choice.target);
  if (phase.name === 'staging' && !isPending(turn, 'stage')) {
    if (edgeTo(graph, booted, phase.target.payload) === 'absent') leaveTarget(turn, GONE);
    if (choice.target === null) return;
    if (turn.state.phase.name === 'watching') take(turn, choice.target);
    else if (!same(choice.target, phase.target)) take(turn, choice.target);
  }
  if (phase.name === 'holding') reconsider(turn, graph, booted, choice, phase);
}

/** While holding: a newer release replaces the staged one, and one that is gone from two good graphs is withdrawn. */
function reconsider(
  turn: Turn,
  graph: Graph,
  booted: Pick<Target, 'scheme' | 'payload'>,
  choice: Choice,
  phase: Extract<Phase, { name: 'holding' }>,
): void {
  const newer =
    choice.target !== null && !same(choice.target, phase.target) && choice.target.ageIndex > phase.target.ageIndex;
  // A slot that was asked for belongs to the staged release: it is given back before another one is fetched.
  if (newer && turn.state.memory.slot === null && !isPending(turn, 'lock')) {
    take(turn, choice.target);
    return;
  }
  const edge = edgeTo(graph, booted, phase.target.payload);
  if (edge === 'unknown') return;
  const missing = edge === 'present' ? 0 : phase.missing + 1;
  enter(turn, { ...phase, missing });
  if (missing >= WITHDRAWN_AFTER) leaveTarget(turn, GONE);
}

const GONE = 'the update graph no longer leads to it';

/** Takes a release as the target: adopts it where it is staged already, waits for somebody else's, else stages it. */
function take(turn: Turn, target: Target): void {
  if (isStaged(turn, target)) hold(turn, target, false);
  else if (foreignDeployment(turn) === null) beginStaging(turn, target);
  else if (turn.state.phase.name !== 'watching') enter(turn, { name: 'watching' });
}

/** The release that runs, as the graph would name it; null before the host was read. */
export function bootedRelease(state: AgentState): Target | null {
  const booted = state.host?.booted ?? null;
  return booted === null ? null : targetOf(booted);
}

function chooseFor(turn: Turn, graph: Graph, booted: Target): Choice {
  const { memory, settings, host } = turn.state;
  const { wall } = turn.event.at;
  const local = new Set((host?.deployments ?? []).filter((one) => !one.staged).map(deploymentKey));
  const deny = (release: Release): ReturnType<Parameters<typeof choose>[1]['deny']> => {
    const key = releaseKey(release);
    const kept = quarantineOf(memory.quarantine, key, wall);
    if (kept !== null) return { kind: 'quarantined', reason: kept.reason };
    if (memory.skipped.includes(release.version)) return { kind: 'skipped', reason: 'skipped by an administrator' };
    return local.has(key) ? { kind: 'local', reason: 'it is on this host already, and was left' } : null;
  };
  const wariness = { configured: settings.wariness, nodeId: settings.nodeId };
  return choose(graph, { booted, deny, allowDowngrade: settings.allowDowngrade, now: wall, wariness });
}

function same(a: Target, b: Target): boolean {
  return releaseKey(a) === releaseKey(b);
}

/** The administrator does not want a version: a target of that version is left. */
export function skip(turn: Turn, version: string): void {
  const { memory, phase } = turn.state;
  if (!memory.skipped.includes(version)) remember(turn, { skipped: [...memory.skipped, version].slice(-64) });
  // Work under way is not torn: what it brings is left when it ends.
  const idle = !isPending(turn, 'stage') && !isPending(turn, 'lock');
  const leaves = phase.name === 'holding' || phase.name === 'staging' || phase.name === 'releasing';
  if (idle && leaves && phase.target.version === version) leaveTarget(turn, 'skipped by an administrator');
}
