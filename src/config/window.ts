import type { Report } from './problem.ts';
import { field, tableType, warnUnknown } from './table.ts';
import type { TomlTable, TomlValue } from './toml.ts';
import { describe, integer, type Decoded, type DecodedTable, type Type } from './types.ts';

/** A weekly period in which a reboot may happen, on the clocks of the time zone that is set beside it. */
export interface Window {
  /** Days on which it starts, ascending: 0 is Sunday, 6 is Saturday, as `Date.getDay` counts. At least one. */
  readonly days: readonly number[];
  /** Minutes after midnight at which it starts, 0..1439. */
  readonly startMinute: number;
  /** 1..10080 (a week); it may run over midnight and over the end of the week. */
  readonly lengthMinutes: number;
}

/** English names of the days as `Window.days` counts them. */
export const DAY_NAMES = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

const FIELDS = ['days', 'start_time', 'length_minutes'];

/** How long a window is, in minutes. */
export const windowLength: Type<number> = integer(1, 7 * 24 * 60);

/** One table of a list of windows, such as `[[lock.groups.window]]`. */
export const windowType: Type<Window> = tableType(
  'a table with days, start_time and length_minutes',
  (table, report) => {
    warnUnknown(table, FIELDS, 'a window', report);
    return decodeWindow(table, report);
  },
);

/** Reads the three fields of a weekly window. Null after an error was reported. */
export function decodeWindow(table: TomlTable, report: Report): DecodedTable<Window> | null {
  const days = field(table, 'days', { decode: decodeDays }, report);
  const start = field(table, 'start_time', { decode: decodeStart }, report);
  const length = field(table, 'length_minutes', windowLength, report);
  if (days === null || start === null || length === null) return null;
  return {
    value: { days: days.value, startMinute: start.value, lengthMinutes: length.value },
    plain: { days: days.plain, start_time: start.plain, length_minutes: length.plain },
  };
}

function decodeDays(value: TomlValue, report: Report): Decoded<readonly number[]> | null {
  if (value.type !== 'array' || value.items.length === 0) {
    report(value.at, `expected an array of days such as ["Sat", "Sun"], found ${describe(value)}`);
    return null;
  }
  const days = value.items.map((item) => {
    const day = item.type === 'string' ? dayOf(item.value) : -1;
    if (day === -1) report(item.at, `expected a day such as "Tuesday" or "Tue", found ${describe(item)}`);
    return day;
  });
  if (days.includes(-1)) return null;
  const sorted = [...new Set(days)].sort((a, b) => a - b);
  return { value: sorted, plain: sorted.map((day) => (DAY_NAMES[day] ?? '').slice(0, 3)) };
}

/** Full name or its first three letters, in any case; -1 for anything else. */
function dayOf(text: string): number {
  const name = text.toLowerCase();
  return DAY_NAMES.findIndex((day) => name === day.toLowerCase() || name === day.slice(0, 3).toLowerCase());
}

function decodeStart(value: TomlValue, report: Report): Decoded<number> | null {
  const match = value.type === 'string' ? /^(\d{1,2}):(\d{1,2})$/.exec(value.value) : null;
  const [hour, minute] = [Number(match?.[1]), Number(match?.[2])];
  if (hour <= 23 && minute <= 59) {
    const plain = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
    return { value: hour * 60 + minute, plain };
  }
  report(value.at, `expected a time "hh:mm", "00:00" to "23:59", found ${describe(value)}`);
  return null;
}
