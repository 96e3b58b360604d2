import { duration } from '../base/text.ts';
import { type Facts, unused } from './facts.ts';
import { graceMs } from './holding.ts';
import { wholeFile, type Origin } from './problem.ts';
import { zoneProblem } from './zone.ts';

const WINDOW = 'updates.periodic.window';
const FREEZE = 'updates.freeze';
const RANDOM = 'updates.periodic.random_place';
const ZONE = 'updates.periodic.time_zone';
const MINUTE = 60_000;

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
  const lengths = periodic.windows.map(({ lengthMinutes }) => lengthMinutes * MINUTE);
  const shortest = Math.min(...lengths);
  const grace = graceMs(sessions);
  const isKnown = ['enabled', 'grace_secs', 'final_notice_secs'].every((name) => good(`updates.sessions.${name}`));
  if (!isKnown || !sessions.enabled || shortest > grace) return;
  const text =
    `${WINDOW}: ${duration(shortest)} is no longer than the ${duration(grace)} that people who are logged in get to ` +
    'finish (updates.sessions.grace_secs and final_notice_secs): with them, this host does not reboot in this window';
  report(all(WINDOW)[lengths.indexOf(shortest)] ?? wholeFile('(defaults)'), text, 'warning');
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
