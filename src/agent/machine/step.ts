import { without } from '../../base/record.ts';
import { NOBODY_TOLD } from '../gates/around.ts';
import { aroundChanged, lookAround, lookAroundFailed, lookedAround } from './around.ts';
import { settle, start } from './boot.ts';
import { endQuarantines, followClock } from './clock.ts';
import type { Effect } from './effect.ts';
import type { Failure } from '../../base/failure.ts';
import type { Event, EventKind } from './event.ts';
import { advanceHolding, advanceRebooting, advanceReleasing, lockFailed, slotGranted, slotRefused } from './hold.ts';
import { noteHealth, rollbackFailed, rolledBack, stayHere, watchHealth } from './health.ts';
import { awaitsPostBoot, hooksDone, runPostBoot, undoIsDone } from './hooks.ts';
import { type Lock, type Memory, freshMemory } from './memory.ts';
import { cancel, checkNow, pause, updateNow } from './ordered.ts';
import { callOff, postpone } from './people.ts';
import { finalizeFailed, finalized, rebootOverdue } from './reboot.ts';
import {
  cancelLock,
  deliverReport,
  dropNeedlessReports,
  dropUnwantedSlot,
  giveBack,
  isFinalizing,
  mayReport,
  mayGoDown,
  owe,
  sameLock,
  takeNote,
} from './slot.ts';
import { advanceStaging, staged, stagingFailed } from './stage.ts';
import { type AgentState, type AsyncKind, NO_UNDOS, type Phase, type Settings, type Timer } from './state.ts';
import { backToHolding, discardFailed, discarded } from './target.ts';
import {
  type Turn,
  arm,
  enter,
  isDue,
  isLooking,
  isLookingAround,
  isPending,
  now,
  patch,
  persist,
  rarely,
  recovered,
  remember,
  request,
  retryStreak,
  trouble,
} from './turn.ts';
import { advanceWatching, graphRead, isPolling, poll, pollAnew, skip, unskip } from './watch.ts';

/** What one event led to. */
export interface Step {
  readonly state: AgentState;
  readonly effects: readonly Effect[];
  /** Why the event changed nothing, when it is one that does not belong here (late, foreign); else null. */
  readonly ignored: string | null;
}

/** The state before the first event. `memory` is what an earlier run wrote, or null when there is none. */
export function initialState(
  settings: Settings,
  memory: Memory | null,
  bootId: string,
  at: AgentState['since'],
): AgentState {
  return {
    phase: { name: 'starting' },
    since: at,
    startedAt: at.mono,
    bootId,
    memory: memory ?? freshMemory(''),
    settings,
    host: null,
    around: null,
    courtesy: NOBODY_TOLD,
    unrest: null,
    unclearSince: null,
    running: null,
    postBootFailures: 0,
    hooks: null,
    undos: NO_UNDOS,
    setbacks: null,
    preStaged: null,
    check: null,
    graphAskedAt: null,
    slotConfirmedAt: null,
    told: [],
    drivers: [],
    troubles: {},
    due: {},
    pending: {},
    cancelled: null,
    lastId: 0,
    wakeAt: null,
    stopping: null,
  };
}

/**
 * The whole behaviour of the agent: from a state and an event to the next state and what is to be done. No clock, no
 * randomness, no I/O; never throws. Every event is followed by one look at what is due in the state as it now stands,
 * so that nothing depends on which event brought it there.
 */
export function step(state: AgentState, event: Event): Step {
  const turn: Turn = { state, event, effects: [], dirty: false, ignored: null };
  followClock(turn);
  if (accept(turn)) handle(turn, event);
  if (turn.ignored === null) advance(turn);
  if (turn.dirty) persist(turn);
  wake(turn);
  return { state: turn.state, effects: turn.effects, ignored: turn.ignored };
}

/** The effect that an event answers, for events that answer one. */
const ANSWERS: Readonly<Partial<Record<EventKind, AsyncKind>>> = {
  looked: 'look',
  lookedAround: 'lookAround',
  hooksDone: 'hooks',
  rolledBack: 'rollback',
  graphRead: 'fetchGraph',
  staged: 'stage',
  discarded: 'discard',
  finalized: 'finalize',
  slotGranted: 'lock',
  slotRefused: 'lock',
  reported: 'report',
};

/** Recognises answers to questions that are no longer open, and closes those that are. */
function accept(turn: Turn): boolean {
  const { event } = turn;
  const kind = event.kind === 'failed' ? event.effect : ANSWERS[event.kind];
  if (kind === undefined || !('id' in event)) return true;
  if (turn.state.pending[kind] !== event.id) {
    turn.ignored = `${event.kind} answers ${kind} ${event.id}, which is not awaited`;
    return false;
  }
  patch(turn, { pending: without(turn.state.pending, kind) });
  return true;
}

