import type { RebootWindow } from '../../config/reboot-window.ts';
import { duration } from '../../base/text.ts';
import type { Period } from '../../strategy/period.ts';
import { createSchedule, type Schedule, windowsAfter } from '../../strategy/schedule.ts';
import { firstShift, firstShowing, lastShowing } from '../../strategy/zone.ts';
import { clockText, offsetText, timeText } from '../../base/clock-text.ts';
import type { ZoneClock } from '../local-time.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** The longest window. */
const LONGEST = 7 * DAY;

/** A change of the clocks. */
export interface Shift {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** What clocks show, and would have shown, at that instant; as if in UTC. */
  readonly before: number;
  readonly after: number;
}

/** What a change of the clocks does to one window of one table of the configuration. */
export interface Irregularity {
  readonly kind: 'skipped' | 'twice' | 'late' | 'early' | 'shrunk' | 'stretched' | 'once' | 'kept';
  readonly shift: Shift;
  /** In which it is open; empty where it is skipped, and around both times where it is open twice. */
  readonly period: Period;
  /** In words: one clause. */
  readonly text: string;
}

/** The changes of clocks in (from, to], at most `most`. */
export function shiftsIn({ offsetAt }: ZoneClock, from: number, to: number, most: number): readonly Shift[] {
  const shifts: Shift[] = [];
  let at = firstShift(offsetAt, from, to);
  while (at !== null && shifts.length < most) {
    shifts.push({ at, before: at + offsetAt(at - 1), after: at + offsetAt(at) });
    at = firstShift(offsetAt, at, to);
  }
  return shifts;
}

/** Windows of one table as they stand in it: in the time of clocks that never change, as if that were UTC. */
export function nominalSchedule(window: RebootWindow): Schedule {
  const options = { timeZone: 'UTC', randomPlace: false, nodeId: '', graceMs: 0 };
  return createSchedule({ ...options, windows: [{ ...window, timeZone: 'UTC' }] }, 'UTC');
}

/** What a change of the clocks does to the windows of one table. */
export function irregularities(
  window: RebootWindow,
  nominal: Schedule,
  clock: ZoneClock,
  shift: Shift,
): readonly Irregularity[] {
  const [low, high] = [Math.min(shift.before, shift.after), Math.max(shift.before, shift.after)];
  return nominalNear(nominal, low, high).flatMap((period) => {
    const kind = window.kind === 'weekly' ? weeklyKind(period, shift) : cronKind(period, shift);
    if (kind === null) return [];
    return { kind, shift, period: realPeriod(window, period, clock), text: textOf(kind, period, shift, clock) };
  });
}

/** Those that reach into [low, high] of the clock or touch it; none that is open for a week or more. */
function nominalNear(nominal: Schedule, low: number, high: number): readonly Period[] {
  const near: Period[] = [];
  let [at, rounds] = [low - LONGEST, 0];
  // A window for each minute of the hour that is changed, and of the week before it where they are short.
  while (rounds++ < 20_000) {
    const [period] = windowsAfter(nominal, at, 1);
    if (period === undefined || period.from > high || period.to === Number.POSITIVE_INFINITY) break;
    if (period.to >= low && period.from !== Number.NEGATIVE_INFINITY) near.push(period);
    at = period.to;
  }
  return near;
}

function realPeriod(window: RebootWindow, { from, to }: Period, { offsetAt }: ZoneClock): Period {
  const start = firstShowing(offsetAt, from);
  return { from: start, to: window.kind === 'weekly' ? lastShowing(offsetAt, to) : start + (to - from) };
}

/** Weekly windows go by what clocks show. */
function weeklyKind({ from, to }: Period, { before, after }: Shift): Irregularity['kind'] | null {
  if (after > before) {
    if (to <= before || from >= after) return null;
    if (from >= before) return to <= after ? 'skipped' : 'late';
    return to < after ? 'early' : 'shrunk';
  }
  if (to <= after || from >= before) return null;
  if (from > after) return 'twice';
  return to < before ? 'twice' : 'stretched';
}

/** Windows of cron expressions begin by the clock and last for a time that passes. */
function cronKind({ from, to }: Period, { before, after }: Shift): Irregularity['kind'] | null {
  if (after > before) {
    if (from >= before && from < after) return 'late';
    return from < before && to > before ? 'kept' : null;
  }
  if (from >= after && from < before) return 'once';
  return from < after && to > after ? 'kept' : null;
}

function textOf(kind: Irregularity['kind'], { from, to }: Period, shift: Shift, { zone }: ZoneClock): string {
  const { before, after } = shift;
  const change = changeText(shift);
  const planned = duration(to - from);
  const jump = after - before;
  switch (kind) {
    case 'skipped':
      return `${clockText(from)} to ${timeText(to)} ${zone}: ${change}, so it does not open at all`;
    case 'late':
      return `${change}, and with them ${timeText(from)}, where it would begin: it opens at ${timeText(after)}`;
    case 'early':
      return `${change}, and with them ${timeText(to)}, where it would end: it closes at that moment`;
    case 'shrunk':
      return `${change} while it is open: it lasts ${duration(to - from - jump)} rather than ${planned}`;
    case 'stretched':
      return `${change} while it is open: it lasts ${duration(to - from - jump)} rather than ${planned}`;
    case 'twice':
      return `${change}: it is open twice, each time the clocks show it`;
    case 'once':
      return `${change}: it begins once, the first time they show ${timeText(from)}`;
    case 'kept':
      return `${change} while it is open: it lasts its ${planned} all the same`;
  }
}

/** `the clocks skip 02:00 to 03:00`, or `the clocks show 02:00 to 03:00 twice`, with offsets. */
export function changeText({ at, before, after }: Shift): string {
  const offsets = `(${offsetText(before - at)} to ${offsetText(after - at)})`;
  const [low, high] = [Math.min(before, after), Math.max(before, after)];
  const far = high - low >= DAY;
  const range = far ? `${clockText(low)} to ${clockText(high)}` : `${timeText(low)} to ${timeText(high)}`;
  return after > before ? `the clocks skip ${range} ${offsets}` : `the clocks show ${range} twice ${offsets}`;
}
