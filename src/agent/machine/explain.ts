import { utc } from '../../base/text.ts';
import type { Instant } from '../../base/clock.ts';
import { explainVerdict } from '../../graph/why.ts';
import type { Deployment } from '../../host/rpm-ostree/deployment.ts';
import { evaluateGates } from '../gates/evaluate.ts';
import { inputsOf } from '../gates/inputs.ts';
import { type ClosedGate, type GateName, type GateVerdict, isClosed } from '../gates/gate.ts';
import type { AgentState, Phase, Timer, TroubleSource } from './state.ts';
import { foreignIn, isAdopted, isChanged } from './target.ts';

/** Every gate as it stands now. */
export function gatesOf(state: AgentState, at: Instant): readonly GateVerdict[] {
  const refusal = state.phase.name === 'holding' ? state.phase.refusal : null;
  return evaluateGates(inputsOf(state, at, refusal));
}

/**
 * The state in one line, for systemd and for people: what, why, and until when. Times are UTC, so that the line does
 * not depend on who reads it.
 */
export function statusLine(state: AgentState, at: Instant): string {
  if (state.stopping !== null) return 'stopping';
  return PHASE_LINES[state.phase.name](state, at) + besides(state, at);
}

/** What else is at work here. With the source `staged`, those that only stage are no news. */
function besides(state: AgentState, at: Instant): string {
  const { drivers, settings } = state;
  const what = settings.source === 'staged' ? 'rebooting' : 'updating';
  const others =
    drivers.length === 0 ? '' : `; also ${what} this host: ${drivers.map((driver) => driver.name).join(', ')}`;
  const isSaid = state.phase.name === 'holding' || state.memory.acted?.undo !== true;
  const undone = isSaid ? [] : undoing(state, at);
  return [unhealthy(state), ...undone.map((text) => `; ${text}`), others].join('');
}

/** A gate says so as well, but not every phase asks the gates. */
function unhealthy({ troubles, memory, phase }: AgentState): string {
  if (troubles.health === undefined || phase.name === 'holding') return '';
  const slot = memory.owed.find((report) => report.slot);
  const kept = slot === undefined ? '' : `, and the slot of group ${slot.group} is kept`;
  return `; this boot is not healthy: ${troubles.health.text}${kept}`;
}

const PHASE_LINES: Readonly<Record<Phase['name'], (state: AgentState, at: Instant) => string>> = {
  starting: (state, at) => `starting: reading the deployments of this host${troubled(state, 'host', at)}`,
  disabled: ({ phase }) => `disabled: ${phase.name === 'disabled' ? phase.reason : ''}`,
  watching: (state, at) => `${running(state)}; ${watching(state, at)}`,
  staging: (state, at) => {
    const { phase } = state;
    if (phase.name !== 'staging') return '';
    if (phase.waits !== null) return `${phase.target.version} is not fetched yet: ${phase.waits}`;
    const progress = phase.progress === null ? '' : ` (${phase.progress})`;
    const line = `staging ${phase.target.version}`;
    return line + progress + troubled(state, 'stage', at).replace(`: ${line}`, '');
  },
  holding: (state, at) => {
    const { phase } = state;
    if (phase.name !== 'holding') return '';
    const reasons = [...undoing(state, at), ...closedOf(state, at).map((gate) => reasonOf(gate, state, at))];
    const why = reasons.length === 0 ? whatNext(state) : `waiting: ${reasons.join('; ')}`;
    return `${phase.target.version} is staged; ${why}${unlockedNote(state)}`;
  },
  releasing: (state, at) => {
    const { phase, pending } = state;
    if (phase.name !== 'releasing') return '';
    const isAsking = pending.lock !== undefined;
    return `${phase.target.version} is staged; ${isAsking ? asking(state, phase) : lastSteps(state, at)}`;
  },
  rebooting: (state, at) => {
    const { phase, memory } = state;
    if (phase.name !== 'rebooting') return '';
    // Refused before, and called again: nothing is known to be under way.
    const isRetry = memory.finalize?.outcome === 'called' && phase.tries === 0 && state.troubles.finalize !== undefined;
    if (isRetry) return `${phase.target.version} is staged; finalizing it again${troubled(state, 'finalize', at)}`;
    const since = memory.finalize === null ? '' : ` since ${utc(memory.finalize.since.wall)}`;
    const sources = ['finalize', 'reboot', 'slot'] as const;
    const troubles = sources.map((source) => troubled(state, source, at)).join('');
    return `rebooting into ${phase.target.version}${since}${troubles}${troubles === '' ? '' : inDoubt(state, at)}`;
  },
};

/** What the hooks that act did is undone before anything else. */
function undoing({ memory, troubles }: AgentState, at: Instant): readonly string[] {
  if (memory.acted === null) return [];
  const again =
    troubles.undo === undefined ? '' : `: ${troubles.undo.text}${when(troubles.undo.nextTry, at, ', next try at ')}`;
  return [`what the pre-reboot hooks did is being undone (reboot-cancelled)${again}`];
}

/** Everything is open. */
function whatNext({ pending, running, troubles }: AgentState): string {
  const unread = troubles.host ?? troubles.around;
  if (unread !== undefined) return `the host is read first: ${unread.text}`;
  if (pending.lock !== undefined) return 'the question for the slot is given up';
  return running?.event === 'may-reboot' ? 'the may-reboot hooks are asked' : 'about to be finalized';
}

