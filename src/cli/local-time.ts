import { clockText, dayText, offsetText, timeText } from '../base/clock-text.ts';
import { type OffsetAt, offsetsOf } from '../strategy/zone.ts';

/** A zone as its clocks show it. */
export interface ZoneClock {
  /** IANA name. */
  readonly zone: string;
  readonly offsetAt: OffsetAt;
}

const MINUTE = 60_000;
/** Beyond this some zone's clocks show what no `Date` can be. */
const LAST = 8.64e15 - 2 * 86_400_000;

/** Prepares a zone; `timeZone` is an IANA name. An unknown one throws a RangeError. */
export function zoneClock(timeZone: string): ZoneClock {
  return { zone: timeZone, offsetAt: offsetsOf(timeZone) };
}

/** A moment in a zone: `Sat 2026-10-24 22:00 +02:00`. Milliseconds since 1970 in. */
export function momentText({ offsetAt }: ZoneClock, wall: number): string {
  if (!(Math.abs(wall) < LAST)) return 'an unknown time';
  const offset = offsetAt(wall);
  return `${clockText(wall + offset)} ${offsetText(offset)}`;
}

/**
 * From one moment to another, no word twice: `Sat 2026-10-24 22:00 to 23:30 +02:00`. Infinite ones have words of their
 * own.
 */
export function spanText(clock: ZoneClock, from: number, to: number): string {
  if (from === Number.NEGATIVE_INFINITY || to === Number.POSITIVE_INFINITY) {
    const start = from === Number.NEGATIVE_INFINITY ? 'since more than a week' : `from ${momentText(clock, from)} on`;
    return to === Number.POSITIVE_INFINITY
      ? `${start}, for a month at the least`
      : `${start}, to ${momentText(clock, to)}`;
  }
  const [first, last] = [clock.offsetAt(from), clock.offsetAt(to)];
  const same = dayText(from + first) === dayText(to + last);
  const end = same ? timeText(to + last) : clockText(to + last);
  return `${clockText(from + first)}${first === last ? '' : ` ${offsetText(first)}`} to ${end} ${offsetText(last)}`;
}

/** A moment in a zone for programs: `2026-10-24T22:00:00+02:00`. Seconds of offsets, as before 1972, are rounded. */
export function isoIn({ offsetAt }: ZoneClock, wall: number): string {
  const offset = Math.round(offsetAt(wall) / MINUTE) * MINUTE;
  return `${new Date(wall + offset).toISOString().slice(0, 19)}${offsetText(offset)}`;
}
