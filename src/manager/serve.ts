import type { Log, LogFormat, LogLevel } from '../base/log.ts';
import type { Manager } from './api.ts';
import type { ManagerConfig } from './config/schema.ts';

/** How `holdpoint manager serve` was called. */
export interface ServeOptions {
  /** Null: the usual place. */
  readonly configPath: string | null;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (line: string) => void;
}

/** Serves until it is told to stop. */
export function serveManager({ configPath }: ServeOptions): Promise<'ok' | 'failure' | 'configuration'> {
  return Promise.reject(new Error(`the lock manager is not in this build (${configPath ?? ''})`));
}

/** Opens the store of a configuration, and a manager on it that serves nobody. */
export function openManager(
  config: ManagerConfig,
  log: Log,
): Promise<{ readonly manager: Manager; close(): Promise<void> }> {
  log.debug({ store: config.store.path }, 'There is no store in this build');
  return Promise.reject(new Error('the lock manager is not in this build'));
}
