import { without } from '../../base/record.ts';
import type { Instant } from '../../base/clock.ts';
import type { AsyncRequest, Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { Memory } from './memory.ts';
import type { AgentState, AsyncKind, Phase, Refusal, Timer, TroubleSource } from './state.ts';

/**
 * One step in the making: the state as it stands so far, the event, and the effects decided on. It lives within one
 * call of `step` and is the only thing there that changes.
 */
export interface Turn {
  state: AgentState;
  readonly event: Event;
  readonly effects: Effect[];
  /** The memory was changed and no `persist` has been emitted since. */
  dirty: boolean;
  /** Why the event was without consequence, or null. */
  ignored: string | null;
}

/** Milliseconds since boot at which the event happened. */
export function now(turn: Turn): number {
  return turn.event.at.mono;
}

/** Replaces some fields of the state. */
export function patch(turn: Turn, change: Partial<AgentState>): void {
  turn.state = { ...turn.state, ...change };
}

/** Enters a phase, or replaces what the current one carries. */
export function enter(turn: Turn, phase: Phase): void {
  const entered = phase.name !== turn.state.phase.name;
  patch(turn, entered ? { phase, since: turn.event.at } : { phase });
  if (entered) arm(turn, 'work', now(turn));
  // Without a target, what was wrong with the last one is no longer wrong.
  if (phase.name === 'watching') for (const source of TARGET_TROUBLES) recovered(turn, source);
}

const TARGET_TROUBLES = ['stage', 'finalize', 'reboot', 'slot'] as const;

/** Changes the memory; it is written before anything that relies on it is done, at the latest at the end of the turn. */
export function remember(turn: Turn, change: Partial<Memory>): void {
  patch(turn, { memory: { ...turn.state.memory, ...change } });
  turn.dirty = true;
}

/** Sets a timer, or stops it with null. */
export function arm(turn: Turn, timer: Timer, at: number | null): void {
  const { due } = turn.state;
  patch(turn, { due: at === null ? without(due, timer) : { ...due, [timer]: at } });
}

/** True when a timer is set and its moment has come. */
export function isDue(turn: Turn, timer: Timer): boolean {
  const at = turn.state.due[timer];
  return at !== undefined && at <= now(turn);
}

/** True while the result of an effect is awaited. */
export function isPending(turn: Turn, kind: AsyncKind): boolean {
  return turn.state.pending[kind] !== undefined;
}

/** True while the last reading of the host may be out of date: a look is under way, due, or to be tried again. */
export function isLooking(turn: Turn): boolean {
  return isPending(turn, 'look') || turn.state.due.host !== undefined;
}

/** Milliseconds between two readings of the surroundings, at the least, when something changes all the time. */
export const SOON_MS = 500;

/** True while the last reading of the surroundings may be out of date: another is under way, due, or about to be. */
export function isLookingAround({ state, event }: Pick<Turn, 'state'> & { readonly event: Moment }): boolean {
  const { due, pending } = state;
  return pending.lookAround !== undefined || (due.around !== undefined && due.around <= event.at.mono + SOON_MS);
}

/** Anything that happens at a moment. */
export interface Moment {
  readonly at: Instant;
}

/** Milliseconds for which a pause in what changes around the host is waited for, and that a reading counts then. */
const [UNREST_MS, NOISY_MS] = [10_000, 1_000];

/**
 * The same, but where something changes all the time, a reading that began a moment ago counts all the same: nobody keeps
 * the fleet waiting by making noise.
 */
export function isUnread(turn: Pick<Turn, 'state'> & { readonly event: Moment }): boolean {
  const { unrest, around } = turn.state;
  const { mono } = turn.event.at;
  const isNoise = unrest !== null && mono - unrest > UNREST_MS;
  const isOfNow = around !== null && mono - around.readAt <= NOISY_MS;
  return isLookingAround(turn) && !(isNoise && isOfNow);
}

/** Effects that must find the memory on disk: what they do cannot be undone by forgetting it. */
const NEEDS_MEMORY: ReadonlySet<string> = new Set([
  'stage',
  'discard',
  'finalize',
  'lock',
  'report',
  'rollback',
  'pre-reboot',
]);

/** True for an effect that must find the memory on disk. Of the hooks those do that act. */
export function needsMemory(effect: AsyncRequest): boolean {
  return NEEDS_MEMORY.has(effect.kind === 'hooks' ? effect.event : effect.kind);
}

/** Asks the shell for asynchronous work, after writing the memory where the work relies on it. */
export function request(turn: Turn, effect: AsyncRequest): void {
  if (needsMemory(effect) && (turn.dirty || turn.state.troubles.memory !== undefined)) persist(turn);
  const id = turn.state.lastId + 1;
  patch(turn, { lastId: id, pending: { ...turn.state.pending, [effect.kind]: id } });
  turn.effects.push({ ...effect, id });
}

/** Emits the memory as it stands. */
export function persist(turn: Turn): void {
  turn.effects.push({ kind: 'persist', memory: turn.state.memory });
  turn.dirty = false;
}

/** Takes note of a failure: begins a streak or lengthens it. */
export function trouble(turn: Turn, source: TroubleSource, text: string, nextTry: number | null): void {
  const before = turn.state.troubles[source];
  const streak = { text, since: before?.since ?? turn.event.at, count: (before?.count ?? 0) + 1, nextTry };
  patch(turn, { troubles: { ...turn.state.troubles, [source]: streak } });
}

/** Ends a streak of failures. */
export function recovered(turn: Turn, source: TroubleSource): void {
  if (turn.state.troubles[source] === undefined) return;
  patch(turn, { troubles: without(turn.state.troubles, source) });
}

/**
 * The moment of the next try after `failures` failures in a row (1 or more): exponential, capped at three steady
 * intervals, with full jitter. The first wait is at most a thirtieth of the interval, 10 s by default.
 */
export function retryAt(turn: Turn, failures: number): number {
  const interval = turn.state.settings.steadyIntervalMs;
  const cap = Math.min(interval * 3, (interval / 30) * 2 ** Math.min(failures - 1, 30));
  // Never at once: what fails at once would be tried for ever in the same turn of the loop.
  return now(turn) + Math.max(1, Math.ceil(cap * turn.event.dice));
}

/** Milliseconds between two tries of a reboot that comes to nothing after the slot was granted, at the most. */
const LONGEST_SETBACK_MS = 3_600_000;

/**
 * Counts a reboot that came to nothing after the slot was granted, and says when to try again: after `ms`, twice as long
 * each time, so that nobody drains a host again and again for nothing.
 */
export function setBack(turn: Turn, ms: number): number {
  const { setbacks } = turn.state;
  // What has rested for twice the longest pause is not the same trouble any more.
  const isOver = setbacks === null || now(turn) - setbacks.at > 2 * LONGEST_SETBACK_MS;
  const count = isOver ? 0 : setbacks.count;
  patch(turn, { setbacks: { count: count + 1, at: now(turn) } });
  return now(turn) + Math.min(LONGEST_SETBACK_MS, ms * 2 ** Math.min(count, 12));
}

/** Where hooks have acted they are not to act again soon: a reboot that comes to nothing is tried ever more rarely. */
export function rarely(turn: Turn, refusal: Refusal): Refusal {
  if (turn.state.memory.acted === null) return refusal;
  return { ...refusal, until: Math.max(refusal.until, setBack(turn, turn.state.settings.steadyIntervalMs / 30)) };
}

/** The same for a streak of failures that is being kept, this one included. */
export function retryStreak(turn: Turn, source: TroubleSource): number {
  return retryAt(turn, (turn.state.troubles[source]?.count ?? 0) + 1);
}
