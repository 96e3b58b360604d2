import { type Report, writeReport } from '../../agent/report/report.ts';

const MOMENT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;
/** How long a gate is waited for still, in its reason: the moment is told beside it. */
const STILL = /\bfor \d+ (?:d|h|min|s)\b(?: \d+ (?:h|min)\b)?/g;
/** Milliseconds: the clock of the boot is put on that of the day anew each time, and texts have whole seconds. */
const BESIDE_MS = 1_500;

/**
 * Whether a report says anything that was not in the one before. Moments may come out a little beside, or move on with
 * the time as "in a minute" does; that something was tried again, to the same end, is no news.
 */
export function isNews(before: Report, after: Report): boolean {
  const [was, is] = [before, after].map((report) => writeReport(whatMatters(report)).split(MOMENT));
  if (was === undefined || is?.length !== was.length) return true;
  // With a pattern that captures, moments are at the odd places.
  return is.some((part, index) => {
    const old = was[index] ?? '';
    if (index % 2 === 0) return part !== old;
    const moved = Date.parse(part) - Date.parse(old);
    return Math.abs(moved) > BESIDE_MS && Math.abs(moved - (after.now - before.now)) > BESIDE_MS;
  });
}

/** Without what says the rest in other words, and when the update graph was asked, and will be. */
function whatMatters(report: Report): Report {
  const { check, gates, next, nextCheck, troubles } = report;
  return {
    ...report,
    line: '',
    answer: '',
    gates: gates.map((gate) => ({ ...gate, reason: gate.reason.replace(STILL, 'for a while') })),
    next: next.kind === 'poll' ? { kind: next.kind, text: '', at: null } : next,
    check: check === null ? null : { ...check, at: 0 },
    nextCheck: nextCheck === null ? null : 0,
    troubles: troubles.map((trouble) => ({ ...trouble, count: 1, nextTry: null })),
  };
}
