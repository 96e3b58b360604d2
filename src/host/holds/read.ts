import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, readdirSync, type Stats } from 'node:fs';
import { errorText } from '../../base/text.ts';
import { type Hold, type HoldReading, counts, parseHold, unreadableHold } from './hold.ts';

/** What other tools hold this host back for. */
export interface Holds {
  /** Those that count, in the order of their names. */
  readonly holds: readonly Hold[];
  /** What is wrong with files of the folder, a line each. */
  readonly problems: readonly string[];
}

const MAX_FILES = 64;
const MAX_BYTES = 4096;
const [DOT, TILDE] = Buffer.from('.~');

/**
 * Reads the holds in a folder at `wall` (ms since 1970): each file is one, except those whose names begin with a dot or
 * end in `~`, which are still being written or are left by editors. Without the folder there are none. Whatever cannot
 * be read or understood holds, and is a problem; so does the rest of more than 64 files. Nothing is waited for, links
 * are not followed, nothing is written or removed. Never throws.
 */
export function readHolds(dir: string, wall: number): Holds {
  const readings = readFolder(dir, wall).filter(({ hold }) => counts(hold, wall));
  return {
    holds: readings.map(({ hold }) => hold),
    problems: readings.flatMap(({ problem }) => problem ?? []),
  };
}

function readFolder(dir: string, wall: number): readonly HoldReading[] {
  try {
    const names = readdirSync(dir, 'buffer').filter((name) => !isIgnored(name));
    names.sort((a, b) => a.compare(b));
    const readings = names.slice(0, MAX_FILES).flatMap((name) => readOne(dir, name, wall));
    return names.length > MAX_FILES ? [...readings, beyond(dir, names.length, wall)] : readings;
  } catch (error) {
    // A folder that is no folder, or that nobody may read, may hold anything.
    return hasCode(error, 'ENOENT') ? [] : [unreadableHold(dir, errorText(error), writtenAt(dir, wall))];
  }
}

/** Files that ended long ago are never removed by us: those beyond the cap may be the ones that count. */
function beyond(dir: string, count: number, wall: number): HoldReading {
  const why = `has ${count} files, of which ${MAX_FILES} are read; remove those that have ended`;
  return unreadableHold(dir, why, writtenAt(dir, wall));
}

function isIgnored(name: Buffer): boolean {
  return name.at(0) === DOT || name.at(-1) === TILDE;
}

/** Null characters apart, a name may be any bytes, and need not be text. */
function readOne(dir: string, nameBytes: Buffer, wall: number): HoldReading | [] {
  const name = nameBytes.toString();
  const path = Buffer.concat([Buffer.from(`${dir}/`), nameBytes]);
  try {
    return parseHold({ name, ...readRegular(path) }, wall);
  } catch (error) {
    // Removed since the folder was listed.
    return hasCode(error, 'ENOENT') ? [] : unreadableHold(name, errorText(error), writtenAt(path, wall));
  }
}

/** Text and time of a file. A device or pipe is not even opened: that alone may do something. */
function readRegular(path: Buffer): { readonly text: string; readonly written: number } {
  mustBeFile(lstatSync(path));
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    mustBeFile(fstatSync(file));
    const text = readUpToCap(file);
    // Asked last: what is written meanwhile must not end by the time of what was there before.
    return { text, written: Math.floor(fstatSync(file).mtimeMs) };
  } finally {
    closeSync(file);
  }
}

function readUpToCap(file: number): string {
  const bytes = Buffer.alloc(MAX_BYTES + 1);
  let length = 0;
  for (let count = -1; count !== 0; length += count) count = readSync(file, bytes, length, bytes.length - length, null);
  if (length > MAX_BYTES) throw new Error(`larger than ${MAX_BYTES} bytes`);
  return bytes.toString('utf8', 0, length);
}

function mustBeFile(stat: Stats): void {
  if (!stat.isFile()) throw new Error(`expected a regular file, found ${kindOf(stat)}`);
}

function kindOf(stat: Stats): string {
  if (stat.isSymbolicLink()) return 'a symbolic link';
  if (stat.isDirectory()) return 'a folder';
  if (stat.isFIFO()) return 'a named pipe';
  return stat.isSocket() ? 'a socket' : 'a device';
}

function writtenAt(path: string | Buffer, wall: number): number {
  try {
    return Math.min(Math.floor(lstatSync(path).mtimeMs), wall);
  } catch {
    return wall;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
