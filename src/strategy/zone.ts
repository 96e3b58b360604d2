import { WEEK } from './week.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** From a Sunday 00:00 UTC to 1970-01-01T00:00:00Z, a Thursday. */
const EPOCH = 4 * DAY;
/** No clock is further from UTC than this. */
const FURTHEST = 16 * HOUR;

/**
 * How far local clocks, with their dates, are ahead of UTC at an instant (milliseconds since 1970). A zone that leaves
 * out a day, as Samoa did in 2011, gets ahead by that day.
 */
export type OffsetAt = (wall: number) => number;

/**
 * Reads a zone from Node's time zone data; takes some megabytes when it is the first one, except for `UTC`. Throws a
 * RangeError for an unknown name. What it returns throws a RangeError for an instant that no `Date` can have.
 */
export function offsetsOf(timeZone: string): OffsetAt {
  if (timeZone === 'UTC') return () => 0;
  // Several times as fast as to read date and time from it. The hour is there in place of a whole date.
  const format = new Intl.DateTimeFormat('en-US', { timeZone, hour: '2-digit', timeZoneName: 'longOffset' });
  return (wall) => offsetIn(format.format(wall));
}

/** What the local clock shows at an instant, in milliseconds since Sunday 00:00: 0 <= clock < WEEK. */
export function clockAt(offsetAt: OffsetAt, wall: number): number {
  return (((wall + EPOCH + offsetAt(wall)) % WEEK) + WEEK) % WEEK;
}

/** The 00:00 of the day that a local date and time is on; both as if they were in UTC, in milliseconds since 1970. */
export function startOfDay(local: number): number {
  return Math.floor(local / DAY) * DAY;
}

/**
 * The first instant at which local clocks show a date and time (as if it were in UTC, in milliseconds since 1970) or a
 * later one: the first of two where it comes twice, the first after it where it is left out.
 */
export function firstShowing(offsetAt: OffsetAt, local: number): number {
  let at = local - FURTHEST;
  for (;;) {
    const due = local - offsetAt(at);
    if (due <= at) return at;
    const shift = firstShift(offsetAt, at, due);
    if (shift === null) return due;
    at = shift;
  }
}

/** The first instant from which on local clocks show nothing before a date and time, in the same form. */
export function lastShowing(offsetAt: OffsetAt, local: number): number {
  const end = local + FURTHEST;
  let [at, last] = [local - FURTHEST, local - FURTHEST];
  while (at < end) {
    const next = firstShift(offsetAt, at, end) ?? end;
    const due = local - offsetAt(at);
    if (due > at) last = Math.min(due, next);
    at = next;
  }
  return last;
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

/** The same offsets from a table, for many questions about instants within [from, to]. */
export function tabled(offsetAt: OffsetAt, from: number, to: number): OffsetAt {
  const table: { readonly since: number; readonly offset: number }[] = [];
  for (let since: number | null = from; since !== null; since = firstShift(offsetAt, since, to)) {
    table.unshift({ since, offset: offsetAt(since) });
  }
  return (wall) => table.find(({ since }) => since <= wall)?.offset ?? offsetAt(wall);
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

/** From text that ends in `GMT`, `GMT-03:30` or `GMT-00:44:30`. */
function offsetIn(text: string): number {
  const [, sign, hours, minutes, seconds = '0'] = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text) ?? [];
  if (sign === undefined) return 0;
  const offset = Number(hours) * HOUR + Number(minutes) * MINUTE + Number(seconds) * SECOND;
  return sign === '-' ? -offset : offset;
}
