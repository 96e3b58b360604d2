import type { CronFields } from '../config/cron.ts';
import { FOR_EVER, joined, type Period } from './period.ts';
import { firstShift, firstShowing, startOfDay, tabled, type OffsetAt } from './zone.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Longer than from any day of the calendar (the 29th of February that is a Monday, over 2100) to the next such one. */
const RARE = 41 * 366 * DAY;
/** So much is looked at together where an open time goes on and on. */
const STRIDE = 14 * DAY;
/**
 * Windows that begin where a cron expression says.
 *
 * The expression names minutes of the calendar, in the dates and times of a zone: those whose minute, hour, month and
 * day are among its own, where either of day of month and day of week will do if both are given. Each of them begins one
 * window, which lasts for a time that passes, whatever clocks do meanwhile. When the clocks change:
 * - A window that begins in what they leave out begins at the first instant after it.
 * - A window that begins in what they show twice begins once, at the first showing.
 *
 * Windows that overlap or touch are one.
 */
export interface CronCalendar {
  readonly fields: CronFields;
  /** Milliseconds after 00:00 at which windows begin, ascending. */
  readonly starts: readonly number[];
  /** What is open of a day without shifts by windows that begin in it, in milliseconds after 00:00. */
  readonly plainDay: readonly Period[];
  readonly lengthMs: number;
  readonly offsetAt: OffsetAt;
}

/** Prepares an expression for questions. `lengthMinutes`: at least 1. */
export function createCronCalendar(fields: CronFields, lengthMinutes: number, offsetAt: OffsetAt): CronCalendar {
  const starts = fields.hours.flatMap((hour) => fields.minutes.map((minute) => hour * HOUR + minute * MINUTE));
  starts.sort((a, b) => a - b);
  const lengthMs = lengthMinutes * MINUTE;
  const plainDay = joined(starts.map((from) => ({ from, to: from + lengthMs })));
  return { fields, starts, plainDay, lengthMs, offsetAt };
}

/**
 * The whole open time around an instant; null when it is closed. Ends that are further away than `FOR_EVER` are
 * infinite.
 */
export function cronPeriodAt(calendar: CronCalendar, wall: number): Period | null {
  const found = periodsOver(calendar, wall - calendar.lengthMs, wall).find(({ from, to }) => from <= wall && wall < to);
  if (found === undefined) return null;
  return { from: backFrom(calendar, found.from, wall), to: onFrom(calendar, found.to, wall) };
}

/** The first instant after `wall` at which a window begins; null when there is none in the next 41 years. */
export function nextCronStart(calendar: CronCalendar, wall: number): number | null {
  const first = startOfDay(wall + calendar.offsetAt(wall));
  for (let day = first; day < first + RARE; day += DAY) {
    const next = startsOf(calendar, day).find((start) => start > wall);
    if (next !== undefined) return next;
  }
  return null;
}

/** Goes on from the end of a time while windows begin in it. */
function onFrom(calendar: CronCalendar, end: number, wall: number): number {
  let [to, stride] = [end, 0];
  while (to - wall <= FOR_EVER) {
    const next = periodsOver(calendar, to - calendar.lengthMs, to + stride).findLast(({ from }) => from <= to);
    if (next === undefined || next.to <= to) return to;
    [to, stride] = [next.to, STRIDE];
  }
  return Number.POSITIVE_INFINITY;
}

/** Goes back from the start of a time while windows end in it. */
function backFrom(calendar: CronCalendar, start: number, wall: number): number {
  let [from, stride] = [start, 0];
  while (wall - from <= FOR_EVER) {
    const before = periodsOver(calendar, from - calendar.lengthMs - stride, from).find(({ to }) => to >= from);
    if (before === undefined || before.from >= from) return from;
    [from, stride] = [before.from, STRIDE];
  }
  return Number.NEGATIVE_INFINITY;
}

/** Open times by windows that begin in [from, to], joined where they touch; perhaps with others around. */
function periodsOver(calendar: CronCalendar, from: number, to: number): readonly Period[] {
  const { offsetAt } = calendar;
  const periods: Period[] = [];
  // Clocks that have gone back may have shown the day after before; those that leave out a day begin it later.
  const last = startOfDay(to + offsetAt(to)) + DAY;
  for (let day = startOfDay(from + offsetAt(from)) - DAY; day <= last; day += DAY)
    periods.push(...periodsOf(calendar, day));
  return joined(periods);
}

/** Open times by windows that begin on one day. */
function periodsOf(calendar: CronCalendar, day: number): readonly Period[] {
  const { fields, plainDay, lengthMs } = calendar;
  if (!isNamed(fields, new Date(day))) return [];
  const first = plainStart(calendar, day);
  if (first !== null) return plainDay.map(({ from, to }) => ({ from: first + from, to: first + to }));
  return startsOf(calendar, day).map((from) => ({ from, to: from + lengthMs }));
}

/** The instants at which windows of a day begin, ascending. */
function startsOf(calendar: CronCalendar, day: number): readonly number[] {
  const { fields, starts, offsetAt } = calendar;
  if (!isNamed(fields, new Date(day))) return [];
  const first = plainStart(calendar, day);
  if (first !== null) return starts.map((start) => first + start);
  const table = tabled(offsetAt, day - 2 * DAY, day + 3 * DAY);
  return starts.map((start) => firstShowing(table, day + start));
}

/** The 00:00 of a day on which clocks do not change; null for another. */
function plainStart({ offsetAt }: CronCalendar, day: number): number | null {
  const first = firstShowing(offsetAt, day);
  return firstShift(offsetAt, first - 1, first + DAY) === null ? first : null;
}

/** `date` is the day as if it were in UTC. */
function isNamed({ months, daysOfMonth, daysOfWeek }: CronFields, date: Date): boolean {
  const [month, day] = [date.getUTCMonth(), date.getUTCDate()];
  if (!months.includes(month + 1)) return false;
  const length = new Date(Date.UTC(date.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const isDay = daysOfMonth?.some((one) => (one === 'last' ? day === length : day === one));
  const isWeekday = daysOfWeek?.some(({ day: weekday, nth }) => {
    if (weekday !== date.getUTCDay()) return false;
    return nth === null || (nth === 'last' ? day > length - 7 : Math.ceil(day / 7) === nth);
  });
  if (isDay === undefined) return isWeekday ?? true;
  return isDay || (isWeekday ?? false);
}
