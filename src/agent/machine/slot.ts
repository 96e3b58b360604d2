import type { Lock, OwedReport } from './memory.ts';
import type { AgentState } from './state.ts';
import { isHealthy } from '../gates/surroundings.ts';
import { backToHolding } from './target.ts';
import { type Turn, arm, isDue, isPending, now, patch, recovered, remember, request } from './turn.ts';

const MOST_OWED = 8;

/** Tries of `reboot-cancelled` for which the slot waits, and failures after which it is not run any more. */
export const MOST_UNDOS = 3;

/**
 * True while what the hooks did is undone before the slot goes back: another host must not begin while this one is still
 * drained. A fleet does not wait for ever for hooks that cannot be run, though.
 */
export function undoComesFirst({ memory, undos }: Pick<AgentState, 'memory' | 'undos'>): boolean {
  return memory.acted !== null && undos.tries < MOST_UNDOS;
}

/** True from the moment finalize was called in this boot until it was definitely refused. */
export function isFinalizing(turn: Turn): boolean {
  const { memory, bootId } = turn.state;
  return memory.finalize !== null && memory.finalize.bootId === bootId;
}

/** Adds a report to those owed, each lock once. `slot`: a slot was asked for there. */
export function owe(turn: Turn, lock: Lock, slot: boolean): void {
  const { baseUrl, group, id } = lock;
  const before = turn.state.memory.owed;
  const isKnown = before.some((other) => sameLock(lock, other));
  const owed = isKnown
    ? before.map((other) => (sameLock(lock, other) ? { ...other, slot: other.slot || slot } : other))
    : [...before, { baseUrl, group, id, slot }];
  // The first may be on its way: its answer must find it there.
  remember(turn, { owed: [...owed.slice(0, 1), ...owed.slice(1).slice(1 - MOST_OWED)] });
  arm(turn, 'report', now(turn));
}

/** True when both name the same slot at the same server. */
export function sameLock(a: Lock, b: Lock): boolean {
  return a.baseUrl === b.baseUrl && a.group === b.group && a.id === b.id;
}

/**
 * Gives the recorded slot back where it was asked for. While an answer about it is awaited it stays: the answer brings
 * us here again, and a release that overtakes the question would leave a slot without an owner who knows.
 */
export function giveBack(turn: Turn): void {
  const { slot } = turn.state.memory;
  if (slot === null || isPending(turn, 'lock') || isFinalizing(turn) || mayGoDown(turn.state)) return;
  if (undoComesFirst(turn.state)) return;
  remember(turn, { slot: null });
  owe(turn, slot, true);
}

/** True when the host goes down, or nobody knows yet whether it does: the slot stays, for the next boot to give back. */
export function mayGoDown({ stopping }: Pick<AgentState, 'stopping'>): boolean {
  return stopping === 'host' || stopping === 'unclear';
}

/** A lock server knows that this host is steady. */
export function takeNote(turn: Turn, lock: Lock): void {
  const others = turn.state.told.filter((known) => !sameLock(known, lock));
  patch(turn, { told: [...others, lock].slice(-MOST_OWED) });
}

/** True for a report that nobody needs: to a server that is not configured, and has given no slot. */
export function isNeedless({ settings }: Pick<AgentState, 'settings'>, report: OwedReport): boolean {
  return !report.slot && (settings.lock === null || !sameLock(report, settings.lock));
}

/** Drops reports that nobody needs any more, but the one that is on its way: its answer must find it there. */
export function dropNeedlessReports(turn: Turn): void {
  const { state } = turn;
  const { owed } = state.memory;
  // Where the configured lock is, is known once the host has been read.
  if (state.host === null) return;
  const kept = owed.filter((report, index) => !isNeedless(state, report) || (index === 0 && isPending(turn, 'report')));
  if (kept.length === owed.length) return;
  remember(turn, { owed: kept });
  if (kept.length === 0) recovered(turn, 'report');
}

/** Gives back a slot for which nothing is left to do in the current phase, or which is no longer the configured one. */
export function dropUnwantedSlot(turn: Turn): void {
  const { memory, phase, settings, stopping } = turn.state;
  if (memory.slot === null || phase.name === 'rebooting') return;
  if (phase.name === 'starting' && stopping === null) return;
  const configured = settings.lock !== null && sameLock(memory.slot, settings.lock);
  const wanted = phase.name === 'holding' || phase.name === 'releasing';
  if (mayGoDown(turn.state) || (configured && wanted && stopping === null)) return;
  if (phase.name === 'releasing') backToHolding(turn, phase, null);
  giveBack(turn);
}

/**
 * Gives up a question to the lock server that nobody waits for any more. It stays pending until its end is reported:
 * before that the slot is not given back, since the two could swap places on their way.
 */
export function cancelLock(turn: Turn): void {
  const { pending, phase, stopping, cancelled } = turn.state;
  if (pending.lock === undefined || pending.lock === cancelled) return;
  // A slot that is confirmed before finalize is repeated is wanted as well.
  if ((phase.name === 'releasing' || phase.name === 'rebooting') && stopping === null) return;
  patch(turn, { cancelled: pending.lock });
  turn.effects.push({ kind: 'cancelLock', id: pending.lock });
}

/**
 * What an agent that is told to stop must not simply leave, for people; null: nothing. What a reboot that may be under
 * way needs is not among it. `reports`: those that are owed count as well.
 */
export function unfinished(state: AgentState, reports = false): string | null {
  const { memory, pending, bootId } = state;
  const { finalize, slot, owed } = memory;
  if (pending.hooks !== undefined) return 'hooks that have not ended';
  if (reports && owed.length > 0) return UNRETURNED;
  if (finalize?.bootId === bootId && pending.finalize === undefined) return null;
  if (undoComesFirst(state)) return 'what the pre-reboot hooks did not undone';
  return slot === null ? null : UNRETURNED;
}

const UNRETURNED = 'a slot that could not be given back';

/**
 * True when this host may call itself steady. A boot that is not healthy keeps the slot that it was made under, so that a
 * bad release stops here; and what the hooks did for a reboot that did not come is undone first.
 */
function isSteady(state: AgentState): boolean {
  return isHealthy(state) && !undoComesFirst(state);
}

/** True when a report may be delivered: this host is steady, and not about to go down. */
export function mayReport(turn: Turn): boolean {
  return !isFinalizing(turn) && turn.state.memory.goingBack === null && isSteady(turn.state);
}

/** Delivers the first report owed, unless a reboot may be under way: then the slot must stay. */
export function deliverReport(turn: Turn): void {
  const [lock] = turn.state.memory.owed;
  if (lock === undefined || isPending(turn, 'report') || !isDue(turn, 'report')) return;
  if (!mayReport(turn)) return;
  arm(turn, 'report', null);
  const { baseUrl, group, id } = lock;
  request(turn, { kind: 'report', lock: { baseUrl, group, id } });
}
