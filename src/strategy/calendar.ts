import type { Window } from '../config/window.ts';
import { covers, isWholeWeek, nextEdge, unionOf, type Span } from './week.ts';
import type { Period } from './period.ts';
import { clockAt, firstShift, offsetsOf, tabled, type OffsetAt } from './zone.ts';

/**
 * Weekly windows on the clocks of a time zone.
 *
 * The calendar is open at an instant if and only if the day and time that a clock on the wall shows at that instant lie
 * in one of the windows, each from its start up to, not including, its end. Nothing else decides, so when the clocks
 * change:
 * - What they leave out does not happen. A window in it is skipped. One that begins in it opens at the first instant
 *   after it, and one that ends in it closes there.
 * - What they show twice happens twice. A window in it is open twice. One that begins in it opens at the first showing
 *   of its start, closes where the clocks go back, and opens again when they show its start again; one that ends in it
 *   closes at the first showing of its end, opens again where the clocks go back, and closes at the second.
 * - A window that contains the change is open all through, for more or less time than its length.
 *
 * Windows that overlap or touch on the clock, or touch because the clocks leave out what is between them, are one.
 */
export interface Calendar {
  /** What is open of the week. */
  readonly spans: readonly Span[];
  /** Of the zone, or of UTC where the zone makes no difference. */
  readonly offsetAt: OffsetAt;
}

/**
 * Prepares windows for questions. `timeZone`: an IANA name, not `localtime`. It is not looked at when it makes no
 * difference (no windows, or the whole week), else an unknown one throws a RangeError, and the first one loads Node's
 * time zone data.
 */
export function createCalendar(windows: readonly Window[], timeZone: string): Calendar {
  const spans = unionOf(windows);
  const constant = spans.length === 0 || isWholeWeek(spans);
  return { spans, offsetAt: offsetsOf(constant ? 'UTC' : timeZone) };
}

/** Whether a window is open at an instant. Of all questions, `wall` is in whole milliseconds since 1970. */
export function isOpen({ spans, offsetAt }: Calendar, wall: number): boolean {
  return covers(spans, clockAt(offsetAt, wall));
}

/** The first instant at or after `wall` that is open: `wall` itself when it is. Null when there are no windows. */
export function nextOpening(calendar: Calendar, wall: number): number | null {
  if (calendar.spans.length === 0) return null;
  return isOpen(calendar, wall) ? wall : nextChange(calendar, wall);
}

/**
 * The first instant after `wall` that is closed, so that all from `wall` up to it is open; `Infinity` when windows cover
 * the whole week. Null when `wall` is closed.
 */
export function openUntil(calendar: Calendar, wall: number): number | null {
  if (!isOpen(calendar, wall)) return null;
  return isWholeWeek(calendar.spans) ? Number.POSITIVE_INFINITY : nextChange(calendar, wall);
}

/** What is open of [from, to), a day or so, in order. */
export function openPeriods({ spans, offsetAt }: Calendar, from: number, to: number): readonly Period[] {
  const calendar = { spans, offsetAt: tabled(offsetAt, from, to) };
  const periods: Period[] = [];
  for (let opens = nextOpening(calendar, from); opens !== null && opens < to;) {
    const closes = Math.min(openUntil(calendar, opens) ?? opens, to);
    periods.push({ from: opens, to: closes });
    opens = closes < to ? nextOpening(calendar, closes) : null;
  }
  return periods;
}

/**
 * The first instant after `wall` at which a calendar that is neither always open nor always closed opens or closes.
 * Between two shifts of the zone that can only be where a span begins or ends; at a shift, anything can.
 */
function nextChange(calendar: Calendar, wall: number): number {
  const { spans, offsetAt } = calendar;
  const open = isOpen(calendar, wall);
  let at = wall;
  do {
    const clock = clockAt(offsetAt, at);
    const edge = at + nextEdge(spans, clock) - clock;
    at = firstShift(offsetAt, at, edge) ?? edge;
  } while (isOpen(calendar, at) === open);
  return at;
}
