import type { CronFields } from '../config/cron.ts';
import { remembered } from './memo.ts';
import { joined, type Period } from './period.ts';
import { firstShift, firstShowing, startOfDay, tabled, type OffsetAt } from './zone.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Longer than from any day of the calendar (the 29th of February that is a Monday, over 2100) to the next such one. */
const RARE = 41 * 366 * DAY;

/** What begins where a cron expression says. */
export interface CronWindow {
  readonly fields: CronFields;
  /** At least 1. */
  readonly lengthMinutes: number;
}

/**
 * Windows that begin where cron expressions say, on the clocks of one zone.
 *
 * An expression names minutes of the calendar, in the dates and times of a zone: those whose minute, hour, month and
 * day are among its own, where either of day of month and day of week will do if both are given. Each of them begins one
 * window, which lasts for a time that passes, whatever clocks do meanwhile. When the clocks change:
 * - A window that begins in what they leave out begins at the first instant after it.
 * - A window that begins in what they show twice begins once, at the first showing.
 *
 * Windows that overlap or touch are one.
 */
export interface CronCalendar {
  readonly windows: readonly Prepared[];
  readonly longestMs: number;
  readonly offsetAt: OffsetAt;
  /** What is open by windows that begin on a day, by its 00:00 as if it were in UTC. */
  readonly days: Map<number, readonly Period[]>;
  /** The same for days without shifts, in milliseconds after 00:00, by which windows begin on them. */
  readonly plainDays: Map<string, readonly Period[]>;
}

interface Prepared {
  readonly fields: CronFields;
  /** Milliseconds after 00:00 at which windows begin, ascending. */
  readonly starts: readonly number[];
  readonly lengthMs: number;
}

/** Prepares windows for questions. */
export function createCronCalendar(windows: readonly CronWindow[], offsetAt: OffsetAt): CronCalendar {
  const prepared = windows.map(({ fields, lengthMinutes }) => {
    const starts = fields.hours.flatMap((hour) => fields.minutes.map((minute) => hour * HOUR + minute * MINUTE));
    return { fields, starts: starts.sort((a, b) => a - b), lengthMs: lengthMinutes * MINUTE };
  });
  const longestMs = Math.max(0, ...prepared.map(({ lengthMs }) => lengthMs));
  return { windows: prepared, longestMs, offsetAt, days: new Map(), plainDays: new Map() };
}

/** Open times that lie in [from, to) or reach into it, perhaps with others around, some of them perhaps in parts. */
export function cronPeriods(calendar: CronCalendar, from: number, to: number): readonly Period[] {
  const { offsetAt, longestMs } = calendar;
  const earliest = from - longestMs;
  const periods: Period[] = [];
  // Clocks that have gone back may have shown the day after before; those that leave out a day begin it later.
  const last = startOfDay(to + offsetAt(to)) + DAY;
  for (let day = startOfDay(earliest + offsetAt(earliest)) - DAY; day <= last; day += DAY) {
    for (const period of periodsOn(calendar, day)) if (period.to > from && period.from < to) periods.push(period);
  }
  return periods;
}

/** When it opens, for an instant at which it is closed; null when no window begins in the next 41 years. */
export function nextCronOpening(calendar: CronCalendar, wall: number): number | null {
  const first = startOfDay(wall + calendar.offsetAt(wall));
  const months = new Set(calendar.windows.flatMap(({ fields }) => fields.months));
  for (let day = first; day < first + RARE; day += DAY) {
    const date = new Date(day);
    if (!months.has(date.getUTCMonth() + 1)) {
      day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0);
      continue;
    }
    if (namedOn(calendar, day).length === 0) continue;
    const next = periodsOn(calendar, day).find(({ from }) => from > wall);
    if (next !== undefined) return next.from;
  }
  return null;
}

/** Open times by windows that begin on one day, in order. */
function periodsOn(calendar: CronCalendar, day: number): readonly Period[] {
  return remembered(calendar.days, day, () => workedOut(calendar, day));
}

function workedOut(calendar: CronCalendar, day: number): readonly Period[] {
  const named = namedOn(calendar, day);
  if (named.length === 0) return [];
  const first = plainStart(calendar, day);
  if (first === null) return periodsFrom(calendar, named, tableOf(calendar, day), day);
  const plain = remembered(calendar.plainDays, named.join(), () => periodsFrom(calendar, named, (start) => start, 0));
  return plain.map(({ from, to }) => ({ from: first + from, to: first + to }));
}

/** Open times by some windows that begin on one day, of which `showing` tells at which instants. */
function periodsFrom(
  { windows }: CronCalendar,
  named: readonly number[],
  showing: (local: number) => number,
  day: number,
): readonly Period[] {
  const periods = named.flatMap((index) => {
    const { starts, lengthMs } = windows[index] ?? NEVER;
    return starts.map((start) => {
      const from = showing(day + start);
      return { from, to: from + lengthMs };
    });
  });
  return joined(periods);
}

const NEVER: Pick<Prepared, 'starts' | 'lengthMs'> = { starts: [], lengthMs: 0 };

/** The first showing of dates and times of one day. */
function tableOf({ offsetAt }: CronCalendar, day: number): (local: number) => number {
  const table = tabled(offsetAt, day - 2 * DAY, day + 3 * DAY);
  return (local) => firstShowing(table, local);
}

/** Which windows begin on a day, as their indices. */
function namedOn({ windows }: CronCalendar, day: number): readonly number[] {
  const date = new Date(day);
  return windows.flatMap(({ fields }, index) => (isNamed(fields, date) ? index : []));
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
