import { pauseAt } from './memory.ts';
import { CANCELLED_MS } from './orders.ts';
import { callOff } from './people.ts';
import { giveBack } from './slot.ts';
import { backToHolding } from './target.ts';
import { type Turn, arm, enter, now, patch, remember } from './turn.ts';

/** Asks the graph at once. */
export function checkNow(turn: Turn): void {
  arm(turn, 'poll', now(turn));
  arm(turn, 'host', now(turn));
}

/** Takes the consent of an administrator for time and patience; what somebody refused before is asked for again. */
export function updateNow(turn: Turn, by: string, forMs: number): void {
  const { at } = turn.event;
  const isIdle = turn.state.phase.name === 'rebooting' || turn.state.phase.name === 'disabled';
  if (isIdle || pauseAt(turn.state.memory, at.wall) !== null) return;
  remember(turn, { order: { by, since: at.wall, until: at.wall + forMs }, cancelled: null });
  patch(turn, { hooks: null, setbacks: null });
  checkNow(turn);
  const { phase } = turn.state;
  if (phase.name === 'holding') enter(turn, { ...phase, refusal: null });
  if (phase.name === 'staging' || phase.name === 'holding') arm(turn, 'work', now(turn));
}

/** Withdraws an `update --now`, and leaves a reboot that is being released: the slot goes back. */
export function cancel(turn: Turn, by: string): void {
  const { phase, memory } = turn.state;
  if (phase.name === 'rebooting') return;
  if (memory.order !== null) remember(turn, { order: null });
  if (phase.name !== 'releasing') return;
  callOff(turn, phase.target, `${by} has cancelled it`);
  const { wall } = turn.event.at;
  // On record: another run of the agent does not try it either.
  remember(turn, { cancelled: { by, since: wall, until: wall + CANCELLED_MS } });
  backToHolding(turn, phase, null);
  giveBack(turn);
}

/** Keeps reboots off. A moment that is past ends nothing that was ordered before. */
export function pause(turn: Turn, by: string, until: number | null, reason: string): void {
  const { wall } = turn.event.at;
  if (until === null || until > wall) remember(turn, { pause: { until, reason, by, since: wall } });
}
