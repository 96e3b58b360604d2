import { systemBusAddress } from '../bus/address.ts';
import { openBus } from '../bus/bus.ts';
import { connectPeer } from '../bus/peer.ts';
import { systemClock } from '../base/clock.ts';
import { ensureFolder } from '../base/files.ts';
import { type Log, type LogFormat, type LogLevel, createLog } from '../base/log.ts';
import { seldom } from '../base/seldom.ts';
import { errorText } from '../base/text.ts';
import { VERSION } from '../base/version.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { readHostFiles } from '../host/identity/read.ts';
import { createNotifier } from '../host/notify.ts';
import { openRpmOstree } from '../host/rpm-ostree/client.ts';
import { createGraphSource } from './graph-source.ts';
import type { Effect } from './machine/effect.ts';
import { MemoryStore } from './memory-store.ts';
import { observeMoments } from './moments/observer.ts';
import { createMetrics } from './metrics/observer.ts';
import { createMotd } from './motd/observer.ts';
import { Agent } from './run.ts';
import { nodeIdOf } from './settings.ts';
import { originsOf } from './report/origins.ts';
import { createSurroundings } from './surroundings.ts';

/** How the agent is started. */
export interface StartOptions {
  /** Left out: the usual folders. */
  readonly configDirs?: readonly string[];
  readonly stateDir: string;
  readonly runDir: string;
  /** Left out: the system bus. */
  readonly busAddress?: string;
  readonly root: string;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
  readonly beforeEffect?: (effect: Effect) => void;
}

/** How the agent ended, as the name of an exit status. */
export type Ended = 'ok' | 'failure' | 'configuration';

/** Runs the agent in this process until it is told to stop. */
export async function startAgent(options: StartOptions): Promise<Ended> {
  const { env, write } = options;
  const log = createLog({ format: options.logFormat, level: options.logLevel, write, journald: underJournald(env) });
  const loaded = await readConfig(options, log);
  if (loaded.config === null) return 'configuration';
  try {
    const agent = createAgent(options, { ...loaded, config: loaded.config }, log);
    listen(agent, options, log);
    await agent.run();
    log.info('stopped');
    // Work that was under way ends with the bus: that is no news.
    log.level = 'silent';
    return 'ok';
  } catch (error) {
    log.error(errorText(error));
    return 'failure';
  }
}

function underJournald(env: StartOptions['env']): boolean {
  return (env['JOURNAL_STREAM'] ?? '') !== '';
}

type Configured = LoadedConfig & { readonly config: NonNullable<LoadedConfig['config']> };

function createAgent(options: StartOptions, { config, values }: Configured, log: Log): Agent {
  const files = readHostFiles(options.root);
  const situation = { config, files, nodeArch: process.arch, booted: null, origins: originsOf(values) };
  nodeIdOf(situation);
  // What can fail comes before the bus is opened, which would keep a failed process alive.
  const store = new MemoryStore(options.stateDir);
  ensureFolder(options.runDir);
  const address = options.busAddress ?? systemBusAddress(options.env);
  const onError = (error: unknown): void => log.warn(errorText(error));
  const oversize = seldom(systemClock, (text) => log.warn(text));
  const onBusError = (error: Error): void => {
    if (error.name === 'OversizeMessageError') oversize(error.message);
    else onError(error);
  };
  const bus = openBus({ address, random: Math.random, onError: onBusError });
  const rpmOstree = openRpmOstree({ bus, connectPeer, clock: systemClock, onWarning: (text) => log.warn(text) });
  log.info(`holdpoint ${VERSION} starts, with the strategy ${config.updates.strategy.join(' and ')}`);
  const agent: Agent = new Agent({
    bus,
    rpmOstree,
    surroundings: createSurroundings({
      bus,
      clock: systemClock,
      log,
      config: () => agent.config,
      runDir: options.runDir,
      root: options.root,
    }),
    clock: systemClock,
    dice: Math.random,
    log,
    notifier: createNotifier(options.env, onError),
    store,
    runDir: options.runDir,
    situation,
    fetchGraph: createGraphSource(options.env, systemClock),
    observers: [
      observeMoments({ env: options.env, log, journald: underJournald(options.env) }),
      createMetrics({ runDir: options.runDir, files, nodeArch: process.arch, clock: systemClock, log }),
      createMotd(options.runDir, log),
    ],
    ...(options.beforeEffect === undefined ? {} : { beforeEffect: options.beforeEffect }),
  });
  return agent;
}

function listen(agent: Agent, options: StartOptions, log: Log): void {
  const reload = async (): Promise<void> => {
    try {
      const { config, values } = await readConfig(options, log);
      if (config === null) throw new Error('it has errors');
      agent.reconfigure(config, originsOf(values));
      log.info('the configuration was read again');
    } catch (error) {
      log.error(`the new configuration is refused: ${errorText(error)}; the one before stays in force`);
    }
  };
  // One after another, so that the newest configuration is the last one that is taken.
  let reloaded = Promise.resolve();
  process.on('SIGHUP', () => void (reloaded = reloaded.then(reload)));
  const stop = (): void => void agent.stop();
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

/** Reads the configuration and says all that is wrong with it; its `config` is null when it cannot be used. */
async function readConfig(options: StartOptions, log: Log): Promise<LoadedConfig> {
  const loaded = await loadConfig(options.configDirs);
  for (const problem of loaded.problems) log[problem.severity === 'error' ? 'error' : 'warn'](formatProblem(problem));
  return loaded;
}
