import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readCapped } from '../base/files.ts';
import { errorText } from '../base/text.ts';
import { problem, wholeFile, type Problem } from './problem.ts';
import { MAX_FILE_BYTES } from './toml.ts';

/** Folders of the agent's configuration, from weakest to strongest. */
export const CONFIG_DIRS: readonly string[] = [
  '/usr/lib/holdpoint/config.d',
  '/run/holdpoint/config.d',
  '/etc/holdpoint/config.d',
];

/** Most files that one configuration may have. */
const MAX_FILES = 256;

/** One drop-in file. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** The drop-in files that count, in the order in which they are merged, and what could not be read. */
export interface ConfigFiles {
  readonly files: readonly ConfigFile[];
  readonly problems: readonly Problem[];
}

/**
 * Reads the `*.toml` files of some folders, in the order of their names. Of files with the same name only the one in
 * the last folder counts; there a link to /dev/null means that no file of this name counts. Names that start with a
 * dot are skipped. A missing folder is empty if it is one of `CONFIG_DIRS`; one that was named is an error, since a
 * policy that is silently missing could reboot a host at the wrong time. Never throws.
 */
export function readConfigFiles(dirs: readonly string[]): ConfigFiles {
  const problems: Problem[] = [];
  const paths = new Map<string, string>();
  for (const dir of dirs) {
    for (const name of listFolder(dir, problems)) {
      if (name.endsWith('.toml') && !name.startsWith('.')) paths.set(name, join(dir, name));
    }
  }
  const sorted = [...paths].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  const first = sorted[MAX_FILES];
  if (first !== undefined)
    problems.push(problem(wholeFile(first), `more than ${MAX_FILES} files, this one is too many`));
  const files = sorted.slice(0, MAX_FILES).flatMap((path) => readDropIn(path, problems));
  return { files, problems };
}

function listFolder(dir: string, problems: Problem[]): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      problems.push(problem(wholeFile(dir), `cannot read this folder: ${readError(error, dir)}`));
    } else if (!CONFIG_DIRS.includes(dir)) {
      problems.push(problem(wholeFile(dir), 'there is no such folder'));
    }
    return [];
  }
}

function readDropIn(path: string, problems: Problem[]): ConfigFile[] {
  try {
    if (realpathSync(path) === '/dev/null') return [];
  } catch {
    // The same error comes again where it is reported.
  }
  const file = readConfigFile(path, MAX_FILE_BYTES);
  if ('text' in file) return [file];
  problems.push(file);
  return [];
}

/** Reads one regular file of at most `cap` bytes, or says why it cannot be read. Never throws. */
export function readConfigFile(path: string, cap: number): ConfigFile | Problem {
  try {
    // Opening a pipe or a device may block for ever, so what it is comes first.
    if (!statSync(path).isFile()) throw new Error('it is not a regular file');
    const text = readCapped(path, cap);
    if (text !== null) return { path, text };
    throw new Error('it has just disappeared');
  } catch (error) {
    return problem(wholeFile(path), `cannot read this file: ${readError(error, path)}`);
  }
}

/** The path stands before the message already; Node names it again, with the system call. */
function readError(error: unknown, path: string): string {
  return errorText(error, 4096)
    .replace(`${path}: `, '')
    .replace(/, \w+ '.*'$/, '');
}
