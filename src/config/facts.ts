import type { Origin, Report } from './problem.ts';
import type { Config, Strategy } from './schema.ts';

/** What checks of values that need each other look at. */
export interface Facts {
  readonly config: Config;
  readonly report: Report;
  /** Where a key was set last. */
  readonly at: (path: string) => Origin;
  /** Where a key was set: one place for each table of a list, else at most one; empty for a default. */
  readonly all: (path: string) => readonly Origin[];
  /** False when a file sets the key to something unacceptable: then nothing can be said about the key. */
  readonly good: (path: string) => boolean;
  readonly uses: (strategy: Strategy) => boolean;
}

/** The words for a key that is set in vain. */
export function unused(path: string, strategy: Strategy): string {
  return `${path}: has no effect, because updates.strategy does not contain "${strategy}"`;
}
