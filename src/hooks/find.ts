import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isNotFound } from '../base/files.ts';
import { errorText, oneLine } from '../base/text.ts';
import { type HookEvent, kindOfName } from './event.ts';

/** More hooks than anybody has for one event: something else fills the folder. */
const MOST = 64;

/** The hooks of an event, in the order in which they are run, and what is wrong with the folder. */
export interface Found {
  readonly names: readonly string[];
  /** Whose fault it is (a name, or the folder), and what; null when all is well. */
  readonly problem: { readonly hook: string; readonly text: string } | null;
}

/** Looks for the hooks of an event. A folder that does not exist has none. Never throws. */
export function findHooks(dir: string, event: HookEvent): Found {
  let all: readonly string[];
  try {
    all = readdirSync(join(dir, event));
  } catch (error) {
    const text = `the folder cannot be read: ${errorText(error)}`;
    return { names: [], problem: isNotFound(error) ? null : { hook: event, text } };
  }
  // Names of hooks are ASCII: the order of their characters is that of their bytes.
  const names = all.filter((name) => kindOfName(name) === 'hook').sort((a, b) => (a < b ? -1 : 1));
  const odd = all.find((name) => kindOfName(name) === 'odd');
  if (names.length > MOST) {
    return { names: names.slice(0, MOST), problem: { hook: event, text: `more than ${MOST} hooks are in the folder` } };
  }
  if (odd === undefined) return { names, problem: null };
  const text = 'its name is too long, or has other characters than letters, digits, ".", "_" and "-"';
  return { names, problem: { hook: oneLine(odd, 80), text } };
}
