import type { Instant } from '../base/clock.ts';
import type { GateVerdict } from '../agent/gates/gate.ts';
import { gatesOf } from '../agent/machine/explain.ts';
import type { AgentState, Check } from '../agent/machine/state.ts';
import { reachesAt, wariness } from '../graph/rollout.ts';
import type { World } from './world.ts';

/** Looks at the graph and around that would find all as it was are left out: the state after them. */
export interface Leap {
  readonly state: AgentState;
  /** Milliseconds since boot at which the machine wants its next tick. */
  readonly wake: number;
  /** How many looks at the graph were left out, and when the last would have been (ms since 1970). */
  readonly polls: number;
  readonly last: number;
}

/** Milliseconds that are not worth a leap, and that are left before something changes: the machine waits a minute at most. */
const SHORTEST_MS = 3_600_000;
const MARGIN_MS = 300_000;

/**
 * Leaves out what cannot change anything: while the agent watches or holds, nothing is under way and no moment comes at
 * which time alone changes something, a look at the graph or around only sets its own timer anew. Null where that is not
 * so, or not for long. The agent must have nothing more to do at this moment.
 */
export function leap(state: AgentState, at: Instant, world: World): Leap | null {
  const { check, due } = state;
  if (check === null || due.poll === undefined || !isIdle(state, at.mono)) return null;
  const changes = nextChange(state, at, world);
  const left = changes - at.wall;
  if (!(left > SHORTEST_MS)) return null;
  const to = at.mono + Math.min(left, world.until - at.wall) - MARGIN_MS;
  if (!onlyThese(state, at.mono, to) || to <= due.poll) return null;
  return leapTo(state, check, due.poll, to);
}

function leapTo(state: AgentState, check: Check, poll: number, to: number): Leap | null {
  const { phase, around, due } = state;
  const [interval, pause] = [poll - check.at.mono, (due.around ?? 0) - (around?.readAt ?? 0)];
  if (interval <= 0 || pause <= 0) return null;
  const polls = Math.floor((to - poll) / interval) + 1;
  const nextPoll = poll + polls * interval;
  const looks = around === null || due.around === undefined ? 0 : Math.floor((to - due.around) / pause) + 1;
  const nextLook = looks === 0 ? due.around : (due.around ?? 0) + looks * pause;
  // Whoever holds looks at the gates in between, and so does not miss what opens before the next look at anything else.
  const isHolding = phase.name === 'holding';
  const wake = Math.min(nextPoll, nextLook ?? Infinity, isHolding ? to : Infinity);
  const ahead = polls * interval;
  const last = { wall: check.at.wall + ahead, mono: check.at.mono + ahead };
  const moved: AgentState = {
    ...state,
    check: { ...check, at: last },
    around: around === null ? null : { ...around, readAt: around.readAt + looks * pause },
    due: {
      ...due,
      poll: nextPoll,
      ...(nextLook === undefined ? {} : { around: nextLook }),
      ...(isHolding ? { work: to } : {}),
    },
    wakeAt: wake,
  };
  return { state: moved, wake, polls, last: last.wall };
}

/** Nothing is under way, owed or announced. `mono`: ms since boot. */
function isIdle(state: AgentState, mono: number): boolean {
  const { phase, pending, troubles, around, settings } = state;
  const isQuiet = phase.name === 'watching' || (phase.name === 'holding' && (phase.refusal?.until ?? 0) <= mono);
  const isRead = settings.around === null || around !== null;
  return isQuiet && isRead && isEmpty(pending) && isEmpty(troubles) && !owes(state) && !isAnnounced(state);
}

function owes({ memory }: AgentState): boolean {
  return memory.owed.length > 0 || memory.slot !== null || memory.acted !== null || memory.discard !== null;
}

function isAnnounced({ courtesy, hooks, memory }: AgentState): boolean {
  return memory.graceUntil !== null || courtesy.noticeUntil !== null || hooks !== null;
}

function isEmpty(record: object): boolean {
  return Object.keys(record).length === 0;
}

/** Timers that are moved. */
const MOVED: ReadonlySet<string> = new Set(['poll', 'around', 'work']);

/** True when no other timer ends on the way. */
function onlyThese({ due }: AgentState, from: number, to: number): boolean {
  return Object.entries(due).every(([timer, moment]) => MOVED.has(timer) || moment <= from || moment > to);
}

/** Milliseconds since 1970 of the next moment at which time alone may change something; NaN where nobody knows. */
function nextChange(state: AgentState, at: Instant, world: World): number {
  const gates = state.phase.name === 'holding' ? gatesOf(state, at).map((gate) => changeOf(gate, at)) : [];
  return Math.min(nextRollout(state, at, world), ...gates);
}

function changeOf(gate: GateVerdict, at: Instant): number {
  if (gate.open) return gate.until === undefined ? Infinity : at.wall + gate.until - at.mono;
  // Who is here stays, and gets time when everything else allows the reboot.
  return gate.opensAt ?? (gate.gate === 'people' ? Infinity : Number.NaN);
}

/** When the next rollout reaches this host. */
function nextRollout({ settings }: AgentState, at: Instant, { graph }: World): number {
  if (graph.raw !== true) return Infinity;
  const own = wariness(settings.wariness, settings.nodeId);
  const moments = graph.releases.map(({ rollout }) => (rollout === null ? null : reachesAt(rollout, own)));
  return Math.min(...moments.flatMap((moment) => (moment === null || moment <= at.wall ? [] : moment)));
}
