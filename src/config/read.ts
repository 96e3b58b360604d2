import { checkFile } from './check.ts';
import type { ConfigFile } from './files.ts';
import type { KeyTable } from './keys.ts';
import { merge, valueReader, type Merged, type ValueReader } from './merge.ts';
import { problem, sortProblems, type Problem, type Report } from './problem.ts';
import { parseToml, type TomlTable } from './toml.ts';

/** A kind of configuration: its keys, and what is made of their values. */
export interface Schema<Keys extends KeyTable, Config> {
  readonly keys: Keys;
  /** Gives the merged values their names and places. Where a value was not acceptable, the default stands in. */
  readonly build: (get: ValueReader<Keys>) => Config;
  /** Reports values that need each other, or that have no effect together. */
  readonly checkTogether: (config: Config, values: Merged, report: Report) => void;
}

/** What came of reading the files of a configuration. */
export interface ReadConfig<Config> {
  /** Null when there is at least one error among the problems. */
  readonly config: Config | null;
  /** All problems of all files, sorted by file and place. */
  readonly problems: readonly Problem[];
  /** For every key its value as people write it and the places where it was set (none: a default). */
  readonly values: Merged;
}

/**
 * Makes a configuration of files that have been read, in the order given; `unread` says what could not be read. Bad
 * content gives problems, never an exception.
 */
export function readConfig<Keys extends KeyTable, Config>(
  { keys, build, checkTogether }: Schema<Keys, Config>,
  files: readonly ConfigFile[],
  unread: readonly Problem[] = [],
): ReadConfig<Config> {
  const problems = [...unread];
  const tables = files.flatMap(({ path, text }): TomlTable[] => {
    const parsed = parseToml(text, path);
    if (!('severity' in parsed)) return [parsed];
    problems.push(parsed);
    return [];
  });
  // Where a file is missing, what the others lack may stand in it.
  const complete = !problems.some(isError);
  const checked = tables.map((table) => checkFile(table, keys));
  problems.push(...checked.flatMap((file) => file.problems));
  const values = merge(
    checked.map((file) => file.settings),
    keys,
  );
  const config = build(valueReader(keys, values));
  if (complete) checkTogether(config, values, (...args) => problems.push(problem(...args)));
  return { config: problems.some(isError) ? null : config, problems: sortProblems(problems), values };
}

function isError({ severity }: Problem): boolean {
  return severity === 'error';
}
