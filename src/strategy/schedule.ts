import type { RebootWindow, WeeklyWindow } from '../config/reboot-window.ts';
import { createCalendar, nextOpening, openPeriods } from './calendar.ts';
import { createCronCalendar, cronPeriods, type CronWindow, nextCronOpening } from './cron.ts';
import { remembered } from './memo.ts';
import { joined, type Period } from './period.ts';
import { placeIn } from './place.ts';
import { offsetsOf } from './zone.ts';

const DAY = 86_400_000;
/** What stays open for more days than this counts as open for ever: by then it has been looked at many times. */
const AHEAD = 32;
/** What has been open for more days than this counts as open since ever: all hosts have begun in it. */
const BACK = 8;

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
  /** Open times of days in UTC, joined, by their number since 1970. */
  readonly days: Map<number, readonly Period[]>;
}

/** Windows of one kind and zone. */
interface Source {
  /** Open times that lie in [from, to) or reach into it, perhaps with others around; for a day or so. */
  readonly periodsIn: (from: number, to: number) => readonly Period[];
  /** When it opens, for an instant at which it is closed; null for never. */
  readonly opensAfter: (wall: number) => number | null;
}

/** What a schedule says about an instant, all in milliseconds since 1970. */
export type Openness =
  | {
      readonly open: true;
      /** The first instant that is closed; `Infinity` for what stays open for a month or more. */
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
  const weekly = new Map<string, WeeklyWindow[]>();
  const cron = new Map<string, CronWindow[]>();
  for (const window of windows) {
    const zone = zoneOf(window);
    if (window.kind === 'weekly') weekly.set(zone, [...(weekly.get(zone) ?? []), window]);
    else cron.set(zone, [...(cron.get(zone) ?? []), window]);
  }
  const sources = [
    ...[...weekly].map(([zone, some]) => weeklySource(some, zone)),
    ...[...cron].map(([zone, some]) => cronSource(some, zone)),
  ];
  const place = (period: Period): number => (randomPlace ? placeIn(period, nodeId, graceMs) : period.from);
  return { sources, placeIn: place, days: new Map() };
}

/** The name of a zone where `localtime` is that of the host. */
export function resolved(timeZone: string, hostZone: string): string {
  return timeZone === 'localtime' ? hostZone : timeZone;
}

/**
 * Whether the host may be rebooted at an instant, and when that changes. Windows are half-open. Looks at a bounded
 * number of days, whatever the windows are.
 */
export function scheduleAt(schedule: Schedule, wall: number): Openness {
  const period = currentOrNext(schedule, wall);
  if (period === null) return { open: false, opens: null };
  const opens = schedule.placeIn(period);
  return opens <= wall ? { open: true, until: period.to } : { open: false, opens };
}

/**
 * The next windows of this host, at most `count`, beginning with one that is open at `wall` or of which its own place is
 * still to come. `from` may be `-Infinity`, for what has been open for a week or more, and `to` `Infinity`, for what stays
 * open for a month or more; no other follows then.
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

function currentOrNext(schedule: Schedule, wall: number): Period | null {
  const current = periodAt(schedule, wall);
  if (current !== null) return current;
  const opens = Math.min(...schedule.sources.map((source) => source.opensAfter(wall) ?? Number.POSITIVE_INFINITY));
  return opens === Number.POSITIVE_INFINITY ? null : periodAt(schedule, opens);
}

/** The whole open time around an instant, from day to day; null when it is closed. */
function periodAt(schedule: Schedule, wall: number): Period | null {
  const day = Math.floor(wall / DAY);
  const found = periodsOn(schedule, day).find(({ from, to }) => from <= wall && wall < to);
  return found === undefined
    ? null
    : { from: backFrom(schedule, found.from, day), to: onFrom(schedule, found.to, day) };
}

/** The end of what is open up to `end` on a day. */
function onFrom(schedule: Schedule, end: number, day: number): number {
  let to = end;
  for (let next = day + 1; to === next * DAY; next += 1) {
    if (next > day + AHEAD) return Number.POSITIVE_INFINITY;
    const [first] = periodsOn(schedule, next);
    if (first?.from === to) to = first.to;
  }
  return to;
}

/** The start of what is open from `start` on on a day. */
function backFrom(schedule: Schedule, start: number, day: number): number {
  let from = start;
  for (let before = day - 1; from === (before + 1) * DAY; before -= 1) {
    if (before < day - BACK) return Number.NEGATIVE_INFINITY;
    const last = periodsOn(schedule, before).at(-1);
    if (last?.to === from) from = last.from;
  }
  return from;
}

/** What is open of a day in UTC. */
function periodsOn({ sources, days }: Schedule, day: number): readonly Period[] {
  const [start, end] = [day * DAY, (day + 1) * DAY];
  return remembered(days, day, () => {
    const periods = sources.flatMap((source) => source.periodsIn(start, end));
    const within = periods.map(({ from, to }) => ({ from: Math.max(from, start), to: Math.min(to, end) }));
    return joined(within.filter(({ from, to }) => from < to));
  });
}

function weeklySource(windows: readonly WeeklyWindow[], zone: string): Source {
  const calendar = createCalendar(windows, zone);
  return {
    periodsIn: (from, to) => openPeriods(calendar, from, to),
    opensAfter: (wall) => nextOpening(calendar, wall),
  };
}

function cronSource(windows: readonly CronWindow[], zone: string): Source {
  const calendar = createCronCalendar(windows, offsetsOf(zone));
  return {
    periodsIn: (from, to) => cronPeriods(calendar, from, to),
    opensAfter: (wall) => nextCronOpening(calendar, wall),
  };
}
