import type { CronFields, ReadCron } from './cron.ts';
import { field, optionalField, refuseBeside, tableType, warnUnknown } from './table.ts';
import { describe, simple, type DecodedTable, type Type } from './types.ts';
import { decodeWindow, windowLength, type Window } from './window.ts';
import { timeZone } from './zone.ts';
import type { Report } from './problem.ts';
import type { TomlTable } from './toml.ts';

/** A weekly window in which the host may reboot. */
export interface WeeklyWindow extends Window {
  readonly kind: 'weekly';
  /** An IANA name or `localtime`; null: that of all windows. */
  readonly timeZone: string | null;
}

/** A window in which the host may reboot, that begins where a cron expression says. */
export interface CronWindow {
  readonly kind: 'cron';
  /** The expression as it stands in the file. */
  readonly schedule: string;
  /** What it says. */
  readonly fields: CronFields;
  /** 1..10080 (a week), in minutes that pass, whatever clocks do meanwhile. */
  readonly lengthMinutes: number;
  /** An IANA name or `localtime`; null: that of all windows. */
  readonly timeZone: string | null;
}

/** One of `[[updates.periodic.window]]`. */
export type RebootWindow = WeeklyWindow | CronWindow;

const WEEKLY = ['days', 'start_time'];
const FIELDS = [...WEEKLY, 'schedule', 'length_minutes', 'time_zone'];

/** One table of `[[updates.periodic.window]]`; cron expressions are read by `cron`. */
export function rebootWindow(cron: ReadCron): Type<RebootWindow> {
  return tableType('a table with days and start_time, or schedule, and length_minutes', (table, report) => {
    warnUnknown(table, FIELDS, 'a window', report);
    const window = table.entries.has('schedule') ? cronWindow(table, cron, report) : weekly(table, report);
    const zone = optionalField(table, 'time_zone', timeZone, report);
    if (window === null || zone === null) return null;
    if (zone === undefined) return window;
    return {
      value: { ...window.value, timeZone: zone.value },
      plain: { ...window.plain, time_zone: zone.plain },
    };
  });
}

function weekly(table: TomlTable, report: Report): DecodedTable<RebootWindow> | null {
  const window = decodeWindow(table, report);
  if (window === null) return null;
  return { value: { kind: 'weekly', ...window.value, timeZone: null }, plain: window.plain };
}

function cronWindow(table: TomlTable, cron: ReadCron, report: Report): DecodedTable<RebootWindow> | null {
  const fits = refuseBeside(table, WEEKLY, 'schedule', report);
  const schedule = field(table, 'schedule', expression(cron), report);
  const length = field(table, 'length_minutes', windowLength, report);
  if (!fits || schedule === null || length === null) return null;
  const { text, fields } = schedule.value;
  return {
    value: { kind: 'cron', schedule: text, fields, lengthMinutes: length.value, timeZone: null },
    plain: { schedule: text, length_minutes: length.plain },
  };
}

function expression(cron: ReadCron): Pick<Type<{ readonly text: string; readonly fields: CronFields }>, 'decode'> {
  return {
    decode: (value, report) => {
      const text = EXPRESSION.decode(value, report);
      if (text === null) return null;
      const fields = cron(text.value);
      if (typeof fields !== 'string') return { value: { text: text.value, fields }, plain: text.value };
      report(value.at, `expected a cron expression, found ${describe(value)}: ${fields}`);
      return null;
    },
  };
}

/** No seconds, which other programs write before the five; no names (`@daily`); nothing by chance (`H`). */
const EXPRESSION = simple(
  'a cron expression of 5 fields (minute, hour, day of month, month, day of week) such as "30 22 * * 6"',
  (value) => (value.type === 'string' && SHAPE.test(value.value.trim()) ? value.value.trim() : undefined),
);
const SHAPE =
  /^[0-9*?,/-]+[ \t]+[0-9*?,/-]+[ \t]+[0-9*?,/L-]+[ \t]+[0-9a-gi-z*?,/-]+[ \t]+(?:thu|[0-9a-gi-z*?,/#-])+$/i;
