import type { Config } from '../../config/schema.ts';
import type { RebootWindow } from '../../config/reboot-window.ts';
import { graceMs as graceOf } from '../../config/holding.ts';
import { createFreezes, freezeAt, type Freezes } from '../../strategy/freeze.ts';
import type { Period } from '../../strategy/period.ts';
import { placeIn } from '../../strategy/place.ts';
import { createSchedule, resolved, type Schedule, windowsAfter } from '../../strategy/schedule.ts';
import { type ZoneClock, zoneClock } from '../local-time.ts';
import { changeText, type Irregularity, irregularities, nominalSchedule, shiftsIn } from './clocks.ts';
import type { Frozen, SkippedWindow, WindowReport, WindowsReport } from './report.ts';

const DAY = 86_400_000;
/** Changes of the clocks are looked at as far as this behind the first window. */
const SHIFTS_DAYS = 800;
const MOST_SHIFTS = 16;
/** Parts of one window that freezes take away. */
const MOST_FROZEN = 64;

/** What windows are worked out from. */
export interface Question {
  readonly config: Config;
  /** Null where places do not matter. */
  readonly nodeId: string | null;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** How many windows, 1 or more. */
  readonly next: number;
  /** The IANA name that `localtime` stands for. */
  readonly hostZone: string;
  /** `FILE:LINE` of each window and each freeze, in their order. */
  readonly windowOrigins: readonly string[];
  readonly freezeOrigins: readonly string[];
}

/** One table of the configuration, ready for questions. */
interface Source {
  readonly window: RebootWindow;
  readonly clock: ZoneClock;
  readonly schedule: Schedule;
  readonly origin: string | null;
  readonly irregular: readonly Irregularity[];
}

/** Works out when this host may reboot. An unknown zone throws a RangeError. */
export function workOut(question: Question): WindowsReport {
  const { config, at, next, hostZone } = question;
  const { updates } = config;
  const uses = updates.strategy.includes('periodic');
  const freezes = createFreezes(updates.freezes, updates.periodic.timeZone, hostZone);
  const graceMs = updates.sessions.enabled ? graceOf(updates.sessions) : 0;
  const periods = uses ? windowsAfter(scheduleOf(question, updates.periodic.windows), at, next) : [];
  const sources = periods.length === 0 ? [] : sourcesOf(question, periods);
  const windows = periods.map((period) => windowOf(question, { period, sources, freezes, graceMs }));
  const reboots = !updates.enabled || (uses && windows.length === 0) ? 'never' : uses ? 'windows' : 'anyTime';
  return {
    version: 1,
    at,
    reboots,
    strategy: updates.strategy,
    localZone: hostZone,
    graceMs,
    notes: notesOf(config, windows),
    windows,
    skipped: skippedIn(sources, at, windows.at(-1)?.to ?? at),
    freezes: frozenIn(question, freezes, { from: at, to: Number.POSITIVE_INFINITY }, next),
  };
}

/** Without a place of this host's own in them. */
function scheduleOf({ config, hostZone }: Question, windows: readonly RebootWindow[]): Schedule {
  const { timeZone } = config.updates.periodic;
  return createSchedule({ windows, timeZone, randomPlace: false, nodeId: '', graceMs: 0 }, hostZone);
}

function sourcesOf(question: Question, periods: readonly Period[]): readonly Source[] {
  const { config, hostZone, windowOrigins, at } = question;
  const { windows, timeZone } = config.updates.periodic;
  const clocks = new Map<string, ZoneClock>();
  const last = Math.max(...periods.map(({ to }) => (to === Number.POSITIVE_INFINITY ? at : to)));
  const to = Math.min(last, (periods[0]?.to ?? at) + SHIFTS_DAYS * DAY);
  return windows.map((window, index) => {
    const zone = resolved(window.timeZone ?? timeZone, hostZone);
    const clock = clocks.get(zone) ?? zoneClock(zone);
    clocks.set(zone, clock);
    const nominal = nominalSchedule(window);
    const shifts = shiftsIn(clock, at - 8 * DAY, Math.max(to, at) + DAY, MOST_SHIFTS);
    const irregular = shifts.flatMap((shift) => irregularities(window, nominal, clock, shift));
    return {
      window,
      clock,
      schedule: scheduleOf(question, [window]),
      origin: windowOrigins[index] ?? null,
      irregular,
    };
  });
}

