import { noCron, type ReadCron } from './cron.ts';
import { CONFIG_DIRS, readConfigFiles, type ConfigFile } from './files.ts';
import type { Problem } from './problem.ts';
import { readConfig, type ReadConfig } from './read.ts';
import { agentKeys, toConfig, type Config } from './schema.ts';
import { checkTogether } from './together.ts';

/** What came of reading the agent's configuration. */
export interface LoadedConfig extends ReadConfig<Config> {
  /** Paths of the files that were read, in the order in which they were merged. */
  readonly files: readonly string[];
}

/**
 * Reads the agent's configuration from drop-in folders, from weakest to strongest. May be called again at any time;
 * bad content gives problems, never an exception.
 */
export async function loadConfig(dirs: readonly string[] = CONFIG_DIRS): Promise<LoadedConfig> {
  const { files, problems } = readConfigFiles(dirs);
  const schedules: string[] = [];
  const loaded = buildConfig(files, problems, (text) => {
    schedules.push(text);
    return noCron(text);
  });
  if (schedules.length === 0) return loaded;
  // Only now: the library takes memory and time that most hosts need not spend.
  const { readCron } = await import('./cron-library.ts');
  return buildConfig(files, problems, readCron);
}

/**
 * Makes a configuration of files that have been read, in the order given; `unread` says what could not be read. Without
 * `cron` a `schedule` is an error.
 */
export function buildConfig(
  files: readonly ConfigFile[],
  unread: readonly Problem[] = [],
  cron: ReadCron = noCron,
): LoadedConfig {
  const schema = { keys: agentKeys(cron), build: toConfig, checkTogether };
  return { ...readConfig(schema, files, unread), files: files.map(({ path }) => path) };
}
