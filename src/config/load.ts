import { checkFile } from './check.ts';
import { CONFIG_DIRS, readConfigFiles, type ConfigFile } from './files.ts';
import { merge, valueReader, type Merged } from './merge.ts';
import { problem, sortProblems, type Problem } from './problem.ts';
import { AGENT_KEYS, toConfig, type Config } from './schema.ts';
import { checkTogether } from './together.ts';
import { parseToml, type TomlTable } from './toml.ts';

/** What came of reading a configuration. */
export interface LoadedConfig {
  /** Null when there is at least one error among the problems. */
  readonly config: Config | null;
  /** All problems of all files, sorted by file and place. */
  readonly problems: readonly Problem[];
  /** For every key its value as people write it and the places where it was set (none: a default). */
  readonly values: Merged;
  /** Paths of the files that were read, in the order in which they were merged. */
  readonly files: readonly string[];
}

/**
 * Reads the agent's configuration from drop-in folders, from weakest to strongest. May be called again at any time;
 * bad content gives problems, never an exception.
 */
export function loadConfig(dirs: readonly string[] = CONFIG_DIRS): LoadedConfig {
  const { files, problems } = readConfigFiles(dirs);
  return buildConfig(files, problems);
}

/** Makes a configuration of files that have been read, in the order given; `unread` says what could not be read. */
export function buildConfig(files: readonly ConfigFile[], unread: readonly Problem[] = []): LoadedConfig {
  const problems = [...unread];
  const tables = files.flatMap(({ path, text }): TomlTable[] => {
    const parsed = parseToml(text, path);
    if (!('severity' in parsed)) return [parsed];
    problems.push(parsed);
    return [];
  });
  // Where a file is missing, what the others lack may stand in it.
  const complete = !problems.some(isError);
  const checked = tables.map((table) => checkFile(table, AGENT_KEYS));
  problems.push(...checked.flatMap((file) => file.problems));
  const values = merge(
    checked.map((file) => file.settings),
    AGENT_KEYS,
  );
  const config = toConfig(valueReader(AGENT_KEYS, values));
  if (complete) checkTogether(config, values, (...args) => problems.push(problem(...args)));
  return {
    config: problems.some(isError) ? null : config,
    problems: sortProblems(problems),
    values,
    files: files.map(({ path }) => path),
  };
}

function isError({ severity }: Problem): boolean {
  return severity === 'error';
}
