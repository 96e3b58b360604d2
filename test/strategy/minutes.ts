import type { Freeze, YearDay } from '../../src/config/freeze.ts';

export const MINUTE = 60_000;
const DAY = 1440;

/** A cron expression, piece by piece. Null is `*`. */
export interface CronSpec {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly daysOfMonth: readonly (number | 'L')[] | null;
  readonly months: readonly number[] | null;
  readonly daysOfWeek: readonly { readonly day: number; readonly nth: number | 'L' | null }[] | null;
}

/** A window as the oracle sees it, on the clocks of one zone. */
export type OracleWindow =
  | {
      readonly kind: 'weekly';
      readonly days: readonly number[];
      readonly startMinute: number;
      readonly lengthMinutes: number;
      readonly clock: MinuteClock;
    }
  | { readonly kind: 'cron'; readonly spec: CronSpec; readonly lengthMinutes: number; readonly clock: MinuteClock };

/**
 * What the clock on the wall of a zone shows in each minute of some years, read from `Intl` as text (the code under test
 * asks it for offsets). It is asked twice an hour, and minute by minute where an hour is not one of sixty minutes. All
 * times here are in minutes since 1970; what a clock shows is given as if it were in UTC.
 */
export class MinuteClock {
  readonly from: number;
  readonly to: number;
  readonly #shown: Int32Array;
  #dates: readonly Stretch[] | null = null;

  constructor(timeZone: string, from: number, to: number) {
    [this.from, this.to] = [from, to];
    this.#shown = new Int32Array(to - from);
    const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
    const read = (minute: number): number =>
      Date.parse(`${format.format(minute * MINUTE).replace(' ', 'T')}:00Z`) / MINUTE;
    let first = read(from);
    for (let at = from; at < to; at += 60) {
      const next = read(at + 60);
      const isPlain = next - first === 60;
      for (let minute = at; minute < Math.min(at + 60, to); minute += 1) {
        this.#shown[minute - from] = isPlain ? first + (minute - at) : read(minute);
      }
      first = next;
    }
  }

  at(minute: number): number {
    const shown = this.#shown[minute - this.from];
    if (shown === undefined) throw new RangeError('outside of the years that were read');
    return shown;
  }

  /** The minutes that show something else than a minute more than the one before. */
  shifts(): readonly number[] {
    const found: number[] = [];
    for (let minute = this.from + 1; minute < this.to; minute += 1) {
      if (this.at(minute) !== this.at(minute - 1) + 1) found.push(minute);
    }
    return found;
  }

