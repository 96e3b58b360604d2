import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { inject } from 'vitest';
import type { Asked } from '../../src/manager/admin/admin.ts';
import { socketAdmin } from '../../src/manager/admin/client.ts';
import type { AdminOrder } from '../../src/manager/admin/orders.ts';
import type { Answer } from '../../src/manager/answer.ts';
import type { FleetStatus } from '../../src/manager/api.ts';
import type { AuditRecord } from '../../src/manager/document.ts';

/** How a manager for tests is to be. */
export interface ManagerOptions {
  /** Lines of its configuration beside addresses and paths. */
  readonly config: string;
  /** URLs of etcd; left out: the embedded store. */
  readonly etcd?: readonly string[];
}

/** A real `holdpoint manager serve` on a free port of the loopback address. Port and store stay over restarts. */
export interface ManagerProcess {
  readonly port: number;
  /** The folder of its embedded store. */
  readonly store: string;
  /** Its configuration. */
  readonly configPath: string;
  /** Of the process that runs, or null. */
  readonly pid: number | null;
  /** Starts it and waits until it is ready. */
  start(): Promise<void>;
  /** Starts it; resolves with its number at once. */
  begin(): number;
  /** Waits until it is ready, once it was begun. */
  ready(): Promise<void>;
  /** Throws when it was not begun. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves with its exit status. */
  ended(): Promise<number | null>;
  /** Ends it at once (SIGKILL). */
  kill(): Promise<void>;
  /** Sends SIGTERM. Resolves with the exit status. */
  stop(): Promise<number | null>;
  /** From the next start on. */
  configure(config: string): void;
  /** Asked over the admin socket. Rejects when there is no answer. */
  status(): Promise<FleetStatus>;
  holders(group: string): Promise<readonly string[]>;
  /** Every record, oldest first. */
  history(): Promise<readonly AuditRecord[]>;
  /** Gives an order over the admin socket. */
  order(order: AdminOrder): Promise<Answer>;
  /** Everything that it has logged. */
  log(): string;
  /** Ends it and removes its folder. */
  remove(): Promise<void>;
}

/** Makes a manager and starts it. */
export async function startManager(options: ManagerOptions): Promise<ManagerProcess> {
  const manager = new RealManager(options, await freePort());
  try {
    await manager.start();
  } catch (error) {
    await manager.remove();
    throw error;
  }
  return manager;
}

class RealManager implements ManagerProcess {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'hp-manager-'));
  readonly store = this.#path('store');
  readonly configPath = this.#path('manager.toml');
  readonly #etcd: readonly string[] | undefined;
  #child: ChildProcess | null = null;

  constructor({ config, etcd }: ManagerOptions, port: number) {
    this.port = port;
    this.#etcd = etcd;
    this.configure(config);
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  configure(config: string): void {
    const store =
      this.#etcd === undefined
        ? `store.path = "${this.#path('store')}"`
        : `etcd3.endpoints = ${JSON.stringify(this.#etcd)}`;
    const fixed = `service.address = "127.0.0.1"\nservice.port = ${this.port}\nservice.tls = false\n${store}\n`;
    writeFileSync(this.#path('manager.toml'), `${fixed}admin.socket = "${this.#path('admin.sock')}"\n${config}`);
  }

  async start(): Promise<void> {
    this.begin();
    await this.ready();
  }

  begin(): number {
    const output = openSync(this.#path('log'), 'a');
    const program = [process.execPath, join(inject('bundle'), 'holdpoint.js'), 'manager', 'serve'];
    // It ends with this process, even when that is killed.
    const args = ['--pdeathsig', 'KILL', '--', ...program, '--config', this.#path('manager.toml')];
    const child = spawn('setpriv', args, { stdio: ['ignore', 'ignore', output] });
    closeSync(output);
    this.#child = child;
    return child.pid ?? 0;
  }

  async ready(): Promise<void> {
    const child = this.#running();
    while (!(await this.#isReady())) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended:\n${this.log()}`);
      await setTimeout(10);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#running().kill(signal);
  }

  async ended(): Promise<number | null> {
    const child = this.#running();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return child.exitCode;
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  async status(): Promise<FleetStatus> {
    return valueOf(await socketAdmin(this.#path('admin.sock')).status());
  }

  async holders(group: string): Promise<readonly string[]> {
    const { groups } = await this.status();
    return groups.find(({ name }) => name === group)?.holders.map(({ id }) => id) ?? [];
  }

  async history(): Promise<readonly AuditRecord[]> {
    return valueOf(await socketAdmin(this.#path('admin.sock')).history({ most: 10_000 }));
  }

  async order(order: AdminOrder): Promise<Answer> {
    return valueOf(await socketAdmin(this.#path('admin.sock')).order(order));
  }

  log(): string {
    return readFileSync(this.#path('log'), 'utf8');
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #running(): ChildProcess {
    if (this.#child === null) throw new Error('it does not run');
    return this.#child;
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  async #isReady(): Promise<boolean> {
    try {
      const { ok } = await fetch(`http://127.0.0.1:${this.port}/readyz`, { headers: { connection: 'close' } });
      return ok && (await this.status()).at > 0;
    } catch {
      return false;
    }
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    this.#child = null;
    if (child === null) return null;
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    }
    return child.exitCode;
  }
}

function valueOf<T>(asked: Asked<T>): T {
  if (!asked.ok) throw new Error(asked.failure.text);
  return asked.value;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}
