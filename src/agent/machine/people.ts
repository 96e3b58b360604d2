import type { Target } from '../../graph/types.ts';
import type { Instant } from '../../base/clock.ts';
import { duration, utc } from '../../base/text.ts';
import { NOBODY_TOLD, type Person } from '../gates/around.ts';
import { isOrdered } from '../gates/hurry.ts';
import type { ClosedGate, GateName } from '../gates/gate.ts';
import type { AgentState } from './state.ts';
import { type Turn, arm, isDue, now, patch, remember } from './turn.ts';

/** Gates that say "not now" for long: what people were told before does not hold any more when one of them closes. */
const CALLS_OFF: ReadonlySet<GateName> = new Set(['enabled', 'freeze', 'pause', 'window']);
/** Gates that are no reason to keep back the time that people get: they are asked after it. */
const AFTER: ReadonlySet<GateName> = new Set(['people', 'hooks', 'report', 'refusal']);
/** Milliseconds before its end at which people are reminded of it, when it is longer than twice that. */
const LAST_CALL_MS = 60_000;
/** Milliseconds that somebody must have known of the reboot at the least. */
const SHORTEST_NOTICE_MS = 10_000;

/** `holding`: gives people their time once everything else allows the reboot, and keeps them informed. */
export function attend(turn: Turn, target: Target, closed: readonly ClosedGate[]): void {
  // They are told of another reboot, to which none of this applies.
  if (turn.state.courtesy.goesBack) return;
  if (standsDown(turn, target, closed)) return;
  const rules = turn.state.settings.around?.people ?? null;
  // An administrator does not wait for them: they have the last notice.
  if (isOrdered(turn.state.memory, turn.event.at.wall)) return;
  // Nobody is asked any more; that is no reason to say that the reboot is put off.
  if (rules === null) {
    forgetAll(turn);
    return;
  }
  const people = peopleOf(turn.state);
  const { graceUntil } = turn.state.memory;
  if (graceUntil === null) {
    if (people.length > 0 && closed.every(({ gate }) => AFTER.has(gate))) beginGrace(turn, target, rules.graceMs);
    return;
  }
  if (graceUntil <= now(turn)) return;
  tell(turn, newcomersIn(turn.state), graceText(turn, target, graceUntil));
  // After a restart of the agent the time goes on.
  if (!turn.state.courtesy.lastCall && turn.state.due.people === undefined) planLastCall(turn, graceUntil);
  if (!turn.state.courtesy.lastCall && isDue(turn, 'people')) lastCall(turn, target, graceUntil);
}

/**
 * True while somebody says "not now" for long: a gate, or an administrator who has cancelled the reboot. Who was told of
 * the reboot hears that it is put off.
 */
export function standsDown(turn: Turn, target: Target, closed: readonly ClosedGate[]): boolean {
  const { phase } = turn.state;
  const isCancelled = phase.name === 'holding' && phase.refusal?.by === 'administrator';
  const off = closed.find(({ gate }) => CALLS_OFF.has(gate) || (gate === 'refusal' && isCancelled));
  if (off !== undefined && !turn.state.courtesy.goesBack) callOff(turn, target, off.reason);
  return off !== undefined;
}

function beginGrace(turn: Turn, target: Target, graceMs: number): void {
  const graceUntil = now(turn) + graceMs;
  giveTime(turn, graceUntil);
  if (graceMs > 0) tell(turn, peopleOf(turn.state), graceText(turn, target, graceUntil));
}

/** People have time until then (ms since boot), and are reminded of its end when it is long. */
function giveTime(turn: Turn, graceUntil: number): void {
  remember(turn, { graceUntil });
  patch(turn, { courtesy: { ...turn.state.courtesy, noticeUntil: null } });
  planLastCall(turn, graceUntil);
}

function planLastCall(turn: Turn, graceUntil: number): void {
  const isShort = graceUntil - now(turn) <= 2 * LAST_CALL_MS;
  patch(turn, { courtesy: { ...turn.state.courtesy, lastCall: isShort } });
  arm(turn, 'people', isShort ? null : graceUntil - LAST_CALL_MS);
}

