import { CronExpressionParser, type CronExpression } from 'cron-parser';
import { errorText } from '../base/text.ts';
import type { CronFields, CronWeekday, ReadCron } from './cron.ts';

/**
 * Reads a cron expression with the library, which costs some megabytes: load this file when there is one. The library
 * finds the fields only, and no dates: it takes 02:30 for 03:30 where clocks leave it out by an hour, and nothing at all
 * where they do so by half an hour or at midnight.
 */
export const readCron: ReadCron = (text) => {
  try {
    return fieldsOf(CronExpressionParser.parse(text, { currentDate: 0, tz: 'UTC' }).fields);
  } catch (error) {
    return errorText(error, 120);
  }
};

function fieldsOf({ minute, hour, month, dayOfMonth, dayOfWeek }: CronExpression['fields']): CronFields {
  const days = dayOfMonth.values.map((day) => (day === 'L' ? 'last' : day));
  const nth = dayOfWeek.nthDay === 0 ? null : dayOfWeek.nthDay;
  return {
    minutes: [...minute.values],
    hours: [...hour.values],
    months: [...month.values],
    daysOfMonth: dayOfMonth.isWildcard ? null : days,
    daysOfWeek: dayOfWeek.isWildcard ? null : dayOfWeek.values.map((day) => weekday(String(day), nth)),
  };
}

/** `5`, or `5L` for the last Friday of the month; 7 is Sunday too. */
function weekday(day: string, nth: number | null): CronWeekday {
  return { day: Number.parseInt(day, 10) % 7, nth: day.endsWith('L') ? 'last' : nth };
}
