import { duration } from '../../base/text.ts';

/** Minutes by which the clocks of a reader are ahead of UTC at a moment in ms since 1970. */
export type OffsetAt = (wall: number) => number;

/** Moments for people, in their own zone. All in milliseconds since 1970. */
export interface LocalTime {
  /** `14:11:15 UTC` for one of the same day as `now`, else `Fri 2026-07-24 02:00 +02:00`. */
  readonly at: (wall: number) => string;
  /** The same, and how far away that is: `02:00 UTC (in 11 h)`. */
  readonly near: (wall: number) => string;
  /** A text of the agent: the moments in UTC that it holds as `at` shows them. */
  readonly text: (text: string) => string;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const UTC = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;

/** How moments look to somebody whose clock is `offsetAt`, at `now`; `relative`: whether `near` says how far away. */
export function localTime(now: number, offsetAt: OffsetAt, relative = true): LocalTime {
  const at = (wall: number): string => {
    const there = isoAt(wall, offsetAt);
    const [day = '', time = ''] = there.split('T');
    const clock = `${time.replace(/:00$/, '')} ${zone(offsetAt(wall))}`;
    if (day === isoAt(now, offsetAt).split('T')[0]) return clock;
    return `${DAYS[new Date(`${day}T00:00:00Z`).getUTCDay()] ?? ''} ${day} ${clock}`;
  };
  return {
    at,
    near: (wall) => (relative ? `${at(wall)} (${distance(wall - now)})` : at(wall)),
    text: (text) => text.replace(UTC, (moment) => at(Date.parse(moment))),
  };
}

/** `2026-07-23T14:11:15`, to the second: a moment to come is never shown too early. */
function isoAt(wall: number, offsetAt: OffsetAt): string {
  return new Date(Math.floor(wall / 1000) * 1000 + offsetAt(wall) * 60_000).toISOString().slice(0, 19);
}

function zone(minutes: number): string {
  if (minutes === 0) return 'UTC';
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}

function distance(ms: number): string {
  if (Math.abs(ms) < 1_000) return 'now';
  return ms > 0 ? `in ${duration(ms)}` : `${duration(-ms)} ago`;
}