type Handlers = { readonly [K in EventKind]: (turn: Turn, event: Extract<Event, { kind: K }>) => void };

const HANDLERS: Handlers = {
  started: (turn) => {
    if (turn.state.phase.name === 'starting') start(turn);
    else turn.ignored = 'the agent has started already';
  },
  tick: () => undefined,
  configured: (turn, event) => configured(turn, event.settings),
  hostChanged: (turn) => arm(turn, 'host', now(turn)),
  looked: (turn, event) => looked(turn, event.reading),
  aroundChanged: (turn) => aroundChanged(turn),
  lookedAround: (turn, event) => {
    lookedAround(turn, event.around);
    noteHealth(turn);
  },
  hooksDone: (turn, event) => hooksDone(turn, event.outcome),
  rolledBack: (turn) => rolledBack(turn),
  postpone: (turn, event) => postpone(turn, event.by, event.forMs),
  graphRead: (turn, event) => graphRead(turn, event.graph),
  stageProgress: (turn, event) => {
    const { phase } = turn.state;
    if (phase.name === 'staging' && turn.state.pending.stage === event.id)
      enter(turn, { ...phase, progress: event.text });
    else turn.ignored = 'progress of a staging that is not awaited';
  },
  staged: (turn, event) => {
    looked(turn, event.reading);
    const { phase } = turn.state;
    if (phase.name === 'staging') staged(turn, phase, event.reading);
  },
  discarded: (turn, event) => {
    looked(turn, event.reading);
    discarded(turn);
  },
  finalized: (turn) => finalized(turn),
  slotGranted: (turn) => slotGranted(turn),
  slotRefused: (turn, event) => slotRefused(turn, event.text, event.retryAfterMs),
  reported: (turn) => {
    recovered(turn, 'report');
    const [lock, ...owed] = turn.state.memory.owed;
    if (lock !== undefined) takeNote(turn, lock);
    remember(turn, { owed });
    arm(turn, 'report', now(turn));
  },
  failed: (turn, event) => FAILED[event.effect](turn, event.failure),
  memoryFailed: (turn, event) => {
    const next = retryStreak(turn, 'memory');
    trouble(turn, 'memory', event.text, next);
    arm(turn, 'memory', next);
  },
  memoryWritten: (turn) => {
    recovered(turn, 'memory');
    arm(turn, 'memory', null);
  },
  driversSeen: (turn, event) => patch(turn, { drivers: event.drivers }),
  checkNow: (turn) => checkNow(turn),
  updateNow: (turn, { by, forMs }) => updateNow(turn, by, forMs),
  cancel: (turn, { by }) => cancel(turn, by),
  pause: (turn, { by, until, reason }) => pause(turn, by, until, reason),
  resume: (turn) => remember(turn, { pause: null }),
  skip: (turn, event) => skip(turn, event.version),
  unskip: (turn, event) => unskip(turn, event.version),
  stop: (turn, { hostGoesDown }) => {
    const known = hostGoesDown === true ? 'host' : 'agent';
    patch(turn, { stopping: hostGoesDown === 'unknown' ? 'unclear' : known });
  },
};

function handle(turn: Turn, event: Event): void {
  // The table is typed by kind; the compiler cannot see that the looked-up handler is the one of this event.
  const handler = HANDLERS[event.kind] as (turn: Turn, event: Event) => void;
  handler(turn, event);
}

