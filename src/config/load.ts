import { CONFIG_DIRS, readConfigFiles, type ConfigFile } from './files.ts';
import type { Problem } from './problem.ts';
import { readConfig, type ReadConfig, type Schema } from './read.ts';
import { AGENT_KEYS, toConfig, type Config } from './schema.ts';
import { checkTogether } from './together.ts';

/** What came of reading the agent's configuration. */
export interface LoadedConfig extends ReadConfig<Config> {
  /** Paths of the files that were read, in the order in which they were merged. */
  readonly files: readonly string[];
}

const AGENT: Schema<typeof AGENT_KEYS, Config> = { keys: AGENT_KEYS, build: toConfig, checkTogether };

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
  return { ...readConfig(AGENT, files, unread), files: files.map(({ path }) => path) };
}
