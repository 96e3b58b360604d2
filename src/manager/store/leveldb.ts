import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClassicLevel } from 'classic-level';
import { ensureFolder } from '../../base/files.ts';
import { errorText } from '../../base/text.ts';
import { logDamage } from './leveldb-log.ts';
import { StoreError, StoreInUse } from './store.ts';

/** A LevelDB database of texts. */
export type Database = ClassicLevel;

/** Small: the state is in memory anyway, and the database is read when it is opened and for the history only. */
const OPTIONS = { writeBufferSize: 2 * 1024 * 1024, cacheSize: 512 * 1024, maxOpenFiles: 64 };

/**
 * Opens the database in a folder, which is made (mode 0700) when it is missing. Nobody else can open it until it is
 * closed. Rejects with a `StoreError` that names the folder and says what to do. With `acceptDamage`, what is damaged in
 * its log is given up: `damage` says where, or is null.
 */
export async function openDatabase(
  path: string,
  acceptDamage: boolean,
): Promise<{ readonly database: Database; readonly damage: string | null }> {
  prepareFolder(path);
  const damage = findDamage(path);
  if (damage !== null && !acceptDamage) throw damaged(path, damage);
  const database = new (await loadLibrary())(path, OPTIONS);
  try {
    await database.open();
    return { database, damage };
  } catch (error) {
    throw databaseError(path, 'the database cannot be opened', error);
  }
}

/**
 * What LevelDB left out of its log when it opened the database last, or null. The end of a write that a crash cut short
 * does not count; what does was changed on disk after it had been written.
 */
export function droppedAtOpening(path: string): string | null {
  try {
    return /^.*dropping \d+ bytes.*$/m.exec(readFileSync(join(path, 'LOG'), 'utf8'))?.[0] ?? null;
  } catch {
    return null;
  }
}

/** What an error of the database means: the kind of a `StoreError`, and what to do. `what` was it that failed. */
export function databaseError(path: string, what: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : '';
  const text = errorText(cause);
  const broken = (problem: string): StoreError => new StoreError('broken', `${path}: ${problem}`, { cause });
  if (code === 'LEVEL_LOCKED') return new StoreInUse(`${path}: ${IN_USE}`, { cause });
  // So it says that a table ends before its end.
  if (code === 'LEVEL_CORRUPTION' || /\.(ldb|sst): Invalid argument/.test(text))
    return broken(`the database is damaged (${text}); ${WAY_OUT}`);
  if (/permission denied|not permitted|read-only/i.test(text)) return permissionError(path, cause);
  return new StoreError('unavailable', `${path}: ${what}: ${text}`, { cause });
}

/** A database of which a part is lost. It can be gone on with, which an operator must want. */
export function damaged(path: string, what: string): StoreError {
  return new StoreError('broken', `${path}: the database is damaged (${what}); ${WAY_OUT}${OR_ACCEPT}`);
}

function findDamage(path: string): string | null {
  try {
    return logDamage(path);
  } catch (error) {
    throw databaseError(path, 'the log of the database cannot be read', error);
  }
}

function prepareFolder(path: string): void {
  try {
    ensureFolder(path, 0o700);
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw folderError(path, error);
  }
  const names = new Set(readdirSync(path));
  // LevelDB would begin anew, and remove the files that it does not know.
  if (!names.has('CURRENT') && [...names].some((name) => /^\d+\.(ldb|sst|log)$/.test(name)))
    throw new StoreError('broken', `${path}: the file CURRENT is missing from the database; ${WAY_OUT}`);
}

async function loadLibrary(): Promise<typeof ClassicLevel> {
  try {
    return (await import('classic-level')).ClassicLevel;
  } catch (error) {
    const where = `${process.platform}-${process.arch}`;
    const text = `the library of the embedded store (classic-level) does not load here (${where}): ${errorText(error)}`;
    throw new StoreError('broken', text, { cause: error });
  }
}

const IN_USE =
  'the folder is in use by another process, and only one can use it: a manager that runs on it, starts or stops, ' +
  'or a command that does its work on it. Commands (as holdpoint manager status) reach a manager that runs through ' +
  'its own admin socket (admin.socket)';

const WAY_OUT =
  'put a copy of the folder back, or move it away: then all groups begin empty, also those whose slots are held now';

const OR_ACCEPT =
  '. Or go on with what is left, with --accept-damaged-store: slots that are held may be missing from it and would be ' +
  'given again, so look first which hosts are down';

function folderError(path: string, error: unknown): StoreError {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'EEXIST' || code === 'ENOTDIR')
    return new StoreError('broken', `${path}: a folder for the store was expected, something else is there`);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return permissionError(path, error);
  return new StoreError('broken', `${path}: the folder of the store cannot be made: ${errorText(error)}`, {
    cause: error,
  });
}

function permissionError(path: string, error: unknown): StoreError {
  const text = `${path}: the user with the number ${process.geteuid?.() ?? '?'} must own the folder of the store and all in it: ${errorText(error)}`;
  return new StoreError('broken', text, { cause: error });
}
