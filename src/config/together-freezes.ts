import type { Facts } from './facts.ts';
import type { CalendarDate, Freeze } from './freeze.ts';
import { type Origin, type Problem, problem, wholeFile } from './problem.ts';

const FREEZE = 'updates.freeze';
const DAY_MS = 86_400_000;
/** Milliseconds after midnight in UTC at which a day is over everywhere. */
const LATEST_MS = DAY_MS / 2;
/** A year with every day, and one without the 29th of February. */
const [LEAP, COMMON] = [2000, 2001] as const;

/** Freezes that never end. */
export function checkFreezes({ config, report, all }: Facts): void {
  for (const [index, freeze] of config.updates.freezes.entries()) {
    const what = isEndless(freeze, LEAP)
      ? 'all days of the year: this host will never reboot'
      : 'all days of the year but the 29th of February: this host will reboot on no other day';
    if (!isEndless(freeze, LEAP) && !isEndless(freeze, COMMON)) continue;
    const text = `${FREEZE}: it covers ${what}`;
    report(all(FREEZE)[index] ?? wholeFile('(defaults)'), text, 'warning');
  }
}

/** Freezes that are over, whatever their time zone. `from`: where each stands; `wall`: milliseconds since 1970. */
export function pastFreezes(freezes: readonly Freeze[], from: readonly Origin[], wall: number): readonly Problem[] {
  return freezes.flatMap((freeze, index) => {
    if (freeze.kind !== 'once' || endOf(freeze.until) + LATEST_MS > wall) return [];
    const text = `${FREEZE}: it was over after ${written(freeze.until)}, and has no effect any more`;
    return [problem(from[index] ?? wholeFile('(defaults)'), text, 'warning')];
  });
}

/** Whether the day after the last one is the first one, in such a year. */
function isEndless({ kind, from, until }: Freeze, year: number): boolean {
  const next = new Date(endOf({ ...until, year }));
  return kind === 'yearly' && next.getUTCMonth() + 1 === from.month && next.getUTCDate() === from.day;
}

/** The end of a day in UTC, in milliseconds since 1970. */
function endOf({ year, month, day }: CalendarDate): number {
  return Date.UTC(year, month - 1, day) + DAY_MS;
}

function written({ year, month, day }: CalendarDate): string {
  return [String(year), String(month).padStart(2, '0'), String(day).padStart(2, '0')].join('-');
}
