import type { Around } from '../gates/around.ts';
import { isHealthy } from '../gates/surroundings.ts';
import { CONSENT_MS } from './consent-ms.ts';
import { countedIn } from './people.ts';
import {
  type Turn,
  arm,
  isDue,
  isUnread,
  isPending,
  now,
  SOON_MS,
  patch,
  recovered,
  request,
  retryStreak,
  trouble,
} from './turn.ts';

/** Milliseconds after which the surroundings are read again although nothing was heard, while something depends on them. */
const AGAIN_MS = 60_000;

/** Something changed: the surroundings are read again, but not in a busy loop, whoever makes them change. */
export function aroundChanged(turn: Turn): void {
  const { settings, around, due, unrest } = turn.state;
  if (settings.around === null) return;
  if (unrest === null) patch(turn, { unrest: now(turn) });
  const soonest = Math.max(now(turn), (around?.readAt ?? -Infinity) + SOON_MS);
  arm(turn, 'around', Math.min(due.around ?? Infinity, soonest));
}

/** Reads the surroundings when their time has come. */
export function lookAround(turn: Turn): void {
  if (turn.state.settings.around === null || !isDue(turn, 'around') || isPending(turn, 'lookAround')) return;
  arm(turn, 'around', null);
  request(turn, { kind: 'lookAround' });
}

/** The surroundings were read. */
export function lookedAround(turn: Turn, around: Around): void {
  const { courtesy } = turn.state;
  const unreadableSince = around.people === null ? (courtesy.unreadableSince ?? now(turn)) : null;
  recovered(turn, 'around');
  const people = around.people === null ? null : countedIn(turn.state, around.people, now(turn));
  patch(turn, { around: { ...around, people }, courtesy: { ...courtesy, unreadableSince } });
  // Nothing was told of while they were read.
  if (turn.state.due.around === undefined) patch(turn, { unrest: null });
  // A change that was told of meanwhile is read as well.
  arm(turn, 'around', Math.min(turn.state.due.around ?? Infinity, now(turn) + pauseOf(turn)));
  const { phase } = turn.state;
  if (phase.name === 'staging' && phase.waits !== null) arm(turn, 'work', now(turn));
}

/** They could not be read: what was read before counts no more as the present. */
export function lookAroundFailed(turn: Turn, text: string): void {
  const next = retryStreak(turn, 'around');
  const { around } = turn.state;
  trouble(turn, 'around', text, next);
  if (around !== null) patch(turn, { around: { ...around, readAt: -Infinity } });
  patch(turn, { unrest: null });
  arm(turn, 'around', next);
}

/** Much depends on the surroundings before a reboot, and little else: signals tell of most changes. */
function pauseOf({ state }: Turn): number {
  const { phase, settings } = state;
  const matters = phase.name === 'holding' || phase.name === 'releasing' || !isHealthy(state);
  return matters ? AGAIN_MS : Math.max(AGAIN_MS, settings.steadyIntervalMs);
}

/**
 * True when the surroundings may stand for the present: read at most `CONSENT_MS` ago, and not before `since` (ms since
 * boot). Has them read else.
 */
export function surroundingsAreFresh(turn: Turn, since = -Infinity): boolean {
  const { settings, around, troubles } = turn.state;
  if (settings.around === null) return true;
  // One that failed is tried again when its time comes.
  if (isUnread(turn) || troubles.around !== undefined) return false;
  if (around !== null && around.readAt >= since && now(turn) - around.readAt <= CONSENT_MS) return true;
  arm(turn, 'around', now(turn));
  lookAround(turn);
  return false;
}
