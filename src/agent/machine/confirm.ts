import { type Turn, arm, isPending, now, remember, request, trouble } from './turn.ts';

/** Milliseconds for which a slot that was granted or confirmed is taken for ours without asking again. */
export const CONFIRMED_MS = 60_000;

/**
 * True when a finalize may be repeated as far as the fleet is concerned: there is no lock, or the slot was confirmed a
 * moment ago. Asks for it else, where it was taken, or at the configured server if none was.
 */
export function slotIsConfirmed(turn: Turn): boolean {
  const { memory, settings, slotConfirmedAt } = turn.state;
  const lock = memory.slot ?? settings.lock;
  if (lock === null) return true;
  if (isPending(turn, 'lock')) return false;
  if (memory.slot !== null && slotConfirmedAt !== null && now(turn) - slotConfirmedAt <= CONFIRMED_MS) return true;
  const { baseUrl, group, id } = lock;
  if (memory.slot === null) {
    remember(turn, { slot: { baseUrl, group, id, state: 'asked', since: turn.event.at.wall } });
  }
  arm(turn, 'work', null);
  request(turn, { kind: 'lock', lock: { baseUrl, group, id }, waitMs: 0 });
  return false;
}

/**
 * The lock server does not confirm the slot of a reboot that may be under way. It stays on record, so that the next boot
 * gives it back in any case; finalize waits.
 */
export function confirmationRefused(turn: Turn, text: string, until: number): void {
  trouble(turn, 'slot', text, until);
  arm(turn, 'work', until);
}
