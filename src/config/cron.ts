/** What a cron expression of 5 fields says: numbers ascending, at least one in each field that decides. */
export interface CronFields {
  /** 0..59 */
  readonly minutes: readonly number[];
  /** 0..23 */
  readonly hours: readonly number[];
  /** 1..12 */
  readonly months: readonly number[];
  /** 1..31 and `last` (of the month); null: the field does not decide (`*`). */
  readonly daysOfMonth: readonly (number | 'last')[] | null;
  /** Days of the week; null: the field does not decide (`*`). */
  readonly daysOfWeek: readonly CronWeekday[] | null;
}

/** A day of the week in a cron expression. */
export interface CronWeekday {
  /** 0 is Sunday, 6 is Saturday. */
  readonly day: number;
  /** Which of them in the month, 1..5 or the last one; null: each. */
  readonly nth: number | 'last' | null;
}

/** Reads a cron expression, or says why it cannot be read. */
export type ReadCron = (text: string) => CronFields | string;

/** For a configuration whose cron expressions, if there are any, are not to be read yet. */
export const noCron: ReadCron = () => 'cron expressions are not read here';
