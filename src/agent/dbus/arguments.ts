import { oneLine } from '../../base/text.ts';
import { invalid } from './errors.ts';
import { isVersion, LONGEST_REASON, NO_END } from './names.ts';

/** The last second of the year 9999. */
const LAST = 253_402_300_799;

/** Milliseconds of an argument in seconds. Throws InvalidArgs when it is out of its range, both ends included. */
export function durationMs(value: unknown, { least, most }: { readonly least: number; readonly most: number }): number {
  const seconds = Number(value);
  if (seconds >= least && seconds <= most) return seconds * 1000;
  throw invalid('seconds', `${least} to ${most}`, value);
}

/** The end of a pause in ms since 1970, from seconds since 1970; null: it has none. Throws InvalidArgs for one that is past. */
export function pauseEnd(value: unknown, wall: number): number | null {
  const until = Number(value);
  if (until === NO_END) return null;
  if (until * 1000 > wall && until <= LAST) return until * 1000;
  throw invalid('until', `seconds since 1970 that are still to come, or ${NO_END}`, value);
}

/** Why, in one line that people can read. */
export function reasonOf(value: unknown): string {
  return oneLine(String(value), LONGEST_REASON);
}

/** The version of a release. Throws InvalidArgs for what cannot be one. */
export function versionOf(value: unknown): string {
  const text = String(value);
  if (isVersion(text)) return text;
  throw invalid('version', 'the version of a release', oneLine(text, 80));
}

/** Milliseconds since 1970 of a moment in seconds since 1970; null: now. Throws InvalidArgs for one beyond 1970 to 9999. */
export function momentMs(value: unknown): number | null {
  const seconds = Number(value);
  if (seconds >= 0 && seconds <= LAST) return seconds === 0 ? null : seconds * 1000;
  throw invalid('at', 'seconds since 1970, or 0', value);
}
