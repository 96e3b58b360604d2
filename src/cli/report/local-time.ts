import { dayText, offsetText, timeText } from '../../base/clock-text.ts';
import { duration } from '../../base/text.ts';
import type { OffsetAt } from '../../strategy/zone.ts';

/** Moments for people, in their own zone. All in milliseconds since 1970. */
export interface LocalTime {
  /** `14:11:15 UTC` for one of the same day as `now`, else `Fri 2026-07-24 02:00 +02:00`. */
  readonly at: (wall: number) => string;
  /** The same, and how far away that is: `02:00 UTC (in 11 h)`. */
  readonly near: (wall: number) => string;
  /** A text of the agent: the moments in UTC that it holds as `at` shows them. */
  readonly text: (text: string) => string;
}

const UTC = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;

/** How moments look to somebody whose clock is `offsetAt`, at `now`; `relative`: whether `near` says how far away. */
export function localTime(now: number, offsetAt: OffsetAt, relative = true): LocalTime {
  const at = (wall: number): string => {
    // To the second: a moment to come is never shown too early.
    const there = shown(wall, offsetAt);
    const clock = `${timeText(there)} ${zone(offsetAt(wall))}`;
    const day = dayText(there);
    return day === dayText(shown(now, offsetAt)) ? clock : `${day} ${clock}`;
  };
  return {
    at,
    near: (wall) => (relative ? `${at(wall)} (${distance(wall - now)})` : at(wall)),
    text: (text) => text.replace(UTC, (moment) => at(Date.parse(moment))),
  };
}

/** What the reader's clocks show, as if it were in UTC. */
function shown(wall: number, offsetAt: OffsetAt): number {
  return Math.floor(wall / 1000) * 1000 + offsetAt(wall);
}

function zone(offset: number): string {
  return offset === 0 ? 'UTC' : offsetText(offset);
}

function distance(ms: number): string {
  if (Math.abs(ms) < 1_000) return 'now';
  return ms > 0 ? `in ${duration(ms)}` : `${duration(-ms)} ago`;
}