interface Known {
  readonly period: Period;
  readonly sources: readonly Source[];
  readonly freezes: Freezes;
  readonly graceMs: number;
}

function windowOf(question: Question, { period, sources, freezes, graceMs }: Known): WindowReport {
  const { at, config, nodeId, hostZone } = question;
  const own = sources
    .flatMap((source) => {
      // What is open before the moment asked for, and not since ever, still has its start.
      const [first] = windowsAfter(source.schedule, Math.max(period.from, at - 9 * DAY), 1);
      return first !== undefined && first.from < period.to ? [{ source, from: first.from }] : [];
    })
    .sort((a, b) => a.from - b.from)
    .map(({ source }) => source);
  const randomPlace = config.updates.periodic.randomPlace && nodeId !== null;
  const place = randomPlace ? placeIn(period, nodeId, graceMs) : period.from;
  const frozen = frozenIn(question, freezes, { from: Math.max(period.from, at - 9 * DAY), to: period.to }, MOST_FROZEN);
  const usableMs = longestLeft({ from: place, to: period.to }, frozen);
  return {
    ...period,
    zone: own[0]?.clock.zone ?? hostZone,
    open: period.from <= at && at < period.to,
    place: place === period.from ? null : place,
    frozen,
    usableMs,
    tooShort: usableMs > 0 && usableMs <= graceMs,
    clocks: clocksOf(period, own),
    origins: own.flatMap(({ origin }) => origin ?? []),
  };
}

/** What changes of the clocks do to a window; of one that several tables make only that they change. */
function clocksOf(period: Period, own: readonly Source[]): readonly string[] {
  const texts = own.flatMap(({ irregular }) => {
    const touching = irregular.filter(({ kind, period: its }) => kind !== 'skipped' && overlaps(its, period));
    // Windows of one table that begin every few minutes say the same.
    const first = touching.filter(
      (one, index) => touching.findIndex(({ shift, kind }) => shift.at === one.shift.at && kind === one.kind) === index,
    );
    return first.map(({ text, shift }) => (own.length === 1 ? text : changeText(shift)));
  });
  return [...new Set(texts)];
}

function overlaps(a: Period, b: Period): boolean {
  return a.from < b.to && b.from < a.to;
}

function skippedIn(sources: readonly Source[], at: number, until: number): readonly SkippedWindow[] {
  const skipped = sources.flatMap(({ irregular, origin }) =>
    irregular
      .filter(({ kind, shift }) => kind === 'skipped' && shift.at >= at && shift.at < until)
      .map(({ shift, text }) => ({ at: shift.at, text, origin })),
  );
  return skipped.sort((a, b) => a.at - b.at);
}

/** What freezes take away of a time, in order, at most `most` parts. */
function frozenIn({ freezeOrigins }: Question, freezes: Freezes, time: Period, most: number): readonly Frozen[] {
  const parts: Frozen[] = [];
  let at: number | null = time.from;
  while (at !== null && at < time.to && parts.length < most) {
    const now = freezeAt(freezes, at);
    if (!now.frozen) {
      at = now.next;
      continue;
    }
    parts.push({
      from: at,
      to: Math.min(now.until, time.to),
      reason: now.reason,
      origin: freezeOrigins[now.index] ?? null,
    });
    at = now.until;
  }
  return parts;
}

/** The longest part of a time that is not frozen. */
function longestLeft({ from, to }: Period, frozen: readonly Frozen[]): number {
  let [longest, at] = [0, from];
  for (const part of frozen) {
    longest = Math.max(longest, part.from - at);
    at = Math.max(at, part.to);
  }
  return Math.max(longest, to - at);
}

function notesOf({ updates }: Config, windows: readonly WindowReport[]): readonly string[] {
  const uses = updates.strategy.includes('periodic');
  const never = windows.length === 0;
  return [
    ...(updates.enabled ? [] : ['Updates are off (updates.enabled is false): this host does not reboot by itself.']),
    ...(uses ? [] : ['Windows do not matter: updates.strategy does not contain "periodic".']),
    ...(uses && updates.periodic.windows.length === 0 ? ['There is no window ([[updates.periodic.window]]).'] : []),
    ...(uses && updates.periodic.windows.length > 0 && never ? ['No window opens within 41 years.'] : []),
    ...(updates.strategy.includes('fleet_lock') && !(uses && never)
      ? ['The lock manager has to grant a slot as well (strategy fleet_lock).']
      : []),
  ];
}
