import { setTimeout } from 'node:timers/promises';
import { readCapped } from '../base/files.ts';
import { createLog, type Log, type LogFormat, type LogLevel } from '../base/log.ts';
import { errorText } from '../base/text.ts';
import { VERSION } from '../base/version.ts';
import { formatProblem } from '../config/problem.ts';
import { Admission } from './admission.ts';
import { createAdminHandler } from './admin/handler.ts';
import { openAdminSocket, openAdminTcp } from './admin/listen.ts';
import { loadManagerConfig } from './config/load.ts';
import type { ManagerConfig } from './config/schema.ts';
import type { Hangups } from './hangups.ts';
import { limitsOf } from './http/limits.ts';
import { type Listener, listen } from './http/listen.ts';
import { Readiness } from './http/probes.ts';
import { publicHandler } from './http/public.ts';
import { statusHandler } from './http/status.ts';
import { startLookout } from './lookout.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { type OpenedManager, openManager, REAL_TIME } from './open.ts';
import { noticeSender } from './webhook.ts';

/** How the manager is started. */
export interface ServeOptions {
  /** Null: the usual file. */
  readonly configPath: string | null;
  /** A damaged embedded store is gone on with. */
  readonly acceptDamage: boolean;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
  /** Speaks to the service manager that started this process. */
  readonly notifier: Notifier;
  /** SIGHUP, from as early as can be. */
  readonly hangups: Hangups;
}

/** What of a service manager's protocol is used. */
export interface Notifier {
  ready(): void;
  status(line: string): void;
  stopping(): void;
  close(): void;
}

/** How it ended, as the name of an exit status. */
export type Ended = 'ok' | 'failure' | 'configuration';

/** Runs the lock manager in this process until it is told to stop. */
export async function serveManager(options: ServeOptions): Promise<Ended> {
  const { env, write, hangups } = options;
  const journald = (env['JOURNAL_STREAM'] ?? '') !== '';
  const log = createLog({ format: options.logFormat, level: options.logLevel, write, journald });
  const config = readConfig(options.configPath, log);
  if (config === null) return 'configuration';
  try {
    const server = await ManagerServer.start(config, log, options.acceptDamage);
    options.notifier.ready();
    options.notifier.status(server.summary());
    hangups.ready(() => server.reload(readConfig(options.configPath, log)));
    await stopped();
    hangups.over(() => log.debug('SIGHUP is ignored: the manager is about to stop'));
    options.notifier.stopping();
    await server.stop();
    log.info('stopped');
    return 'ok';
  } catch (error) {
    log.error(errorText(error, 1000));
    return 'failure';
  } finally {
    options.notifier.close();
  }
}

/** Resolves at SIGTERM or SIGINT. */
function stopped(): Promise<void> {
  return new Promise<void>((resolve) => process.once('SIGTERM', () => resolve()).once('SIGINT', () => resolve()));
}

function readConfig(path: string | null, log: Log): ManagerConfig | null {
  const { config, problems } = loadManagerConfig(path);
  for (const problem of problems) log[problem.severity === 'error' ? 'error' : 'warn'](formatProblem(problem));
  return config;
}

/** Milliseconds for which a command, or a manager that stops, may still have the store. */
const STORE_WAIT_MS = 3_000;
/** The note in the store with the names of groups that have tokens of their own, one in a line. */
const GUARDED = 'guarded';
const MOST_TOKEN_BYTES = 64 * 1024;

/** A manager with everything by which it is reached. */
class ManagerServer {
  readonly #log: Log;
  readonly #opened: OpenedManager;
  readonly #metrics: Metrics;
  readonly #listeners: Listener[] = [];
  /** Undone in reverse order at the end. */
  readonly #undo: (() => Promise<void> | void)[] = [];
  /** The configuration of the start: what belongs to listeners, store and audit stays as it was then. */
  readonly #started: ManagerConfig;
  readonly #admission: Admission;

  private constructor(
    config: ManagerConfig,
    log: Log,
    opened: OpenedManager,
    { metrics, admission }: { readonly metrics: Metrics; readonly admission: Admission },
  ) {
    this.#started = config;
    this.#log = log;
    this.#opened = opened;
    this.#metrics = metrics;
    this.#admission = admission;
  }

