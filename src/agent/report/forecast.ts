import { duration } from '../../base/text.ts';
import type { Instant } from '../../base/clock.ts';
import { type ClosedGate, type GateName, type GateVerdict, isClosed } from '../gates/gate.ts';
import { hasHooks } from '../gates/surroundings.ts';
import { gatesOf } from '../machine/explain.ts';
import type { AgentState } from '../machine/state.ts';
import { GATE_WORDS } from './gate-words.ts';
import { instantAt, wallOf } from './moment.ts';
import type { Forecast } from './report.ts';

type Closed = GateVerdict & ClosedGate;

/** Openings that are tried until one is found in which the reboot has room. */
const MOST_TRIES = 64;
/** Gates that do not keep the time of people from beginning: they are asked after it. */
const AFTER: ReadonlySet<GateName> = new Set(['people', 'hooks', 'report', 'refusal']);
/** Closed gates whose next look is expected to open them. */
const TRIED_AGAIN: ReadonlySet<GateName> = new Set(['clock', 'refusal']);

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
    default:
      return null;
  }
}

type Moment = Pick<Forecast, 'at' | 'when'>;

function fromHolding(state: AgentState, now: Instant): Moment {
  const undo = state.memory.acted === null ? [] : ['what the pre-reboot hooks did is undone'];
  const untimed = gatesOf(state, now).filter(isClosed).filter((gate) => isUntimed(gate, state));
  const when = [...undo, ...untimed.map(({ gate, opensAt, lookAgain }) => opensText(gate, opensAt ?? lookAgain))];
  if (when.length > 0) return { at: null, when };
  let wall = now.wall;
  for (let tries = 0; tries < MOST_TRIES && wall < Infinity; tries += 1) {
    const found = tryAt(state, now, wall);
    if (found.fits) return { at: found.wall, when: [] };
    wall = found.wall;
  }
  const patience = timeOfPeople(state, true);
  const room = patience === 0 ? '' : `, for as long as people get (${duration(patience)})`;
  return { at: null, when: [`all gates are open at the same time${room}`] };
}

/** `moment`: when a gate is looked at again, if ever. */
function opensText(gate: GateName, moment: number | null): string {
  return gate === 'window' && moment === null ? 'a window is configured' : GATE_WORDS[gate].opens;
}

/** A moment at which the reboot fits in before a gate closes; or the next one to try, `Infinity` for none. */
function tryAt(state: AgentState, now: Instant, wall: number): { readonly fits: boolean; readonly wall: number } {
  const at = instantAt(now, wall);
  const gates = gatesOf(state, at);
  const closed = gates.filter(isClosed);
  const first = closed.filter(({ gate }) => !AFTER.has(gate));
  const opening = Math.max(...first.map((gate) => opensIn(gate, at)));
  if (first.length > 0) return { fits: false, wall: opening > wall ? opening : Infinity };
  const begins = wall === now.wall ? state.courtesy.graceUntil === null : true;
  const grace = begins ? graceOf(state) : 0;
  const last = Math.max(wall + grace, ...closed.filter((gate) => isTimed(gate, begins)).map((gate) => opensIn(gate, at)));
  const end = last + timeOfPeople(state, false);
  const closes = Math.min(Infinity, ...gates.flatMap((gate) => (gate.open ? (wallOf(gate.until, at) ?? []) : [])));
  return closes > end ? { fits: true, wall: end } : { fits: false, wall: closes };
}

/** Milliseconds since 1970. */
function opensIn({ opensAt, lookAgain }: Closed, at: Instant): number {
  return opensAt ?? wallOf(lookAgain, at) ?? Infinity;
}

/** People whose time begins anew are counted by that. */
function isTimed({ gate, opensAt }: Closed, begins: boolean): boolean {
  return gate !== 'people' || (opensAt !== undefined && !begins);
}

/** True for a closed gate that opens at no moment that is known. */
function isUntimed({ gate, opensAt }: Closed, { around }: AgentState): boolean {
  if (opensAt !== undefined || TRIED_AGAIN.has(gate)) return false;
  return gate !== 'people' || around?.people === null;
}

/** Milliseconds that people who are here get once everything else is open. */
function graceOf({ settings, around }: AgentState): number {
  const isAnybody = (around?.people ?? []).length > 0;
  return isAnybody ? (settings.around?.people?.graceMs ?? 0) : 0;
}

/** Milliseconds of their last notice, with the slot held; `all`: of everything that they get. */
function timeOfPeople(state: AgentState, all: boolean): number {
  const isAnybody = (state.around?.people ?? []).length > 0;
  const notice = isAnybody ? (state.settings.around?.people?.finalNoticeMs ?? 0) : 0;
  return all ? graceOf(state) + notice : notice;
}

/** Who still has a say when all gates are open. */
function provisos(state: AgentState): readonly string[] {
  const { settings, memory } = state;
  const lock = memory.slot?.state === 'held' ? null : settings.lock;
  return [
    ...(hasHooks(state, 'may-reboot') ? ['the may-reboot hooks allow it'] : []),
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
    return { at: null, when: [`the lock manager grants a slot of group ${group}`], provided: hooks };
  }
  if (running !== null) return { at: null, when: [`the ${running.event} hooks have succeeded`], provided: [] };
  const notice = Math.max(courtesy.noticeUntil ?? 0, at.mono);
  return { at: wallOf(notice, at), when: [], provided: hooks };
}

function fromRebooting({ memory, due, pending, troubles }: AgentState, at: Instant): Forecast {
  const isUnderWay = pending.finalize !== undefined || memory.finalize?.outcome === 'acknowledged';
  if (isUnderWay && troubles.reboot === undefined) {
    return { at: null, when: ['systemd has stopped what runs'], provided: [] };
  }
  const next = due.work === undefined ? null : wallOf(Math.max(due.work, at.mono), at);
  return { at: next, when: next === null ? ['finalize is answered'] : [], provided: [] };
}