  /** All stretches in which one date is shown. */
  dates(): readonly Stretch[] {
    if (this.#dates !== null) return this.#dates;
    const found: { day: number; from: number; to: number }[] = [];
    for (let minute = this.from; minute < this.to; minute += 1) {
      const day = Math.floor(this.at(minute) / DAY);
      const last = found.at(-1);
      if (last?.day === day) last.to = minute + 1;
      else found.push({ day, from: minute, to: minute + 1 });
    }
    return (this.#dates = found);
  }
}

/** Minutes, half-open, in which one date is shown: a day, counted from 1970. */
interface Stretch {
  readonly day: number;
  readonly from: number;
  readonly to: number;
}

/** For each minute in [from, to) whether a window is open. Looks at twelve days before too. */
export function openMinutes(windows: readonly OracleWindow[], from: number, to: number): Uint8Array {
  const open = new Uint8Array(to - from);
  for (const window of windows) {
    for (const [start, end] of window.kind === 'weekly' ? within(window, from, to) : lasting(window, from, to)) {
      open.fill(1, Math.max(0, start - from), Math.max(0, end - from));
    }
  }
  return open;
}

/** Every minute in which a weekly window is open. */
function* within(
  window: Extract<OracleWindow, { kind: 'weekly' }>,
  from: number,
  to: number,
): Generator<[number, number]> {
  for (let at = from; at < to; at += 1) if (isWithin(window, window.clock.at(at))) yield [at, at + 1];
}

/** What is open by each start of a cron window. */
function lasting(window: Extract<OracleWindow, { kind: 'cron' }>, from: number, to: number): [number, number][] {
  return cronStarts(window, from - 10 * DAY, to).map((start) => [start, start + window.lengthMinutes]);
}

/** Whether the clock is less than the length after the start on one of the days. */
function isWithin(window: Extract<OracleWindow, { kind: 'weekly' }>, shown: number): boolean {
  // 1970 began on a Thursday.
  const clock = (shown + 4 * DAY) % (7 * DAY);
  return window.days.some((day) => {
    return (clock - day * DAY - window.startMinute + 14 * DAY) % (7 * DAY) < window.lengthMinutes;
  });
}

/** The minutes in which a clock first reaches a minute that the expression names, or first goes past it. */
function cronStarts({ spec, clock }: Extract<OracleWindow, { kind: 'cron' }>, from: number, to: number): number[] {
  const starts: number[] = [];
  // Two days before are enough to know what the clock has shown already.
  const warm = from - 2 * DAY;
  let reached = clock.at(warm) - 1;
  for (let at = warm; at < to; at += 1) {
    const shown = clock.at(at);
    let named = false;
    for (let minute = reached + 1; minute <= shown; minute += 1) named ||= isNamed(spec, minute);
    if (named && at >= from) starts.push(at);
    reached = Math.max(reached, shown);
  }
  return starts;
}

function isNamed({ minutes, hours, daysOfMonth, months, daysOfWeek }: CronSpec, minute: number): boolean {
  if (!minutes.includes(minute % 60) || !hours.includes(Math.floor(minute / 60) % 24)) return false;
  const date = new Date(minute * MINUTE);
  const day = date.getUTCDate();
  if (months !== null && !months.includes(date.getUTCMonth() + 1)) return false;
  const monthIn = (days: number): number => new Date(minute * MINUTE + days * DAY * MINUTE).getUTCMonth();
  const here = date.getUTCMonth();
  const byMonth = daysOfMonth?.some((one) => (one === 'L' ? monthIn(1) !== here : one === day));
  const byWeek = daysOfWeek?.some(({ day: weekday, nth }) => {
    if (weekday % 7 !== date.getUTCDay()) return false;
    if (nth === 'L') return monthIn(7) !== here;
    return nth === null || (monthIn(-7 * nth) !== here && (nth === 1 || monthIn(-7 * (nth - 1)) === here));
  });
  if (byMonth === undefined && byWeek === undefined) return true;
  return byMonth === true || byWeek === true;
}

/** As it is written in a file. */
export function cronText({ minutes, hours, daysOfMonth, months, daysOfWeek }: CronSpec): string {
  const weekdays = daysOfWeek?.map(({ day, nth }) => `${day}${nth === null ? '' : nth === 'L' ? 'L' : `#${nth}`}`);
  return [minutes, hours, daysOfMonth ?? ['*'], months ?? ['*'], weekdays ?? ['*']].map((f) => f.join(',')).join(' ');
}

/**
 * The minutes that are frozen, as half-open stretches: each time of a freeze from the first minute that shows one of its
 * days to the last one that does. Ascending, joined.
 */
export function frozenMinutes(freezes: readonly { freeze: Freeze; clock: MinuteClock }[]): [number, number][] {
  const times = new Map<string, [number, number]>();
  for (const [index, { freeze, clock }] of freezes.entries()) {
    for (const { day, from, to } of clock.dates()) {
      const which = timeOf(freeze, new Date(day * DAY * MINUTE));
      if (which === null) continue;
      const name = `${index} ${which}`;
      times.set(name, [times.get(name)?.[0] ?? from, to]);
    }
  }
  const joined: [number, number][] = [];
  for (const [from, to] of [...times.values()].sort(([a], [b]) => a - b)) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

/** The year in which that time of a freeze began which a date belongs to; 0 for one that comes once; null for none. */
function timeOf(freeze: Freeze, date: Date): number | null {
  const iso = date.toISOString().slice(0, 10);
  const [year, day] = [date.getUTCFullYear(), iso.slice(5)];
  const text = ({ month, day: of }: YearDay): string =>
    `${String(month).padStart(2, '0')}-${String(of).padStart(2, '0')}`;
  if (freeze.kind === 'once') {
    const [from, until] = [freeze.from, freeze.until].map((one) => `${one.year}-${text(one)}`);
    return iso >= from! && iso <= until! ? 0 : null;
  }
  const [from, until] = [text(freeze.from), text(freeze.until)];
  if (from <= until) return day >= from && day <= until ? year : null;
  return day >= from ? year : day <= until ? year - 1 : null;
}
