import { lstatSync } from 'node:fs';
import { isNotFound } from '../../base/files.ts';
import { readConfigFile, type ConfigFile } from '../../config/files.ts';
import { problem, wholeFile, type Problem } from '../../config/problem.ts';
import { readConfig, type ReadConfig, type Schema } from '../../config/read.ts';
import { toManagerConfig } from './build.ts';
import { MANAGER_KEYS, type ManagerConfig } from './schema.ts';
import { checkManager } from './together.ts';

/** Where the manager's configuration is unless said otherwise. */
export const MANAGER_CONFIG_PATH = '/etc/holdpoint/manager.toml';

/** Largest file that is read, in bytes: some thousand groups. */
const MAX_BYTES = 1_048_576;

/** What came of reading the manager's configuration. */
export interface LoadedManagerConfig extends ReadConfig<ManagerConfig> {
  /** The file that was looked for. */
  readonly path: string;
  /** False when there is no file at the default path: every key has its default then. */
  readonly found: boolean;
}

/**
 * Reads the manager's configuration. Without a path it is the one at `usual`, which may be missing. May be called again
 * at any time; bad content gives problems, never an exception.
 */
export function loadManagerConfig(path: string | null = null, usual = MANAGER_CONFIG_PATH): LoadedManagerConfig {
  if (path === null && isMissing(usual)) {
    const text = 'there is no such file: every key has its default';
    return { ...read(usual, [], [problem(wholeFile(usual), text, 'warning')]), found: false };
  }
  const file = readConfigFile(path ?? usual, MAX_BYTES);
  return 'text' in file ? buildManagerConfig(file) : { ...read(path ?? usual, [], [file]), found: true };
}

/** Makes a configuration of a file that has been read. */
export function buildManagerConfig(file: ConfigFile): LoadedManagerConfig {
  return { ...read(file.path, [file], []), found: true };
}

function read(
  path: string,
  files: readonly ConfigFile[],
  unread: readonly Problem[],
): Omit<LoadedManagerConfig, 'found'> {
  const schema: Schema<typeof MANAGER_KEYS, ManagerConfig> = {
    keys: MANAGER_KEYS,
    build: toManagerConfig,
    checkTogether: (config, values, report) => checkManager(config, values, path, report),
  };
  return { ...readConfig(schema, files, unread), path };
}

function isMissing(path: string): boolean {
  try {
    lstatSync(path);
    return false;
  } catch (error) {
    return isNotFound(error);
  }
}
