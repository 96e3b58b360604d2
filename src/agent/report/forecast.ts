import { duration } from '../../base/text.ts';
import type { Instant } from '../../base/clock.ts';
import { type ClosedGate, type GateName, type GateVerdict, isClosed } from '../gates/gate.ts';
import { isOrdered } from '../gates/hurry.ts';
import { hasHooks } from '../gates/surroundings.ts';
import { gatesOf } from '../machine/explain.ts';
import type { AgentState } from '../machine/state.ts';
import { opensOf } from './gate-words.ts';
import { instantAt, thatComes, wallOf } from './moment.ts';
import type { Forecast } from './report.ts';

type Closed = GateVerdict & ClosedGate;

/** Milliseconds by which a moment of one clock differs from itself when it is put onto the other one again. */
const JITTER_MS = 1_000;
/** Openings that are tried until one is found in which the reboot has room. */
const MOST_TRIES = 64;
/** Gates that do not keep the time of people from beginning: they are asked after it. */
const AFTER: ReadonlySet<GateName> = new Set(['people', 'hooks', 'report', 'refusal']);
/** Closed gates whose next look is expected to open them. */
const TRIED_AGAIN: ReadonlySet<GateName> = new Set(['clock', 'people', 'refusal']);

/**
 * When the target is finalized at the earliest, from `at` on, as far as that can be foreseen: by what is known now, if
 * nobody comes or goes. Null: there is no target to reboot into.
 */
export function forecast(state: AgentState, at: Instant): Forecast | null {
  switch (state.phase.name) {
    case 'holding':
      return { ...fromHolding(state, at), provided: provisos(state) };
    case 'releasing':
      return fromReleasing(state, at);
    case 'rebooting':
      return fromRebooting(state, at);
    case 'starting':
    case 'disabled':
    case 'watching':
    case 'staging':
      return null;
  }
}

type Moment = Pick<Forecast, 'at' | 'when' | 'notBefore'>;

function fromHolding(state: AgentState, now: Instant): Moment {
  const undo = state.memory.acted === null ? [] : ['what the pre-reboot hooks did is undone'];
  const untimed = gatesOf(state, now).filter(isClosed).filter(isUntimed);
  const when = [...undo, ...untimed.map((gate) => opensOf(gate, state))];
  const earliest = earliestFrom(state, now, new Set(untimed.map(({ gate }) => gate)));
  if (when.length > 0) return { at: null, when, notBefore: earliest === now.wall ? null : thatComes(earliest) };
  if (earliest !== null && thatComes(earliest) === null) return { at: null, when: [BEYOND], notBefore: null };
  if (earliest !== null) return { at: earliest, when: [], notBefore: null };
  return { at: null, when: [roomText(state)], notBefore: null };
}

/** No moment that can be written. */
const BEYOND = 'the year 9999 is over';

/** What has to be where no opening was found that is long enough. */
function roomText(state: AgentState): string {
  const patience = graceOf(state) + noticeOf(state);
  if (patience === 0) return 'all gates are open at the same time';
  const time = `the time that people get (${duration(patience)})`;
  return state.settings.schedule === null
    ? `nobody is logged in, or all gates stay open for longer than ${time}`
    : `nobody is logged in, or updates.periodic.window has a longer one: as they are, the windows are too short for ${time}, so that it never reboots`;
}

/** The first moment at which the reboot fits in, as far as gates go that open at a time; null: none was found. */
function earliestFrom(state: AgentState, now: Instant, without: ReadonlySet<GateName>): number | null {
  let wall = now.wall;
  for (let tries = 0; tries < MOST_TRIES && wall < Infinity; tries += 1) {
    const found = tryAt(state, now, wall, without);
    if (found.fits) return found.wall;
    wall = found.wall;
  }
  return null;
}

