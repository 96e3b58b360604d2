import { WEEK } from './week.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const DAYS: readonly string[] = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
/** From a Sunday 00:00 UTC to 1970-01-01T00:00:00Z, a Thursday. */
const EPOCH = 4 * DAY;

/**
 * How far local clocks are ahead of UTC at an instant (milliseconds since 1970), modulo a week: 0 <= offset < WEEK, so
 * New York is almost a week ahead. A zone that leaves out a day, as Samoa did in 2011, gets ahead by that day.
 */
export type OffsetAt = (wall: number) => number;

/**
 * Reads a zone from Node's time zone data; takes some megabytes when it is the first one, except for `UTC`. Throws a
 * RangeError for an unknown name. What it returns throws a RangeError for an instant that no `Date` can have.
 */
export function offsetsOf(timeZone: string): OffsetAt {
  if (timeZone === 'UTC') return () => 0;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  return (wall) => {
    const second = Math.floor(wall / SECOND) * SECOND;
    return modulo(shown(format, second) - second - EPOCH);
  };
}

/** What the local clock shows at an instant, in milliseconds since Sunday 00:00: 0 <= clock < WEEK. */
export function clockAt(offsetAt: OffsetAt, wall: number): number {
  return modulo(wall + EPOCH + offsetAt(wall));
}

/**
 * The first instant in (from, to] at which the offset is not what it was before it; null when there is none. Finds every
 * shift that stays for a day; since 1970 none has stayed for less than six.
 */
export function firstShift(offsetAt: OffsetAt, from: number, to: number): number | null {
  const offset = offsetAt(from);
  let before = from;
  while (before < to) {
    const after = Math.min(before + DAY, to);
    if (offsetAt(after) !== offset) return bisect((wall) => offsetAt(wall) !== offset, before, after);
    before = after;
  }
  return null;
}

/** The first integer in (before, after] for which `holds`; it does for `after`, not for `before`. */
function bisect(holds: (value: number) => boolean, before: number, after: number): number {
  let [no, yes] = [before, after];
  while (yes - no > 1) {
    const middle = no + Math.floor((yes - no) / 2);
    if (holds(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}

function shown(format: Intl.DateTimeFormat, wall: number): number {
  let clock = 0;
  for (const { type, value } of format.formatToParts(wall)) {
    if (type === 'weekday') clock += DAYS.indexOf(value) * DAY;
    else if (type === 'hour') clock += Number(value) * HOUR;
    else if (type === 'minute') clock += Number(value) * MINUTE;
    else if (type === 'second') clock += Number(value) * SECOND;
  }
  return clock;
}

function modulo(clock: number): number {
  return ((clock % WEEK) + WEEK) % WEEK;
}
