import { lstatSync, realpathSync, statSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { isNotFound } from '../base/files.ts';
import { errorText } from '../base/text.ts';
import type { HookId } from './event.ts';

/** Whose files are run: those of root, and of the user who runs them. */
function isOurs({ uid }: Stats): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

/** Whether nobody else can write: a group counts as somebody else unless it is root's or our own. */
function isClosed({ mode, gid }: Stats): boolean {
  return (mode & 0o002) === 0 && ((mode & 0o020) === 0 || gid === 0 || gid === process.getegid?.());
}

/** What may be run: the path without links in its folders, or why not. */
export type Trusted = { readonly path: string } | { readonly problem: string };

/**
 * Whether a hook may be run: a regular file (no link), executable, that nobody but root and the present user can
 * change or replace; nor any of the folders above it.
 */
export function trustedHook(dir: string, { event, name }: HookId): Trusted {
  try {
    const folder = realpathSync(join(dir, event));
    const path = join(folder, name);
    const problem = problemOfFile(lstatSync(path)) ?? problemOfFolders(folder);
    return problem === null ? { path } : { problem };
  } catch (error) {
    return {
      problem: isNotFound(error) ? `is not in ${join(dir, event)}` : `cannot be looked at: ${errorText(error)}`,
    };
  }
}

function problemOfFile(file: Stats): string | null {
  if (file.isSymbolicLink()) return 'is a symbolic link, which is not followed';
  if (!file.isFile()) return 'is no regular file';
  if (!isOurs(file)) return `belongs to user ${file.uid}`;
  if (!isClosed(file)) return 'can be changed by others than its owner';
  return (file.mode & 0o111) === 0 ? 'is not executable' : null;
}

function problemOfFolders(folder: string): string | null {
  for (let path = folder; ; path = dirname(path)) {
    const found = statSync(path);
    // In a sticky folder (/tmp) nobody can replace what is not his own.
    const sticky = (found.mode & 0o1000) !== 0;
    if (!isOurs(found)) return `its folder ${path} belongs to user ${found.uid}`;
    if (!sticky && !isClosed(found)) return `its folder ${path} can be changed by others than its owner`;
    if (path === dirname(path)) return null;
  }
}