/** What follows a failure, for each kind of effect. */
const FAILED: Readonly<Record<AsyncKind, (turn: Turn, failure: Failure) => void>> = {
  look: (turn, failure) => {
    const next = retryStreak(turn, 'host');
    trouble(turn, 'host', failure.text, next);
    arm(turn, 'host', next);
    // Without a look there is no consent, and without consent no reason to keep the fleet waiting.
    const { phase } = turn.state;
    if (phase.name === 'releasing') {
      const since = turn.event.at.wall;
      backToHolding(turn, phase, rarely(turn, { by: 'rpm-ostree', text: failure.text, until: next, since }));
    }
    giveBack(turn);
  },
  lookAround: (turn, failure) => {
    lookAroundFailed(turn, failure.text);
    const { phase, troubles } = turn.state;
    if (phase.name !== 'releasing') return;
    const until = troubles.around?.nextTry ?? now(turn);
    const since = turn.event.at.wall;
    backToHolding(turn, phase, rarely(turn, { by: 'people', text: failure.text, until, since }));
    giveBack(turn);
  },
  hooks: (turn, { text }) => hooksDone(turn, { kind: 'not-run', text }),
  rollback: (turn, failure) => rollbackFailed(turn, failure),
  fetchGraph: (turn, failure) => {
    const next = Math.max(retryStreak(turn, 'graph'), now(turn) + (failure.retryAfterMs ?? 0));
    trouble(turn, 'graph', failure.text, next);
    arm(turn, 'poll', next);
  },
  stage: (turn, failure) => {
    // It may have been staged all the same.
    arm(turn, 'host', now(turn));
    if (turn.state.phase.name === 'staging') stagingFailed(turn, turn.state.phase, failure);
  },
  discard: (turn, failure) => {
    discardFailed(turn, failure.text);
    arm(turn, 'host', now(turn));
  },
  finalize: (turn, failure) => {
    if (turn.state.phase.name === 'rebooting') finalizeFailed(turn, turn.state.phase, failure);
  },
  lock: (turn, failure) => lockFailed(turn, failure),
  report: (turn, failure) => {
    const next = Math.max(retryStreak(turn, 'report'), now(turn) + (failure.retryAfterMs ?? 0));
    trouble(turn, 'report', failure.text, next);
    arm(turn, 'report', next);
    // One server that is gone must not keep another from hearing.
    const [first, ...others] = turn.state.memory.owed;
    if (first !== undefined && others.length > 0) remember(turn, { owed: [...others, first] });
  },
};

function looked(turn: Turn, reading: NonNullable<AgentState['host']>): void {
  recovered(turn, 'host');
  const foreignBefore = turn.state.host?.next?.booted === false;
  patch(turn, { host: reading });
  // What was in the way is gone: ask the graph now rather than at the next poll.
  if (turn.state.phase.name === 'watching' && foreignBefore && reading.next?.booted === true)
    arm(turn, 'poll', now(turn));
}

function configured(turn: Turn, settings: Settings): void {
  const before = turn.state.settings;
  patch(turn, { settings });
  pollAnew(turn, before);
  const { lock } = settings;
  const isSameLock = lock !== null && before.lock !== null && sameLock(lock, before.lock);
  if (!isSameLock) forgetLock(turn);
  if (lock !== null && !isSameLock) introduce(turn, lock);
  if (before.source === settings.source) return;
  arm(turn, 'poll', now(turn));
  if (turn.state.phase.name !== 'rebooting') enter(turn, { name: 'starting' });
}

/** What another lock server said, or failed to say, is no reason to wait any more; a reboot keeps to the one that it has. */
function forgetLock(turn: Turn): void {
  const { phase } = turn.state;
  if (phase.name === 'rebooting') return;
  recovered(turn, 'slot');
  if (phase.name === 'holding' && phase.refusal?.by === 'lock') enter(turn, { ...phase, refusal: null });
}

/** A lock server that is new to this agent is told that the host is steady, unless it holds the recorded slot. */
function introduce(turn: Turn, lock: Lock): void {
  const { memory, told } = turn.state;
  const { slot } = memory;
  if (told.some((known) => sameLock(known, lock))) return;
  if (!isFinalizing(turn) && (slot === null || !sameLock(slot, lock))) owe(turn, lock, false);
}

/** One look at everything that may be due. */
function advance(turn: Turn): void {
  if (isDue(turn, 'memory')) {
    arm(turn, 'memory', null);
    turn.dirty = true;
  }
  endQuarantines(turn);
  undoIsDone(turn);
  settleSlot(turn);
  if (turn.state.stopping !== null) return;
  lookAround(turn);
  if (isDue(turn, 'host') && !isPending(turn, 'look')) {
    arm(turn, 'host', null);
    request(turn, { kind: 'look' });
  }
  poll(turn);
  stayHere(turn);
  advancePhase(turn);
  // Only now is it known what has booted, and how it came here.
  runPostBoot(turn);
  watchHealth(turn);
  leaveInPeace(turn);
  undoIsDone(turn);
  // Whoever it was for had no use for it.
  if (isDue(turn, 'people')) arm(turn, 'people', null);
  // A phase that was left may leave something to give back or to report.
  settleSlot(turn);
}

/** People who were told of a reboot hear that it is off when there is nothing to reboot into any more. */
function leaveInPeace(turn: Turn): void {
  const { phase, courtesy } = turn.state;
  if (courtesy.goesBack) return;
  if (phase.name === 'watching') callOff(turn, null, 'the update is not there any more');
  if (phase.name === 'disabled') callOff(turn, null, phase.reason);
}

function settleSlot(turn: Turn): void {
  dropUnwantedSlot(turn);
  cancelLock(turn);
  dropNeedlessReports(turn);
  deliverReport(turn);
}

