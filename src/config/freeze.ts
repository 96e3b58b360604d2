import { oneLine } from '../base/text.ts';
import type { Report } from './problem.ts';
import { field, optionalField, tableType, warnUnknown } from './table.ts';
import type { TomlTable, TomlValue } from './toml.ts';
import { boolean, simple, text, type Decoded, type Type } from './types.ts';
import { timeZone } from './zone.ts';

/** Days on which the host does not reboot. */
export type Freeze = {
  readonly reason: string;
  /** An IANA name or `localtime`; null: that of all windows. */
  readonly timeZone: string | null;
} & (
  | {
      readonly kind: 'once';
      /** First and last day; `from` is no later than `until`. */
      readonly from: CalendarDate;
      readonly until: CalendarDate;
    }
  | {
      readonly kind: 'yearly';
      /** First and last day; from a later to an earlier one it runs over the end of the year. */
      readonly from: YearDay;
      readonly until: YearDay;
    }
);

/** A day of every year. */
export interface YearDay {
  /** 1..12 */
  readonly month: number;
  /** 1..31, as many as the month has; the 29th of February too. */
  readonly day: number;
}

/** A day of one year, 1970..9999. */
export interface CalendarDate extends YearDay {
  readonly year: number;
}

const FIELDS = ['from', 'until', 'yearly', 'reason', 'time_zone'];
/** A year that has every day. */
const LEAP_YEAR = 2000;

/** One table of `[[updates.freeze]]`. */
export const freezeType: Type<Freeze> = tableType('a table with from, until and reason', (table, report) => {
  if (mayLackUntil(table, report)) return null;
  warnUnknown(table, FIELDS, 'a freeze', report);
  const yearly = optionalField(table, 'yearly', boolean, report);
  const reason = field(table, 'reason', REASON, report);
  const zone = optionalField(table, 'time_zone', timeZone, report);
  const days = yearly === null ? null : yearly?.value ? yearDays(table, report) : dates(table, report);
  if (days === null || yearly === null || reason === null || zone === null) return null;
  return {
    value: { ...days.value, reason: reason.value, timeZone: zone?.value ?? null },
    plain: {
      ...days.plain,
      ...(yearly === undefined ? {} : { yearly: yearly.plain }),
      reason: reason.plain,
      ...(zone === undefined ? {} : { time_zone: zone.plain }),
    },
  };
});

/** Refuses an unknown key where `until` is left out: what was meant to last for weeks would last for a day, unnoticed. */
function mayLackUntil({ entries }: TomlTable, report: Report): boolean {
  const odd = [...entries].filter(([name]) => !FIELDS.includes(name));
  if (entries.has('until')) return false;
  for (const [name, { keyAt }] of odd) {
    report(keyAt, `unknown key '${oneLine(name, 120)}' in a freeze of one day, did you mean 'until'?`);
  }
  return odd.length > 0;
}

const REASON = text('one line of text, at most 200 characters', /^(?=.*\S)[^\p{Cc}\u2028\u2029]{1,200}$/u, (line) =>
  oneLine(line),
);

interface Days<Kind, Day> {
  readonly value: { readonly kind: Kind; readonly from: Day; readonly until: Day };
  readonly plain: Readonly<Record<string, string>>;
}

function dates(table: TomlTable, report: Report): Days<'once', CalendarDate> | null {
  const days = between(table, DATE, report);
  if (days === null) return null;
  const [from, until] = [readDate(days.from), readDate(days.until)];
  if (from === null || until === null) return null;
  // Written so, later days are greater.
  if (days.from <= days.until) return { value: { kind: 'once', from, until }, plain: days };
  const at = table.entries.get('until')?.value.at ?? table.at;
  report(at, `until: expected a day no earlier than from, "${days.from}", found "${days.until}"`);
  return null;
}

function yearDays(table: TomlTable, report: Report): Days<'yearly', YearDay> | null {
  const days = between(table, YEAR_DAY, report);
  if (days === null) return null;
  const [from, until] = [readDate(`${LEAP_YEAR}-${days.from}`), readDate(`${LEAP_YEAR}-${days.until}`)];
  if (from === null || until === null) return null;
  return { value: { kind: 'yearly', from: yearDay(from), until: yearDay(until) }, plain: days };
}

function yearDay({ month, day }: CalendarDate): YearDay {
  return { month, day };
}

/** The two days as they are written; the last one is the first one where it is left out. */
function between(table: TomlTable, type: Type<string>, report: Report): { from: string; until: string } | null {
  const from = field(table, 'from', type, report);
  const until: Decoded<string> | null | undefined = optionalField(table, 'until', type, report);
  if (from === null || until === null) return null;
  return { from: from.value, until: until?.value ?? from.value };
}

const DATE = simple('a date such as "2026-12-20", with a day that exists', (value) => {
  const written = textOf(value);
  return written !== null && readDate(written) !== null ? written : undefined;
});

const YEAR_DAY = simple('month and day such as "12-20", because yearly is true', (value) => {
  const written = textOf(value);
  return written !== null && readDate(`${LEAP_YEAR}-${written}`) !== null ? written : undefined;
});

/** Text, or a date as TOML has them. */
function textOf(value: TomlValue): string | null {
  return value.type === 'string' || value.type === 'date or time' ? value.value : null;
}

/** Null for anything but a day of the calendar as `2026-12-20`. */
function readDate(written: string): CalendarDate | null {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(written)?.map(Number) ?? [];
  if (year === undefined || month === undefined || day === undefined || year < 1970) return null;
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? { year, month, day } : null;
}
