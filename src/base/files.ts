import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/**
 * Reads a text file of at most `cap` bytes. Null when it does not exist; throws when it is larger, unreadable, or no
 * regular file. Never waits for whoever may write to a pipe. `links: 'refuse'` throws for a path that is a link itself.
 */
export function readCapped(path: string, cap: number, links: 'follow' | 'refuse' = 'follow'): string | null {
  const noLink = links === 'refuse' ? constants.O_NOFOLLOW : 0;
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | noLink);
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
  try {
    return readUpTo(file, path, cap);
  } finally {
    closeSync(file);
  }
}

/** Reads to the end rather than to the stated size: files under /proc state none. */
function readUpTo(file: number, path: string, cap: number): string {
  if (!fstatSync(file).isFile()) throw new Error(`${path}: not a regular file`);
  const chunk = Buffer.alloc(Math.min(cap + 1, 65_536));
  const parts: Buffer[] = [];
  let total = 0;
  for (;;) {
    const count = readSync(file, chunk, 0, chunk.length, null);
    if (count === 0) return Buffer.concat(parts).toString('utf8');
    total += count;
    if (total > cap) throw new Error(`${path}: larger than ${cap} bytes`);
    parts.push(Buffer.from(chunk.subarray(0, count)));
  }
}

/**
 * Replaces a file so that a crash at any moment leaves the old content or the new one: temporary file, fsync, rename,
 * fsync of the folder. Throws when any step fails; the old content is then still there.
 */
export function writeAtomic(path: string, content: string, mode = 0o600): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, 'w', mode);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  syncFolder(dirname(path));
}

/**
 * Replaces a file that others read and that ends with the boot: whoever reads it finds the old content or the new one.
 * Makes its folder where that is missing. Throws when it cannot be written.
 */
export function replaceFile(path: string, content: string): void {
  ensureFolder(dirname(path));
  writeFileSync(`${path}.new`, content, { mode: 0o644 });
  renameSync(`${path}.new`, path);
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * Makes a folder, and those above it, unless it is there. Throws when that cannot be. (Node's own recursive mkdir never
 * returns where a file system has no such folder and takes none, as /proc.)
 */
export function ensureFolder(path: string, mode = 0o777): void {
  if (existsSync(path) && statSync(path).isDirectory()) return;
  const parent = dirname(path);
  if (parent !== path && !existsSync(parent)) ensureFolder(parent, mode);
  mkdirSync(path, { mode });
}

/** What changes when a file is written or replaced; `-` when there is none. Throws when nobody can tell. */
export function fileStamp(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? '-' : `${stat.ino}/${stat.size}/${stat.mtimeNs}/${stat.ctimeNs}`;
}

/** True for the error of a file or folder that does not exist. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
