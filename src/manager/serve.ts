import { readCapped } from '../base/files.ts';
import { createLog, type Log, type LogFormat, type LogLevel } from '../base/log.ts';
import { errorText } from '../base/text.ts';
import { VERSION } from '../base/version.ts';
import { formatProblem } from '../config/problem.ts';
import { createAdminHandler } from './admin/handler.ts';
import { openAdminSocket, openAdminTcp } from './admin/listen.ts';
import { loadManagerConfig } from './config/load.ts';
import type { ManagerConfig } from './config/schema.ts';
import { type Access, createAccess } from './http/access.ts';
import { limitsOf } from './http/limits.ts';
import { type Listener, listen } from './http/listen.ts';
import { Readiness } from './http/probes.ts';
import { publicHandler } from './http/public.ts';
import { statusHandler } from './http/status.ts';
import { startLookout } from './lookout.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { type OpenedManager, openManager, REAL_TIME } from './open.ts';
import { Webhook } from './webhook.ts';

/** How the manager is started. */
export interface ServeOptions {
  /** Null: the usual file. */
  readonly configPath: string | null;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
  /** Speaks to the service manager that started this process. */
  readonly notifier: Notifier;
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
  const { env, write } = options;
  const journald = (env['JOURNAL_STREAM'] ?? '') !== '';
  const log = createLog({ format: options.logFormat, level: options.logLevel, write, journald });
  const config = readConfig(options.configPath, log);
  if (config === null) return 'configuration';
  try {
    const server = await ManagerServer.start(config, log);
    options.notifier.ready();
    options.notifier.status(server.summary());
    await untilStopped(() => server.reload(readConfig(options.configPath, log)));
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

/** Resolves at SIGTERM or SIGINT; reloads at SIGHUP until then. */
async function untilStopped(reload: () => void): Promise<void> {
  process.on('SIGHUP', reload);
  await new Promise<void>((resolve) => process.once('SIGTERM', resolve).once('SIGINT', resolve));
  process.off('SIGHUP', reload);
}

function readConfig(path: string | null, log: Log): ManagerConfig | null {
  const { config, problems } = loadManagerConfig(path);
  for (const problem of problems) log[problem.severity === 'error' ? 'error' : 'warn'](formatProblem(problem));
  return config;
}

const MOST_TOKEN_BYTES = 64 * 1024;

/** A manager with everything by which it is reached. */
class ManagerServer {
  readonly #log: Log;
  readonly #opened: OpenedManager;
  readonly #metrics: Metrics;
  readonly #listeners: Listener[] = [];
  /** Undone in reverse order at the end. */
  readonly #undo: (() => Promise<void> | void)[] = [];
  #config: ManagerConfig;
  #access: Access;

  private constructor(config: ManagerConfig, log: Log, opened: OpenedManager, metrics: Metrics) {
    this.#config = config;
    this.#log = log;
    this.#opened = opened;
    this.#metrics = metrics;
    this.#access = accessOf(config);
  }

  static async start(config: ManagerConfig, log: Log): Promise<ManagerServer> {
    let isGroup: (name: string) => boolean = () => false;
    const metrics = createMetrics({ version: VERSION, isGroup: (name) => isGroup(name) });
    // Tokens and certificates that cannot be read end it before the store is touched.
    accessOf(config);
    const opened = await openManager(config, log, metrics);
    isGroup = (name) => opened.manager.isGroup(name);
    const server = new ManagerServer(config, log, opened, metrics);
    try {
      await server.#listen();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** One line for the service manager. */
  summary(): string {
    const { service, etcd3 } = this.#config;
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
      this.#access = accessOf(config);
      for (const listener of this.#listeners) listener.reload();
    } catch (error) {
      log.error(`the new configuration is refused; the one before stays in force: ${errorText(error)}`);
      return;
    }
    for (const key of fixedChanges(this.#config, config))
      log.warn(`${key} changed: this takes effect at the next start`);
    this.#config = config;
    this.#opened.policies.replace(config);
    void this.#opened.manager.reconfigured();
    log.info('the configuration was read again');
  }

  /** Answers who waits, ends the listeners, then the store. */
  async stop(): Promise<void> {
    const { drainMs } = this.#config.service;
    const drained = this.#opened.manager.drain();
    await Promise.all(this.#listeners.map((listener) => listener.close(drainMs, () => drained)));
    await drained;
    for (const undo of this.#undo.toReversed()) await undo();
    await this.#opened.close();
  }

  async #listen(): Promise<void> {
    const { service, status, admin } = this.#config;
    const manager = this.#opened.manager;
    const readiness = new Readiness(manager);
    const limits = limitsOf(service);
    const common = { log: this.#log, limits };
    const handler = publicHandler({
      basePath: service.basePath,
      maxWaitMs: service.maxWaitMs,
      access: () => this.#access,
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
    this.#log.info(`holdpoint ${VERSION} manager: ${this.summary()}; ${this.#config.groups.size} groups configured`);
  }

  async #listenForAdministrators(tcp: NonNullable<ManagerConfig['admin']['tcp']>): Promise<void> {
    // Read for each request, so that a new token counts at once; one that cannot be read lets nobody in.
    const tokens = (): string => readCapped(tcp.tokenPath, MOST_TOKEN_BYTES) ?? '';
    if (tokens().trim() === '') throw new Error(`${tcp.tokenPath} (admin.token_path): there is no token in it`);
    const listener = await openAdminTcp(tcp, this.#opened.manager, tokens);
    this.#undo.push(() => listener.close());
  }

  #webhook(): (notice: Parameters<Webhook['send']>[0]) => void {
    const { notify } = this.#config;
    if (notify === null) return () => undefined;
    const after = (ms: number, callback: () => void): void => void setTimeout(callback, ms).unref();
    const webhook = new Webhook({ ...notify, after, onLost: (text) => this.#log.error(text) });
    return (notice) => webhook.send(notice);
  }
}

function accessOf({ service, groups, autoCreate }: ManagerConfig): Access {
  return createAccess({
    tokenPath: service.tokenPath,
    groups: groups.values(),
    openUnlisted: autoCreate !== null && autoCreate.template.tokenPath === null,
    bindClientIds: service.tls?.bindClientIds ?? false,
  });
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
