import type { Merged } from '../../config/merge.ts';
import type { Origin, Report, Severity } from '../../config/problem.ts';

/** What can be asked about the keys of a file or of one table, and said about them. */
export interface Facts {
  /** True when a key has an acceptable value that is not a default. */
  readonly isSet: (path: string) => boolean;
  /** True unless one of the keys is set to something unacceptable: then nothing can be said about what they lack. */
  readonly good: (...paths: readonly string[]) => boolean;
  /** Reports something about a key, where it was set last. */
  readonly say: (path: string, message: string, severity?: Severity) => void;
}

/** `prefix` stands before every message; `whole` is where something is reported that does not stand in the file. */
export function factsOf(values: Merged, whole: Origin, report: Report, prefix = ''): Facts {
  return {
    isSet: (path) => (values.get(path)?.from.length ?? 0) > 0,
    good: (...paths) => paths.every((path) => values.get(path)?.good ?? false),
    say: (path, message, severity) => {
      report(values.get(path)?.from.at(-1) ?? whole, `${prefix}${path}: ${message}`, severity);
    },
  };
}

/** Reports a pair of keys of which only one is set. */
export function checkPair({ isSet, good, say }: Facts, one: string, other: string): void {
  if (!good(one, other) || isSet(one) === isSet(other)) return;
  const [there, missing] = isSet(one) ? [one, other] : [other, one];
  say(there, `needs ${missing} beside it, which is not set`);
}

/** Warns of keys that are set where they mean nothing. */
export function checkIdle({ isSet, say }: Facts, paths: readonly string[], why: string): void {
  for (const path of paths) if (isSet(path)) say(path, `has no effect, because ${why}`, 'warning');
}