function lastCall(turn: Turn, target: Target, graceUntil: number): void {
  patch(turn, { courtesy: { ...turn.state.courtesy, lastCall: true } });
  arm(turn, 'people', null);
  tell(turn, peopleOf(turn.state), graceText(turn, target, graceUntil));
}

/** What people were told does not hold any more. */
export function callOff(turn: Turn, target: Pick<Target, 'version'> | null, why: string): void {
  const { state } = turn;
  // Who is here, and was told by an earlier run of the agent, will soon be known.
  if (!isAnnounced(state) || (state.settings.around !== null && state.around === null)) return;
  const what = target === null ? 'The reboot' : `The reboot into ${target.version}`;
  sayTo(turn, isForgotten(state) ? peopleOf(state) : toldIn(state), `${what} is put off: ${why}.`);
  forgetAll(turn);
}

/** An earlier run of the agent promised people time: who they were is on no record. */
function isForgotten({ settings, memory, courtesy }: Pick<AgentState, 'settings' | 'memory' | 'courtesy'>): boolean {
  const graceMs = settings.around?.people?.graceMs ?? 0;
  return memory.graceUntil !== null && graceMs > 0 && Object.keys(courtesy.told).length === 0;
}

/** Nobody has been told anything, as far as the next reboot is concerned. */
function forgetAll(turn: Turn): void {
  if (!isAnnounced(turn.state)) return;
  remember(turn, { graceUntil: null });
  patch(turn, { courtesy: { ...NOBODY_TOLD, unreadableSince: turn.state.courtesy.unreadableSince } });
  arm(turn, 'people', null);
}

/** People were told of a reboot, or may have been by an earlier run of the agent. */
function isAnnounced({ courtesy, memory }: AgentState): boolean {
  return memory.graceUntil !== null || courtesy.noticeUntil !== null;
}

/** Who is here and is to have a last notice, and of how many ms; null when nobody is. */
function audienceOf({ settings, around }: Pick<AgentState, 'settings' | 'around'>): Audience | null {
  const noticeMs = settings.around?.people?.finalNoticeMs ?? 0;
  const people = around?.people ?? [];
  return noticeMs === 0 || people.length === 0 ? null : { people, noticeMs };
}

interface Audience {
  readonly people: readonly Person[];
  readonly noticeMs: number;
}

/** True when somebody is here who is to have a last notice. */
export function needsNotice(state: AgentState): boolean {
  return audienceOf(state) !== null;
}

/**
 * The slot is held: people get one last notice. True when it is over, or nobody is here to get it. Who comes meanwhile is
 * told at once. `goesBack`: the reboot is one into the release before, which no slot is held for, and nobody can postpone.
 */
export function noticeIsOver(turn: Turn, target: Pick<Target, 'version'>, goesBack = false): boolean {
  const { courtesy } = turn.state;
  const audience = audienceOf(turn.state);
  if (audience === null) return true;
  const { people, noticeMs } = audience;
  const until = courtesy.noticeUntil ?? now(turn) + noticeMs;
  if (courtesy.noticeUntil === null) {
    patch(turn, { courtesy: { ...courtesy, noticeUntil: until, goesBack } });
    tell(turn, people, noticeText(turn, target, until));
  } else if (until > now(turn)) {
    greet(turn, target, until);
  }
  arm(turn, 'people', until > now(turn) ? until : null);
  return until <= now(turn);
}

/**
 * Tells who has come since the others were told, where there are last notices. `until`: ms since boot before which there
 * is no reboot.
 */
export function greet(turn: Turn, target: Pick<Target, 'version'>, until?: number): void {
  const audience = audienceOf(turn.state);
  if (audience === null) return;
  const least = now(turn) + leastNotice(audience);
  tell(turn, newcomersIn(turn.state), noticeText(turn, target, Math.max(until ?? least, least)));
}

/**
 * True while somebody who came after the notice had begun has not known of the reboot for long enough. `since`: ms since
 * boot; who comes all the time is waited for until one more notice would be over, and no longer.
 */