/** A moment at which the reboot fits in before a gate closes; or the next one to try, `Infinity` for none. */
function tryAt(
  state: AgentState,
  now: Instant,
  wall: number,
  without: ReadonlySet<GateName>,
): { readonly fits: boolean; readonly wall: number } {
  const at = instantAt(now, wall);
  const gates = gatesOf(state, at);
  const closed = gates.filter(isClosed).filter(({ gate }) => !without.has(gate));
  const isCancelled = state.phase.name === 'holding' && state.phase.refusal?.by === 'administrator';
  const first = closed.filter(({ gate }) => !AFTER.has(gate) || (gate === 'refusal' && isCancelled));
  const opening = Math.max(...first.map((gate) => opensIn(gate, at)));
  if (first.length > 0) return { fits: false, wall: opening > wall ? opening : Infinity };
  const promised = wallOf(state.memory.graceUntil, at);
  const isAfresh = promised === null || (wall !== now.wall && wall > promised + JITTER_MS);
  // An administrator's order does not wait for people, while it is in force.
  const begins = isAfresh && !isOrdered(state.memory, wall);
  const grace = begins ? graceOf(state) : 0;
  const last = Math.max(
    wall + grace,
    ...closed.filter((gate) => hasMoment(gate, begins)).map((gate) => opensIn(gate, at)),
  );
  const end = last + noticeOf(state);
  const closes = Math.min(Infinity, ...gates.flatMap((gate) => (gate.open ? (wallOf(gate.until, at) ?? []) : [])));
  return closes > end ? { fits: true, wall: end } : { fits: false, wall: closes };
}

/** Milliseconds since 1970. */
function opensIn({ opensAt, lookAgain }: Closed, at: Instant): number {
  return opensAt ?? wallOf(lookAgain, at) ?? Infinity;
}

/** People whose time begins anew are counted by that. */
function hasMoment({ gate, opensAt, lookAgain }: Closed, begins: boolean): boolean {
  if (gate === 'people' && opensAt !== undefined) return !begins;
  return gate !== 'people' || lookAgain !== null;
}

/** True for a closed gate that opens at no moment that is known. */
function isUntimed({ gate, opensAt }: Closed): boolean {
  return opensAt === undefined && !TRIED_AGAIN.has(gate);
}

/** Milliseconds that people who are here get once everything else is open. */
function graceOf({ settings, around }: AgentState): number {
  const isAnybody = (around?.people ?? []).length > 0;
  return isAnybody ? (settings.around?.people?.graceMs ?? 0) : 0;
}

/** Milliseconds of their last notice, with the slot held. */
function noticeOf({ settings, around }: AgentState): number {
  const isAnybody = (around?.people ?? []).length > 0;
  return isAnybody ? (settings.around?.people?.finalNoticeMs ?? 0) : 0;
}

/** Who still has a say when all gates are open. */
function provisos(state: AgentState): readonly string[] {
  const { settings, memory, hooks } = state;
  const lock = memory.slot?.state === 'held' ? null : settings.lock;
  return [
    ...(hasHooks(state, 'may-reboot') && (hooks?.refusal ?? null) === null ? ['the may-reboot hooks allow it'] : []),
    ...(lock === null ? [] : [`the lock manager grants a slot of group ${lock.group}`]),
    ...(hasHooks(state, 'pre-reboot') ? ['the pre-reboot hooks succeed'] : []),
  ];
}

function fromReleasing(state: AgentState, at: Instant): Forecast {
  const { pending, running, courtesy, phase } = state;
  const isActed = phase.name === 'releasing' && phase.acted;
  const hooks = hasHooks(state, 'pre-reboot') && !isActed ? ['the pre-reboot hooks succeed'] : [];
  if (pending.lock !== undefined) {
    const group = (state.memory.slot ?? state.settings.lock)?.group ?? '';
    return { at: null, when: [`the lock manager grants a slot of group ${group}`], notBefore: null, provided: hooks };
  }
  if (running !== null)
    return { at: null, when: [`the ${running.event} hooks have succeeded`], notBefore: null, provided: [] };
  const notice = Math.max(courtesy.noticeUntil ?? 0, at.mono);
  return { at: wallOf(notice, at), when: [], notBefore: null, provided: hooks };
}

function fromRebooting({ memory, due, pending, troubles }: AgentState, at: Instant): Forecast {
  const isUnderWay = pending.finalize !== undefined || memory.finalize?.outcome === 'acknowledged';
  if (isUnderWay && troubles.reboot === undefined) {
    return { at: null, when: ['systemd has stopped what runs'], notBefore: null, provided: [] };
  }
  const next = due.work === undefined ? null : wallOf(Math.max(due.work, at.mono), at);
  return { at: next, when: next === null ? ['finalize is answered'] : [], notBefore: null, provided: [] };
}
