import type { RebootWindow, WeeklyWindow } from '../config/reboot-window.ts';
import { createCalendar, nextOpening, openSince, openUntil } from './calendar.ts';
import { createCronCalendar, cronPeriodAt, nextCronStart } from './cron.ts';
import { FOR_EVER, type Period } from './period.ts';
import { placeIn } from './place.ts';
import { offsetsOf, type OffsetAt } from './zone.ts';

/** What a schedule is made of. */
export interface ScheduleOptions {
  readonly windows: readonly RebootWindow[];
  /** Of windows that name none: an IANA name or `localtime`. */
  readonly timeZone: string;
  /** Whether this host begins at its own place within each window. */
  readonly randomPlace: boolean;
  readonly nodeId: string;
  /** What its own place leaves to the end of the window at least, where the window is long enough. */
  readonly graceMs: number;
}

/** When a host may be rebooted: in any of its windows, weekly ones and those of cron expressions, in several zones. */
export interface Schedule {
  readonly sources: readonly Source[];
  /** Where this host begins in an open time. */
  readonly placeIn: (period: Period) => number;
}

/** Windows of one kind, joined where they overlap or touch. */
interface Source {
  /** The whole open time around an instant, ends possibly infinite; null when it is closed. */
  readonly periodAt: (wall: number) => Period | null;
  /** When it opens, for an instant at which it is closed; null for never. */
  readonly opensAfter: (wall: number) => number | null;
}

/** What a schedule says about an instant, all in milliseconds since 1970. */
export type Openness =
  | {
      readonly open: true;
      /** The first instant that is closed; `Infinity` for what stays open for a year or more. */
      readonly until: number;
    }
  | {
      readonly open: false;
      /** The first instant that is open; null for never. */
      readonly opens: number | null;
    };

/**
 * Prepares windows for questions. `hostZone` is the IANA name that `localtime` stands for. An unknown zone throws a
 * RangeError; the first zone that makes a difference loads Node's time zone data.
 */
export function createSchedule(options: ScheduleOptions, hostZone: string): Schedule {
  const { windows, timeZone, randomPlace, nodeId, graceMs } = options;
  const zoneOf = (window: RebootWindow): string => resolved(window.timeZone ?? timeZone, hostZone);
  const zones = new Map<string, OffsetAt>();
  const weekly = new Map<string, WeeklyWindow[]>();
  const sources: Source[] = [];
  for (const window of windows) {
    const zone = zoneOf(window);
    if (window.kind === 'weekly') {
      weekly.set(zone, [...(weekly.get(zone) ?? []), window]);
    } else {
      const offsetAt = zones.get(zone) ?? offsetsOf(zone);
      zones.set(zone, offsetAt);
      sources.push(cronSource(window.fields, window.lengthMinutes, offsetAt));
    }
  }
  for (const [zone, some] of weekly) sources.push(weeklySource(some, zone));
  return { sources, placeIn: (period) => (randomPlace ? placeIn(period, nodeId, graceMs) : period.from) };
}

/** The name of a zone where `localtime` is that of the host. */
export function resolved(timeZone: string, hostZone: string): string {
  return timeZone === 'localtime' ? hostZone : timeZone;
}

/** Whether the host may be rebooted at an instant, and when that changes. Windows are half-open. */
export function scheduleAt(schedule: Schedule, wall: number): Openness {
  const period = currentOrNext(schedule, wall);
  if (period === null) return { open: false, opens: null };
  const opens = schedule.placeIn(period);
  return opens <= wall ? { open: true, until: period.to } : { open: false, opens };
}

/**
 * The next windows of this host, at most `count`, beginning with one that is open at `wall` or of which its own place is
 * still to come. `from` may be `-Infinity` and `to` `Infinity`, for what is open for a year or more.
 */
export function windowsAfter(schedule: Schedule, wall: number, count: number): readonly Period[] {
  const found: Period[] = [];
  let at = wall;
  while (found.length < count && at < Number.POSITIVE_INFINITY) {
    const period = currentOrNext(schedule, at);
    if (period === null) break;
    found.push({ from: schedule.placeIn(period), to: period.to });
    at = period.to;
  }
  return found;
}

function currentOrNext({ sources }: Schedule, wall: number): Period | null {
  const current = periodAt(sources, wall);
  if (current !== null) return current;
  const opens = Math.min(...sources.map((source) => source.opensAfter(wall) ?? Number.POSITIVE_INFINITY));
  return opens === Number.POSITIVE_INFINITY ? null : periodAt(sources, opens);
}

/** The whole open time around an instant: while a source is open right before or right after it, it goes on. */
function periodAt(sources: readonly Source[], wall: number): Period | null {
  let period = widest(sources, wall);
  if (period === null) return null;
  while (period.to - wall <= FOR_EVER) {
    const more: Period | null = widest(sources, period.to);
    if (more === null) break;
    period = { from: period.from, to: more.to };
  }
  while (wall - period.from <= FOR_EVER) {
    const more: Period | null = widest(sources, period.from - 1);
    if (more === null) break;
    period = { from: more.from, to: period.to };
  }
  return {
    from: wall - period.from > FOR_EVER ? Number.NEGATIVE_INFINITY : period.from,
    to: period.to - wall > FOR_EVER ? Number.POSITIVE_INFINITY : period.to,
  };
}

function widest(sources: readonly Source[], wall: number): Period | null {
  const periods = sources.flatMap((source) => source.periodAt(wall) ?? []);
  if (periods.length === 0) return null;
  return { from: Math.min(...periods.map(({ from }) => from)), to: Math.max(...periods.map(({ to }) => to)) };
}

function weeklySource(windows: readonly WeeklyWindow[], zone: string): Source {
  const calendar = createCalendar(windows, zone);
  return {
    periodAt: (wall) => {
      const [from, to] = [openSince(calendar, wall), openUntil(calendar, wall)];
      return from === null || to === null ? null : { from, to };
    },
    opensAfter: (wall) => nextOpening(calendar, wall),
  };
}

function cronSource(...of: Parameters<typeof createCronCalendar>): Source {
  const calendar = createCronCalendar(...of);
  return { periodAt: (wall) => cronPeriodAt(calendar, wall), opensAfter: (wall) => nextCronStart(calendar, wall) };
}
