import type { Instant } from '../../base/clock.ts';
import { utc } from '../../base/text.ts';
import { type GateName, isClosed } from '../gates/gate.ts';
import { foreignPending, gatesOf, mayBeAdopted } from '../machine/explain.ts';
import type { AgentState, Phase } from '../machine/state.ts';
import { wallOf } from './moment.ts';
import type { Next } from './report.ts';

type Asked = (state: AgentState, at: Instant) => Next;

/** What happens next by itself, and when. */
export function nextOf(state: AgentState, at: Instant): Next {
  if (state.stopping !== null) return now('event', 'the agent stops');
  return PHASES[state.phase.name](state, at);
}

const PHASES: Readonly<Record<Phase['name'], Asked>> = {
  starting: ({ due }, at) => timed('look', 'the deployments of this host are read', due.host, at),
  disabled: ({ settings }) => now('nothing', settings.enabled ? 'nothing' : 'nothing, until that is changed'),
  watching,
  staging,
  holding,
  releasing,
  rebooting,
};

function now(kind: string, text: string): Next {
  return { kind, text, at: null };
}

/** A moment that is over has come: it happens now. */
function timed(kind: string, text: string, mono: number | null | undefined, at: Instant): Next {
  return { kind, text, at: mono === null || mono === undefined || mono <= at.mono ? null : wallOf(mono, at) };
}

function watching(state: AgentState, at: Instant): Next {
  const { memory, due, pending, settings, graphAskedAt } = state;
  if (pending.rollback !== undefined) return now('reboot', 'this host goes back to the release before, and reboots');
  const foreign = foreignPending(state);
  if (foreign !== null && !mayBeAdopted(state, foreign)) {
    return now('event', `nothing, until ${foreign.version} is booted or removed`);
  }
  if (memory.discard !== null)
    return timed('stage', `the staged ${memory.discard.version} is removed`, due.discard, at);
  if (settings.source === 'staged') return now('event', 'nothing, until somebody stages a deployment');
  if (pending.fetchGraph !== undefined) {
    const since = wallOf(graphAskedAt, at);
    return now('poll', `the answer of the update server is awaited${since === null ? '' : ` since ${utc(since)}`}`);
  }
  return timed('poll', 'the update server is asked', due.poll, at);
}

function staging({ phase, pending, due, running, troubles }: AgentState, at: Instant): Next {
  if (phase.name !== 'staging') return now('event', '');
  const { version } = phase.target;
  if (pending.stage !== undefined) return now('stage', `${version} is fetched and staged; then the gates decide`);
  if (running?.event === 'pre-stage') return now('hooks', 'the pre-stage hooks run to their end');
  const isFirst = phase.waits === null && troubles.stage === undefined;
  const what = isFirst ? `${version} is fetched` : `fetching ${version} is tried again`;
  return timed('stage', what, due.work, at);
}

/** What happens when a gate opens by itself, or is tried again. */
const OPENS: Readonly<Partial<Record<GateName, string>>> = {
  freeze: 'the dates that are kept free are over',
  pause: 'the pause ends',
  clock: 'the clock is not waited for any longer',
  window: 'a window opens',
  uptime: 'this host is up for long enough',
  postponed: 'the time by which it was postponed is over',
  holds: 'the marker is over',
  people: 'people are not waited for any longer',
  refusal: 'it is tried again',
};

/** What happens when a gate closes by itself. */
const CLOSES: Readonly<Partial<Record<GateName, string>>> = {
  freeze: 'dates that are kept free of reboots begin',
  window: 'the window closes',
};

/** What comes, unless a gate that is open closes before it, or then. */
function unlessClosed(next: Next, state: AgentState, at: Instant): Next {
  if (next.at === null) return next;
  const closings = gatesOf(state, at).flatMap((gate) => {
    const closes = gate.open ? wallOf(gate.until, at) : null;
    if (!gate.open || closes === null) return [];
    return [{ at: closes, text: gate.despite === undefined ? (CLOSES[gate.gate] ?? 'a gate closes') : ORDER_ENDS }];
  });
  const first = closings.reduce((best, one) => (one.at < best.at ? one : best), { at: Infinity, text: '' });
  return first.at <= next.at ? { kind: 'gate', ...first } : next;
}