export function waitsForNewcomers(turn: Turn, target: Pick<Target, 'version'>, since: number): boolean {
  const audience = audienceOf(turn.state);
  if (audience === null) return false;
  greet(turn, target);
  const { told, noticeUntil } = turn.state.courtesy;
  const latest = Math.max(...audience.people.map(({ id }) => told[id] ?? 0)) + leastNotice(audience);
  const until = Math.min(latest, Math.max(since, noticeUntil ?? since) + audience.noticeMs);
  arm(turn, 'people', until > now(turn) ? until : null);
  return until > now(turn);
}

function leastNotice({ noticeMs }: Audience): number {
  return Math.min(SHORTEST_NOTICE_MS, noticeMs);
}

/** Somebody who is here and has not known of the reboot for long enough, or null. Matters once the notice is over. */
export function surprised(state: Pick<AgentState, 'settings' | 'around' | 'courtesy'>, mono: number): Person | null {
  const audience = audienceOf(state);
  if (audience === null) return null;
  const { told } = state.courtesy;
  return audience.people.find(({ id }) => mono - (told[id] ?? Infinity) < leastNotice(audience)) ?? null;
}

/** The next reboot is announced anew: what was said of this one did not come. */
export function forgetNotice(turn: Turn): void {
  const { courtesy } = turn.state;
  if (courtesy.noticeUntil === null) return;
  patch(turn, { courtesy: { ...courtesy, noticeUntil: null, goesBack: false } });
  arm(turn, 'people', null);
}

/** What becomes of a wish to postpone. */
export interface Postponement {
  /** Milliseconds since 1970 until which the reboot waits; null: it does not. */
  readonly until: number | null;
  /** For whoever asked. */
  readonly text: string;
}

/** Milliseconds by which people can still postpone the reboot; 0: they cannot. */
export function postponableMs({ settings, memory }: Pick<AgentState, 'settings' | 'memory'>): number {
  return Math.max(0, (settings.around?.people?.postponeMs ?? 0) - (memory.postponed?.spentMs ?? 0));
}

/** Whether the policy of this host lets people postpone reboots at all. */
export function mayPostpone({ settings }: Pick<AgentState, 'settings'>): boolean {
  return (settings.around?.people?.postponeMs ?? 0) > 0;
}

const RETURNS =
  'this boot is not healthy, and the host goes back to the release before, which cannot be postponed (to keep it here: holdpoint pause)';

/** Until when the reboot waits anyway, in ms since 1970: by what was postponed, and the time that people have. */
function waitsUntil({ memory }: AgentState, { wall, mono }: Instant): number {
  const graceUntil = wall + (memory.graceUntil ?? mono) - mono;
  return Math.max(wall, memory.postponed?.until ?? 0, graceUntil);
}

/** Whether the reboot can be postponed, and until when. It is by so much later than it would have been. */
export function postponement(state: AgentState, forMs: number, at: Instant): Postponement {
  const most = state.settings.around?.people?.postponeMs ?? 0;
  const { phase, courtesy, memory } = state;
  if (state.stopping !== null) return { until: null, text: 'the agent is stopping' };
  if (!mayPostpone(state))
    return { until: null, text: 'the policy of this host does not allow it (updates.sessions.postpone_secs)' };
  if (phase.name === 'rebooting') return { until: null, text: 'it is too late: the reboot has begun' };
  if (courtesy.goesBack) return { until: null, text: RETURNS };
  if (phase.name !== 'holding' && phase.name !== 'releasing') return { until: null, text: 'no reboot is waiting' };
  if (memory.order !== null && isOrdered(memory, at.wall))
    return { until: null, text: `${memory.order.by} has ordered the reboot now` };
  const left = postponableMs(state);
  if (left === 0)
    return { until: null, text: `it was postponed by ${duration(most)} already, which is all that is allowed` };
  const until = waitsUntil(state, at) + Math.min(forMs, left);
  const rest = left <= forMs ? 'that is all that is allowed' : `${duration(left - forMs)} more are allowed`;
  return { until, text: `the reboot into ${phase.target.version} waits until ${utc(until)} at the least; ${rest}` };
}