/** What is done between the grant and finalize. */
function lastSteps({ memory, running, courtesy }: AgentState, at: Instant): string {
  const held = memory.slot === null ? '' : 'the slot is held, ';
  if (running !== null)
    return `${held}the ${running.event} hooks are running since ${utc(at.wall - (at.mono - running.since))}`;
  const { noticeUntil } = courtesy;
  if (noticeUntil !== null && noticeUntil > at.mono)
    return `${held}people have their last notice${when(noticeUntil, at, ' until ')}`;
  return `${held}the host is looked at once more`;
}

/** A question that may take as long as the lock server likes looks like a hang unless it says what it is. */
function asking({ memory, settings }: AgentState, { waitMs, last }: Extract<Phase, { name: 'releasing' }>): string {
  const group = settings.lock?.group ?? '';
  if (waitMs === 0) return `asking for the slot of group ${group}`;
  const since = last?.since ?? memory.slot?.since;
  const asked = since === undefined ? '' : `asked since ${utc(since)}; `;
  const before = last === null ? '' : `; before, ${last.text}`;
  return `waiting for a slot of group ${group} (${asked}the server answers the moment one is free)${before}`;
}

/** What holds while nobody knows whether the reboot will come. */
function inDoubt(state: AgentState, at: Instant): string {
  const kept = state.memory.slot === null ? '' : '; the slot is kept';
  const reasons = closedOf(state, at).map((gate) => reasonOf(gate, state, at));
  return kept + (reasons.length === 0 ? '' : `; not tried again while ${reasons.join('; ')}`);
}

function closedOf(state: AgentState, at: Instant): readonly (GateVerdict & ClosedGate)[] {
  return gatesOf(state, at).filter(isClosed);
}

function running(state: AgentState): string {
  const booted = state.host?.booted ?? null;
  return booted === null ? 'no release known' : `running ${booted.version}`;
}

function watching(state: AgentState, at: Instant): string {
  const foreign = foreignPending(state);
  if (foreign !== null) return foreignNote(state, foreign, at);
  if (state.memory.discard !== null) {
    const { version, reason } = state.memory.discard;
    return `removing the staged ${version}: ${reason}${troubled(state, 'discard', at)}`;
  }
  if (state.settings.source === 'staged') return 'waiting for somebody to stage a deployment';
  if (state.troubles.graph !== undefined) return `no answer from the update server${troubled(state, 'graph', at)}`;
  if (state.check === null) return `the update graph is asked first${when(nextOf(state, 'poll'), at, ' at ')}`;
  const verdict =
    state.check.verdict === null ? 'the update graph is asked again' : explainVerdict(state.check.verdict);
  return `${verdict}${when(nextOf(state, 'poll'), at, '; next look at ')}`;
}

/** What waits for the next boot and is not this agent's, or null. */
export function foreignPending(state: AgentState): Deployment | null {
  return state.phase.name === 'watching' ? foreignIn(state) : null;
}

/** True when the graph may still turn out to lead to what somebody else staged: it is asked before that is left alone. */
export function mayBeAdopted(state: AgentState, { id, staged }: Deployment): boolean {
  return staged && state.settings.source === 'graph' && state.check?.pending !== id;
}

function foreignNote(state: AgentState, pending: Deployment, at: Instant): string {
  const what = pending.staged
    ? `${pending.version} was staged by somebody else and applies at the next reboot, unless it is locked`
    : `the next boot goes to ${pending.version}, as somebody else decided`;
  if (mayBeAdopted(state, pending)) {
    return `${what}; the update graph is asked whether it leads there${when(nextOf(state, 'poll'), at, ' at ')}`;
  }
  return `${what}; it is left alone until it is booted or removed (rpm-ostree cleanup -p)`;
}

/** A deployment of somebody else's that was not locked needs nobody's consent to be booted. */
function unlockedNote(state: AgentState): string {
  const risk = 'if unlocked, it applies at any reboot';
  if (state.settings.source === 'staged' || isAdopted(state.memory)) return `; it was staged by somebody else: ${risk}`;
  return isChanged(state) ? `; it was changed by somebody else since it was staged: ${risk}` : '';
}

function reasonOf(closed: ReturnType<typeof closedOf>[number], state: AgentState, at: Instant): string {
  const { gate, reason, lookAgain, opensAt } = closed;
  if (gate === 'report') return reason + troubled(state, 'report', at);
  if (opensAt !== undefined) return `${reason}, until ${utc(opensAt)}`;
  const again = AGAIN[gate];
  return again === undefined ? reason : reason + when(lookAgain, at, again);
}

/** Gates that are tried again at a moment, which may not open them. */
const AGAIN: Readonly<Partial<Record<GateName, string>>> = {
  refusal: ', next try at ',
  hooks: ', asked again at ',
};

function troubled(state: AgentState, source: TroubleSource, at: Instant): string {
  const trouble = state.troubles[source];
  if (trouble === undefined) return '';
  const tries = trouble.count === 1 ? '' : ` (${trouble.count} times since ${utc(trouble.since.wall)})`;
  return `: ${trouble.text}${tries}${when(trouble.nextTry, at, ', next try at ')}`;
}

function nextOf(state: AgentState, timer: Timer): number | null {
  return state.due[timer] ?? null;
}

/** A moment to come on the boot clock for people: `at 2026-07-23T14:00:00Z`; nothing for one that is past. */
function when(mono: number | null, at: Instant, before: string): string {
  if (mono === null || mono < at.mono) return '';
  const wall = at.wall + (mono - at.mono);
  return `${before}${utc(wall)}`;
}