const ORDER_ENDS = 'the ordered update (update --now) is over';

function holding(state: AgentState, at: Instant): Next {
  return unlessClosed(inHolding(state, at), state, at);
}

/** All gates must open: what counts is the last of those that do so by themselves. */
function inHolding(state: AgentState, at: Instant): Next {
  const { phase, pending, running, memory, due } = state;
  if (phase.name !== 'holding') return now('event', '');
  if (memory.acted !== null) return timed('hooks', 'the reboot-cancelled hooks run', due.undo, at);
  if (running !== null) return now('hooks', `the ${running.event} hooks run to their end`);
  const closed = gatesOf(state, at).filter(isClosed);
  if (closed.length === 0) {
    return pending.lock === undefined
      ? now('finalize', `${phase.target.version} is finalized, and this host reboots`)
      : now('slot', 'the question for the slot ends');
  }
  const moments = closed.map((one) => ({ gate: one.gate, at: momentOf(state, one, at) }));
  const stuck = moments.filter((one) => one.at === null && one.gate !== 'people');
  if (stuck.length > 0) return stuckOn(state, stuck, at);
  const last = moments.reduce((best, one) => ((one.at ?? 0) >= (best.at ?? 0) ? one : best));
  const text = OPENS[last.gate] ?? 'the gates are looked at again';
  return { kind: 'gate', text: last.gate === 'refusal' ? refused(phase) : text, at: last.at };
}

function refused({ refusal }: Extract<Phase, { name: 'holding' }>): string {
  return refusal?.by === 'lock' ? 'the lock manager is asked again' : 'it is tried again';
}

/** What has no moment: nothing happens before it, but for what is tried again meanwhile. */
function stuckOn({ hooks, troubles }: AgentState, stuck: readonly { readonly gate: GateName }[], at: Instant): Next {
  const [first] = stuck;
  if (stuck.length === 1 && first?.gate === 'hooks' && hooks !== null) {
    return timed('hooks', 'the may-reboot hooks are asked again', hooks.until, at);
  }
  if (stuck.length === 1 && first?.gate === 'report') {
    return timed('slot', 'the lock manager is told again that this host is steady', troubles.report?.nextTry, at);
  }
  const names = stuck.map(({ gate }) => gate).join(', ');
  return now('event', `nothing, until ${stuck.length === 1 ? 'this gate opens' : 'these gates open'}: ${names}`);
}

function momentOf(
  { phase }: AgentState,
  {
    gate,
    opensAt,
    lookAgain,
  }: { readonly gate: GateName; readonly opensAt?: number; readonly lookAgain: number | null },
  at: Instant,
): number | null {
  if (opensAt !== undefined) return opensAt;
  if (gate === 'hooks' || gate === 'holds' || phase.name !== 'holding') return null;
  return wallOf(lookAgain, at);
}

function releasing(state: AgentState, at: Instant): Next {
  const { phase, pending, running, courtesy, memory, settings } = state;
  if (phase.name !== 'releasing') return now('event', '');
  if (pending.lock !== undefined) {
    return now('slot', `the lock manager answers for group ${(memory.slot ?? settings.lock)?.group ?? ''}`);
  }
  if (running !== null) return now('hooks', `the ${running.event} hooks run to their end`);
  const { noticeUntil } = courtesy;
  if (noticeUntil !== null && noticeUntil > at.mono)
    return unlessClosed(timed('notice', 'the last notice of people ends', noticeUntil, at), state, at);
  return now('finalize', `${phase.target.version} is finalized, and this host reboots`);
}

function rebooting({ phase, pending, memory, due, troubles }: AgentState, at: Instant): Next {
  if (phase.name !== 'rebooting') return now('event', '');
  const { version } = phase.target;
  if (pending.finalize !== undefined) return now('finalize', `rpm-ostree finalizes ${version} and reboots this host`);
  if (memory.finalize?.outcome === 'acknowledged' && troubles.reboot === undefined) {
    const until = wallOf(due.work, at);
    const patience = until === null ? '' : ` (waited for until ${utc(until)})`;
    return now('reboot', `this host goes down and comes up in ${version}${patience}`);
  }
  if (pending.lock !== undefined) return now('slot', 'the lock manager confirms the slot');
  return timed('finalize', `finalizing ${version} is tried again`, due.work, at);
}
