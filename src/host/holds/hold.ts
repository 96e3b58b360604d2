import { oneLine, utc } from '../../base/text.ts';

/** Something that another tool wants this host not to be rebooted for: a file in the folder of holds. */
export interface Hold {
  /** Name of the file, fit for one line. */
  readonly name: string;
  /** What its first line says, at most 200 characters; never empty. */
  readonly reason: string;
  /** When the file was last written, in ms since 1970; not after the moment at which it was read. */
  readonly since: number;
  /** When the hold ends by itself, in ms since 1970; null when its file has to be removed. */
  readonly until: number | null;
}

/** A hold, and what is wrong with its file; null when nothing is. */
export interface HoldReading {
  readonly hold: Hold;
  readonly problem: string | null;
}

/** A file of the folder as it was read. */
export interface HoldFile {
  readonly name: string;
  readonly text: string;
  /** When it was last written, in ms since 1970. */
  readonly written: number;
}

/** Clocks of files and of processes differ by a little, and nobody need hear of it. */
const SLACK_MS = 60_000;

/**
 * Reads the file of a hold at `wall` (ms since 1970): the first line is the reason, a later one may say when it ends,
 * as `ttl=SECONDS` (1 to 999999999, from when the file was written) or `until=MOMENT` (RFC 3339). What cannot be
 * understood holds until the file is removed, and is a problem.
 */
export function parseHold({ name, text, written }: HoldFile, wall: number): HoldReading {
  const [first = '', ...rest] = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const hold = {
    name: shortName(name),
    reason: oneLine(first, 200) || 'no reason given',
    since: Math.min(written, wall),
  };
  const end = parseEnd(rest, written);
  if (typeof end === 'string') return { hold: { ...hold, until: null }, problem: inDoubt(name, end) };
  const early = written > wall + SLACK_MS;
  const problem = early ? `hold "${hold.name}": was written at ${utc(written)}, which is still to come` : null;
  return { hold: { ...hold, until: end }, problem };
}

/** A hold whose file cannot be read: it holds until the file is removed. `why` follows the name of the file. */
export function unreadableHold(name: string, why: string, since: number): HoldReading {
  const hold = { name: shortName(name), reason: `cannot be read: ${oneLine(why, 180)}`, since, until: null };
  return { hold, problem: inDoubt(name, why) };
}

/** Whether a hold still counts at `wall` (ms since 1970): the moment at which it ends is not part of it. */
export function counts({ until }: Hold, wall: number): boolean {
  return until === null || until > wall;
}

function inDoubt(name: string, why: string): string {
  return `hold "${shortName(name)}": ${oneLine(why)}; it holds until the file is mended or removed`;
}

function shortName(name: string): string {
  return oneLine(name, 100);
}

/** When a hold ends by what stands below its reason: null for never, or what is wrong. */
function parseEnd(lines: readonly string[], written: number): number | null | string {
  let end: number | null = null;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const where = `line ${index + 2}`;
    if (end !== null) return `${where}: expected one end, found another, "${oneLine(line, 80)}"`;
    end = endOf(line.trim(), written);
    if (end === null)
      return `${where}: expected ttl=SECONDS or until=2026-07-23T14:00:00Z, found "${oneLine(line, 80)}"`;
  }
  return end;
}

function endOf(line: string, written: number): number | null {
  const seconds = /^ttl=([1-9]\d{0,8})$/.exec(line)?.[1];
  if (seconds !== undefined) return written + Number(seconds) * 1_000;
  const moment = /^until=(.*)$/.exec(line)?.[1];
  return moment === undefined ? null : parseMoment(moment);
}

const MOMENT =
  /^(\d{4}-\d\d-\d\d)[Tt ]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?)([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Milliseconds since 1970 of a moment in the form of RFC 3339, rounded down; null when it is none. */
function parseMoment(written: string): number | null {
  const [, day, time, zone] = MOMENT.exec(written) ?? [];
  if (day === undefined || time === undefined || zone === undefined) return null;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // Some engines take the 30th of February for the 2nd of March.
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return null;
  return Date.parse(`${day}T${time.slice(0, 12)}${zone.toUpperCase()}`);
}