/** Somebody wants the reboot later. */
export function postpone(turn: Turn, by: string, forMs: number): void {
  const { until } = postponement(turn.state, forMs, turn.event.at);
  if (until === null) return;
  const spentMs = (turn.state.memory.postponed?.spentMs ?? 0) + Math.min(forMs, postponableMs(turn.state));
  remember(turn, { postponed: { until, by, spentMs } });
  moreTime(turn, by, until);
}

/** Who was told of the reboot has time until then, and no new time after it; who comes meanwhile is told of it. */
function moreTime(turn: Turn, by: string, until: number): void {
  const { phase, memory } = turn.state;
  if (!isAnnounced(turn.state) || !('target' in phase)) return;
  const what = `The reboot into ${phase.target.version} is put off until ${utc(until)} at the least`;
  sayTo(turn, toldIn(turn.state), `${what}: postponed by ${by}.`);
  giveTime(turn, Math.max(memory.graceUntil ?? 0, now(turn) + until - turn.event.at.wall));
}

function peopleOf({ around }: AgentState): readonly Person[] {
  return around?.people ?? [];
}

/** Who knows of the reboot. */
function toldIn(state: AgentState): readonly Person[] {
  return peopleOf(state).filter(({ id }) => state.courtesy.told[id] !== undefined);
}

/**
 * Who of those that are here counts: an idle session does where its people were promised time. In doubt they were, where
 * it was an earlier run of the agent that promised it.
 */
export function countedIn(state: AgentState, people: readonly Person[], mono: number): readonly Person[] {
  const { courtesy, memory } = state;
  const isPromised = memory.graceUntil !== null && memory.graceUntil > mono;
  const isTold = (id: string): boolean => courtesy.told[id] !== undefined || isForgotten(state);
  return people.filter(({ id, idle }) => !idle || (isPromised && isTold(id)));
}

/** Who has come since the others were told. */
function newcomersIn(state: AgentState): readonly Person[] {
  return peopleOf(state).filter(({ id }) => state.courtesy.told[id] === undefined);
}

/** Tells people of the reboot, and notes that they know. */
function tell(turn: Turn, people: readonly Person[], text: string): void {
  if (people.length === 0) return;
  const known = Object.fromEntries(people.map(({ id }) => [id, now(turn)]));
  const here = new Set(peopleOf(turn.state).map(({ id }) => id));
  const before = Object.entries(turn.state.courtesy.told).filter(([id]) => here.has(id));
  patch(turn, { courtesy: { ...turn.state.courtesy, told: { ...Object.fromEntries(before), ...known } } });
  sayTo(turn, people, text);
}

function sayTo(turn: Turn, people: readonly Person[], text: string): void {
  const ttys = people.flatMap(({ tty }) => tty ?? []);
  if (ttys.length > 0) turn.effects.push({ kind: 'tell', ttys, text });
}

/** Says when the time ends, and not when the reboot comes: nobody knows that yet. */
function graceText(turn: Turn, { version }: Target, graceUntil: number): string {
  const left = graceUntil - now(turn);
  const end = utc(turn.event.at.wall + left);
  return (
    `This host is to be updated to ${version} and must reboot for it. Please save your work and log out. ` +
    `It waits for you for ${duration(left)}, until ${end}; after that it reboots as soon as nothing else holds it back.` +
    howToPostpone(turn)
  );
}

function noticeText(turn: Turn, { version }: Pick<Target, 'version'>, until: number): string {
  const left = duration(until - now(turn));
  return `This host is about to reboot into ${version}: not before ${left} from now, and then unless something holds it back.${howToPostpone(turn)}`;
}

function howToPostpone({ state, event }: Turn): string {
  const isVain = state.courtesy.goesBack || isOrdered(state.memory, event.at.wall);
  const left = isVain ? 0 : postponableMs(state);
  return left === 0 ? '' : ` To postpone it (by ${duration(left)} at most): holdpoint postpone`;
}