  static async start(config: ManagerConfig, log: Log, acceptDamage: boolean): Promise<ManagerServer> {
    let isGroup: (name: string) => boolean = () => false;
    const metrics = createMetrics({ version: VERSION, isGroup: (name) => isGroup(name) });
    // Tokens that cannot be read end it before the store is touched.
    const admission = new Admission(config, {
      now: () => performance.now(),
      failed: (text) => log.error(text),
      read: (text) => log.info(text),
    });
    const opened = await openManager(config, log, { meter: metrics, storeWaitMs: STORE_WAIT_MS, acceptDamage });
    isGroup = (name) => opened.manager.isGroup(name);
    const server = new ManagerServer(config, log, opened, { metrics, admission });
    try {
      await server.#recallGuarded();
      await server.#listen();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** One line for the service manager. */
  summary(): string {
    const { service, etcd3 } = this.#started;
    const port = this.#listeners[0]?.port ?? service.port;
    const scheme = service.tls === null ? 'http' : 'https';
    const store = etcd3 === null ? 'the embedded store' : `etcd at ${etcd3.endpoints.join(', ')}`;
    return `serving ${scheme}://${host(service.address)}:${port}${service.basePath}/ with ${store}`;
  }

  /** Takes a new configuration; null: it was not good, and the one before stays. */
  reload(config: ManagerConfig | null): void {
    const log = this.#log;
    if (config === null) {
      log.error('the new configuration is refused; the one before stays in force');
      return;
    }
    try {
      // All of it, or nothing.
      const puts = [this.#admission.prepare(config), ...this.#listeners.map((listener) => listener.prepareReload())];
      for (const put of puts) put();
    } catch (error) {
      log.error(`the new configuration is refused; the one before stays in force: ${errorText(error)}`);
      return;
    }
    for (const key of fixedChanges(this.#started, config))
      log.warn(`${key} changed: this takes effect at the next start`);
    this.#opened.policies.replace(config);
    void this.#opened.manager.reconfigured();
    void this.#noteGuarded();
    log.info('the configuration was read again');
  }

  /** Answers who waits, ends the listeners, then the store. A store that does not answer is not waited for any longer. */
  async stop(): Promise<void> {
    const { drainMs } = this.#started.service;
    const over = setTimeout(drainMs, undefined, { ref: false });
    const drained = this.#opened.manager.drain();
    await Promise.all(this.#listeners.map((listener) => listener.close(drainMs, () => drained)));
    await Promise.race([drained, over]);
    for (const undo of this.#undo.toReversed()) await undo();
    await this.#opened.close();
  }

  /** Which groups had tokens is noted in the store: one that is left out of the configuration is not open after a restart. */
  async #recallGuarded(): Promise<void> {
    const { holders, notes } = this.#opened;
    const noted = (await notes.read(GUARDED)) ?? '';
    const names = noted.split('\n').filter((name) => name !== '');
    this.#admission.recall(holders, names);
    await this.#noteGuarded(noted);
  }

  /** `noted`: what is noted, where that was read a moment ago. */
  async #noteGuarded(noted: string | null = null): Promise<void> {
    const { read, write } = this.#opened.notes;
    const text = this.#admission.guarded.join('\n');
    try {
      if ((noted ?? (await read(GUARDED)) ?? '') !== text) await write(GUARDED, text);
    } catch (error) {
      this.#log.warn(`which groups have tokens could not be noted in the store: ${errorText(error)}`);
    }
  }

  async #listen(): Promise<void> {
    const { service, status, admin } = this.#started;
    const manager = this.#opened.manager;
    const readiness = new Readiness(manager);
    const limits = limitsOf(service);
    const common = { log: this.#log, limits };
    const handler = publicHandler({
      basePath: service.basePath,
      maxWaitMs: service.maxWaitMs,
      access: () => this.#admission.access,
      manager,
      readiness,
      meter: this.#metrics,
      log: this.#log,
    });
    const main = await listen({ section: 'service', ...service, handler, ...common });
    this.#listeners.push(main);
    if (status !== null) {
      const connections = (): number => main.connections;
      const metrics = statusHandler({ manager, readiness, metrics: this.#metrics, connections });
      this.#listeners.push(await listen({ section: 'status', ...status, handler: metrics, ...common }));
    }
    const socket = await openAdminSocket(admin.socket, createAdminHandler(manager, { token: null }));
    this.#undo.push(() => socket.close());
    if (admin.tcp !== null) await this.#listenForAdministrators(admin.tcp);
    this.#undo.push(startLookout({ manager, log: this.#log, send: this.#webhook(), time: REAL_TIME }));
    this.#log.info(`holdpoint ${VERSION} manager: ${this.summary()}; ${this.#started.groups.size} groups configured`);
  }

  async #listenForAdministrators(tcp: NonNullable<ManagerConfig['admin']['tcp']>): Promise<void> {
    // Read for each request, so that a new token counts at once; one that cannot be read lets nobody in.
    const tokens = (): string => readCapped(tcp.tokenPath, MOST_TOKEN_BYTES) ?? '';
    if (tokens().trim() === '') throw new Error(`${tcp.tokenPath} (admin.token_path): there is no token in it`);
    const listener = await openAdminTcp(tcp, this.#opened.manager, tokens);
    this.#undo.push(() => listener.close());
  }

  #webhook(): ReturnType<typeof noticeSender> {
    const { notify } = this.#started;
    if (notify === null) return () => undefined;
    const after = (ms: number, callback: () => void): void => void globalThis.setTimeout(callback, ms).unref();
    const onRetry = (text: string): void => this.#log.warn(text);
    return noticeSender(notify, { after, onLost: (text) => this.#log.error(text), onRetry });
  }
}

/** Keys that are read at the start alone and are different now. */
function fixedChanges(before: ManagerConfig, after: ManagerConfig): readonly string[] {
  const parts = ['service', 'status', 'admin', 'store', 'etcd3', 'audit', 'notify'] as const;
  const withoutFiles = (config: ManagerConfig, part: (typeof parts)[number]): string =>
    JSON.stringify(part === 'service' ? { ...config.service, tokenPath: null } : config[part]);
  return parts.filter((part) => withoutFiles(before, part) !== withoutFiles(after, part));
}

function host(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
