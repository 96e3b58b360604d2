import { duration } from '../base/text.ts';
import { type Facts, unused } from './facts.ts';
import { graceMs } from './holding.ts';
import type { RebootWindow } from './reboot-window.ts';
import { wholeFile, type Origin } from './problem.ts';
import { zoneProblem } from './zone.ts';

const WINDOW = 'updates.periodic.window';
const FREEZE = 'updates.freeze';
const RANDOM = 'updates.periodic.random_place';
const ZONE = 'updates.periodic.time_zone';
const MINUTE = 60_000;
/** In minutes. */
const [DAY, WEEK] = [1_440, 10_080];

/** Windows: that there are some, that they are used, that they are long enough, that their zones exist. */
export function checkPeriodic(facts: Facts): void {
  const { config, report, at, good, uses } = facts;
  const { windows, randomPlace } = config.updates.periodic;
  if (!uses('periodic')) {
    if (windows.length > 0) report(at(WINDOW), unused(WINDOW, 'periodic'), 'warning');
    if (randomPlace) report(at(RANDOM), unused(RANDOM, 'periodic'), 'warning');
    return;
  }
  if (windows.length === 0 && good(WINDOW)) {
    const text = `updates.strategy: "periodic" without any [[${WINDOW}]]: this host will never reboot`;
    report(at('updates.strategy'), text, 'warning');
  }
  checkLengths(facts);
}

/** Whether people who are logged in at the start of the shortest window get all of their time in it. */
function checkLengths({ config, report, all, good }: Facts): void {
  const { sessions, periodic } = config.updates;
  const { windows } = periodic;
  const lengths = stretches(windows).map((minutes) => minutes * MINUTE);
  const shortest = Math.min(...lengths);
  const grace = graceMs(sessions);
  const isKnown = ['enabled', 'grace_secs', 'final_notice_secs'].every((name) => good(`updates.sessions.${name}`));
  if (!isKnown || !sessions.enabled || shortest > grace) return;
  const text =
    `${WINDOW}: ${duration(shortest)} is no longer than the ${duration(grace)} that people who are logged in get to ` +
    'finish (updates.sessions.grace_secs and final_notice_secs): with them, this host does not reboot in this window' +
    (windows.length === 1 || areOfOneWeek(windows) ? '' : ', unless another one continues it');
  report(all(WINDOW)[lengths.indexOf(shortest)] ?? wholeFile('(defaults)'), text, 'warning');
}

/**
 * How many minutes each window is open, together with those that touch it, on the day on which that is least. What cron
 * expressions and other time zones add is not known here.
 */
function stretches(windows: readonly RebootWindow[]): readonly number[] {
  const runs = new Map<string | null, Uint16Array>();
  return windows.map((window) => {
    if (window.kind !== 'weekly') return window.lengthMinutes;
    const { timeZone, days, startMinute } = window;
    const known = runs.get(timeZone) ?? runsOf(windows.filter((other) => other.timeZone === timeZone));
    runs.set(timeZone, known);
    return Math.min(...days.map((day) => known[day * DAY + startMinute] ?? 0));
  });
}

/** For each minute of the week the length of the run of open minutes that it is in; 0: it is not open. */
function runsOf(windows: readonly RebootWindow[]): Uint16Array {
  const [open, runs] = [new Uint8Array(WEEK), new Uint16Array(WEEK)];
  for (const window of windows) {
    if (window.kind !== 'weekly') continue;
    for (const day of window.days) {
      const [from, to] = [day * DAY + window.startMinute, day * DAY + window.startMinute + window.lengthMinutes];
      open.fill(1, from, to);
      open.fill(1, 0, Math.max(0, to - WEEK));
    }
  }
  const shut = open.indexOf(0);
  if (shut === -1) return runs.fill(WEEK);
  // Once around the week from a closed minute: how long it has been open; then back, so that all of a run know its end.
  const at = (step: number): number => (shut + step) % WEEK;
  for (let step = 1; step < WEEK; step += 1) {
    runs[at(step)] = open[at(step)] === 1 ? (runs[at(step - 1)] ?? 0) + 1 : 0;
  }
  for (let step = WEEK - 2; step > 0; step -= 1) {
    if (open[at(step)] === 1) runs[at(step)] = Math.max(runs[at(step)] ?? 0, runs[at(step + 1)] ?? 0);
  }
  return runs;
}

/** Whether all are weekly windows in one time zone, so that it is known which of them touch. */
function areOfOneWeek(windows: readonly RebootWindow[]): boolean {
  return windows.every(({ kind, timeZone }) => kind === 'weekly' && timeZone === windows[0]?.timeZone);
}

/** That all time zones that matter exist. Looking at one loads all of them into memory: only when one is needed. */
export function checkZones({ config, report, at, all, good, uses }: Facts): void {
  const { periodic, freezes } = config.updates;
  const windows = uses('periodic') ? periodic.windows : [];
  const named = [...own(WINDOW, windows, all(WINDOW)), ...own(FREEZE, freezes, all(FREEZE))];
  for (const { key, zone, from } of named) {
    const wrong = zoneProblem(zone);
    if (wrong !== null) report(from, `${key}: time_zone: ${wrong}`);
  }
  const isInDoubt = (uses('periodic') && !good(WINDOW)) || !good(FREEZE);
  if (!isInDoubt && ![...windows, ...freezes].some(({ timeZone }) => timeZone === null)) return;
  const wrong = zoneProblem(periodic.timeZone);
  if (wrong !== null) report(at(ZONE), `${ZONE}: ${wrong}`);
}

interface OwnZone {
  readonly key: string;
  readonly zone: string;
  readonly from: Origin;
}

/** The zones that tables of a list name themselves, and where those tables stand. */
function own(key: string, list: readonly { timeZone: string | null }[], from: readonly Origin[]): readonly OwnZone[] {
  return list.flatMap(({ timeZone }, index) => {
    return timeZone === null ? [] : { key, zone: timeZone, from: from[index] ?? wholeFile('(defaults)') };
  });
}
