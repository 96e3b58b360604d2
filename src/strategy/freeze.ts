import type { CalendarDate, Freeze, YearDay } from '../config/freeze.ts';
import { remembered } from './memo.ts';
import type { Period } from './period.ts';
import { resolved } from './schedule.ts';
import { firstShowing, lastShowing, offsetsOf, type OffsetAt } from './zone.ts';

const DAY = 86_400_000;
/** Every day of the calendar comes again within so many years, the 29th of February too. */
const RARE = 9;
/** In place of a year, for a freeze that comes once. */
const ONCE = 0;

/**
 * Days on which a host is not rebooted, in the dates of a zone. A freeze lasts from the first instant at which a clock on
 * the wall shows its first day to the last one at which it shows its last day, whatever the clock does in between. A day
 * that the zone leaves out is not frozen, and a yearly freeze that begins or ends on the 29th of February begins on the
 * 1st of March, or ends on the 28th of February, in years without one.
 */
export interface Freezes {
  readonly list: readonly Prepared[];
}

interface Prepared {
  readonly freeze: Freeze;
  readonly offsetAt: OffsetAt;
  /** The times of the freeze that were worked out, by the years in which they begin. */
  readonly times: Map<number, Period>;
}

/** What freezes say about an instant, all in milliseconds since 1970. */
export type Frozenness =
  | {
      readonly frozen: false;
      /** The next instant that is frozen; null for never. */
      readonly next: number | null;
    }
  | {
      readonly frozen: true;
      /** The first instant that is not, after this freeze and those that touch it; `Infinity` for never. */
      readonly until: number;
      /** That of the freeze which lasts longest of those that hold now. */
      readonly reason: string;
      /** Where that one stands in the list, from 0. */
      readonly index: number;
    };

/**
 * Prepares freezes for questions. `timeZone`, an IANA name or `localtime`, is that of freezes that name none; `hostZone`
 * is the IANA name that `localtime` stands for. An unknown zone throws a RangeError.
 */
export function createFreezes(list: readonly Freeze[], timeZone: string, hostZone: string): Freezes {
  const zones = new Map<string, OffsetAt>();
  const prepared = list.map((freeze) => {
    const zone = resolved(freeze.timeZone ?? timeZone, hostZone);
    const offsetAt = zones.get(zone) ?? offsetsOf(zone);
    zones.set(zone, offsetAt);
    return { freeze, offsetAt, times: new Map<number, Period>() };
  });
  return { list: prepared };
}

/** Whether an instant is frozen, and when that changes. Freezes are half-open. */
export function freezeAt({ list }: Freezes, wall: number): Frozenness {
  const now = list.flatMap((prepared, index) => {
    const period = around(prepared, wall);
    return period === null ? [] : [{ period, reason: prepared.freeze.reason, index }];
  });
  const [longest] = now.sort((a, b) => b.period.to - a.period.to);
  if (longest === undefined) return { frozen: false, next: firstAfter(list, wall) };
  return { frozen: true, until: untilEnd(list, longest.period.to), reason: longest.reason, index: longest.index };
}

/** Goes on while a freeze holds at the end of another; for ever if only yearly ones come for as long as they can differ. */
function untilEnd(list: readonly Prepared[], end: number): number {
  let until = end;
  const onces = list.flatMap((prepared) => (prepared.freeze.kind === 'once' ? timeOf(prepared, ONCE).to : []));
  const last = Math.max(end, ...onces) + RARE * 366 * DAY;
  while (until <= last) {
    const ends = list.flatMap((prepared) => around(prepared, until)?.to ?? []);
    if (ends.length === 0) return until;
    until = Math.max(...ends);
  }
  return Number.POSITIVE_INFINITY;
}

function firstAfter(list: readonly Prepared[], wall: number): number | null {
  const starts = list.flatMap((prepared) => {
    for (const { from, to } of occurrences(prepared, wall)) if (from > wall && from < to) return from;
    return [];
  });
  return starts.length === 0 ? null : Math.min(...starts);
}

/** That time of a freeze which holds at an instant, or null. */
function around(prepared: Prepared, wall: number): Period | null {
  for (const period of occurrences(prepared, wall)) {
    if (period.from > wall) return null;
    if (wall < period.to) return period;
  }
  return null;
}

/** The times of a freeze, from the last that may have begun before an instant, ascending; some may be empty. */
function* occurrences(prepared: Prepared, wall: number): Generator<Period> {
  const year = new Date(wall + prepared.offsetAt(wall)).getUTCFullYear();
  const [first, last] = prepared.freeze.kind === 'once' ? [ONCE, ONCE] : [year - 1, year + RARE];
  for (let begins = first; begins <= last; begins += 1) yield timeOf(prepared, begins);
}

/** That time of a freeze which begins in a year; `ONCE` for one that comes once. */
function timeOf({ freeze, offsetAt, times }: Prepared, year: number): Period {
  return remembered(times, year, () => periodOf(freeze, year, offsetAt));
}

/** `year` is that in which a yearly freeze begins; of no meaning for another. */
function periodOf(freeze: Freeze, year: number, offsetAt: OffsetAt): Period {
  const isOverNewYear = freeze.kind === 'yearly' && orderOf(freeze.until) < orderOf(freeze.from);
  const [from, until] =
    freeze.kind === 'once'
      ? [freeze.from, freeze.until]
      : [
          { ...freeze.from, year },
          { ...freeze.until, year: isOverNewYear ? year + 1 : year },
        ];
  return { from: firstShowing(offsetAt, startOf(from)), to: lastShowing(offsetAt, endOf(until)) };
}

function orderOf({ month, day }: YearDay): number {
  return month * 100 + day;
}

/** The 00:00 of a day, as if it were in UTC; that of the 1st of March for a 29th of February that is not there. */
function startOf({ year, month, day }: CalendarDate): number {
  return Date.UTC(year, month - 1, day);
}

/** The 00:00 of the day after, but no later than the end of the month. */
function endOf({ year, month, day }: CalendarDate): number {
  return Math.min(Date.UTC(year, month - 1, day + 1), Date.UTC(year, month, 1));
}