/** Carries the phase on; one that is entered by that is carried on as well. */
function advancePhase(turn: Turn): void {
  const { name } = turn.state.phase;
  advanceOnce(turn);
  if (turn.state.phase.name !== name) advancePhase(turn);
}

function advanceOnce(turn: Turn): void {
  if (!turn.state.settings.enabled && INTERRUPTIBLE.has(turn.state.phase.name)) enter(turn, { name: 'starting' });
  const { phase } = turn.state;
  switch (phase.name) {
    case 'starting':
    case 'disabled':
      advanceStarting(turn);
      return;
    case 'watching':
      advanceWatching(turn);
      return;
    case 'staging':
      advanceStaging(turn, phase);
      return;
    case 'holding':
      advanceHolding(turn, phase);
      return;
    case 'releasing':
      advanceReleasing(turn, phase);
      return;
    case 'rebooting':
      rebootOverdue(turn, phase);
      advanceRebooting(turn);
  }
}

/** Phases that end when updates are disabled. */
const INTERRUPTIBLE: ReadonlySet<string> = new Set(['watching', 'staging', 'holding', 'releasing']);

/** Both wait for the same: a host that was booted from an ostree deployment, and updates that are enabled. */
function advanceStarting(turn: Turn): void {
  const { phase, settings, host } = turn.state;
  const ready = settings.enabled && (host?.booted ?? null) !== null;
  if (phase.name === 'starting' || ready) settle(turn);
}

/** Asks for a `tick` at the earliest moment at which something is due that nothing else will bring about. */
function wake(turn: Turn): void {
  const { due, wakeAt } = turn.state;
  const times = awaited(turn).flatMap((timer) => due[timer] ?? []);
  const at = times.length === 0 ? null : Math.max(Math.min(...times), now(turn) + 1);
  if (at === wakeAt && turn.event.kind !== 'tick') return;
  patch(turn, { wakeAt: at });
  turn.effects.push({ kind: 'wake', at });
}

/** The timers that count in the state as it stands. */
function awaited(turn: Turn): readonly Timer[] {
  const { phase, memory, stopping } = turn.state;
  const timers: Timer[] = isReporting(turn) ? ['memory', 'report'] : ['memory'];
  if (memory.acted !== null && !isPending(turn, 'hooks') && !mayGoDown(turn.state)) timers.push('undo');
  if (stopping !== null) return timers;
  if (!isPending(turn, 'look')) timers.push('host');
  timers.push(...surroundingTimers(turn));
  if (isPolling(turn.state) && !isPending(turn, 'fetchGraph')) timers.push('poll');
  const discarding = memory.discard !== null && (phase.name === 'watching' || phase.name === 'staging');
  if (discarding && !isPending(turn, 'discard') && !isLooking(turn)) timers.push('discard');
  if (isWorkAwaited(turn, discarding)) timers.push('work');
  return timers;
}

/** A report is owed, and may be delivered. */
function isReporting(turn: Turn): boolean {
  const { memory } = turn.state;
  return memory.owed.length > 0 && !isPending(turn, 'report') && mayReport(turn);
}

/** The timers of what surrounds a reboot. */
function surroundingTimers({ state }: Turn): readonly Timer[] {
  const { pending, settings } = state;
  if (settings.around === null) return [];
  const timers: Timer[] = pending.lookAround === undefined ? ['around', 'people', 'health'] : ['people', 'health'];
  if (pending.hooks === undefined && awaitsPostBoot(state)) timers.push('postBoot');
  if (pending.rollback === undefined) timers.push('rollback');
  return timers;
}

/** Phases that wait for their own timer. */
const HAS_WORK: ReadonlySet<Phase['name']> = new Set(['staging', 'holding', 'releasing', 'rebooting']);

/** What is done with the host, one after another. */
const HANDS = ['stage', 'finalize'] as const;

/** Whether the phase waits for its own timer, rather than for an answer or for something that must come first. */
function isWorkAwaited(turn: Turn, discarding: boolean): boolean {
  const { name } = turn.state.phase;
  if (!HAS_WORK.has(name)) return false;
  // Nothing is staged before the slot of an earlier target is given back.
  if (name === 'staging' && turn.state.memory.slot !== null) return false;
  // What closes a gate also ends the wait for a slot, and says at once that hooks act in vain.
  const kinds = name === 'releasing' ? HANDS : ([...HANDS, 'hooks', 'lock'] as const);
  const busy = kinds.some((kind) => isPending(turn, kind));
  // Without a look around nothing but staging goes on.
  const isBlind = name !== 'staging' && turn.state.troubles.around !== undefined;
  return !busy && !discarding && !isBlind && !isLooking(turn) && !isLookingAround(turn);
}
