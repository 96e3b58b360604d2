import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { TEST_CERTIFICATE, TEST_CLIENT_CERTIFICATE, TEST_CLIENT_KEY, TEST_KEY } from './tls.ts';

/** How an etcd for tests is to be. */
export interface TestEtcdOptions {
  /** Members of the cluster; default 1. */
  readonly members?: number;
  /** TLS with the certificate for tests; `client`: clients must show the one for clients, or the server's own. */
  readonly tls?: 'server' | 'client';
  /** More arguments for the program. */
  readonly args?: readonly string[];
  /** In which folder its own is made; default that for temporary files. */
  readonly folder?: string;
}

/** A real etcd on free ports of the loopback address, with its data in a temporary folder. */
export interface TestEtcd {
  /** One URL for each member. They stay the same over restarts. */
  readonly endpoints: readonly string[];
  /** Posts a message to the JSON gateway of the first member that runs. Rejects when the answer is not 200. */
  call(path: string, body: unknown, token?: string): Promise<Record<string, unknown>>;
  /** Sets a value behind everybody's back. */
  put(key: string, value: string): Promise<void>;
  /** Null: there is no such key. */
  get(key: string): Promise<string | null>;
  /** Deletes all keys that begin with a text; by default all there are. */
  clear(prefix?: string): Promise<void>;
  /** Makes users whose role may read and write what begins with one of these texts, and root; then turns users on. */
  enableUsers(users: readonly { name: string; password: string; prefixes: readonly string[] }[]): Promise<void>;
  /** Ends a member at once (SIGKILL); by default all. */
  kill(member?: number): Promise<void>;
  /** Starts a member, or all, again with their data, and waits until they are healthy. */
  start(member?: number): Promise<void>;
  /** Ends all members, throws their data away and starts them again. */
  wipe(): Promise<void>;
  /** Lets a member stand still (SIGSTOP) or go on: its connections stay open, and nothing is answered. */
  freeze(member: number, on: boolean): Promise<void>;
  /** Ends everything and removes the data. */
  stop(): Promise<void>;
}

/** The password of root, once users are on. */
export const ROOT_PASSWORD = 'root-password';

/** Whether all threads of a process stand still. */
function isStopped(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).every((task) => readFileSync(join(tasks, task, 'stat'), 'utf8').includes(') T '));
}

/** Starts an etcd. Stop it when the test is over. */
export async function startEtcd(options: TestEtcdOptions = {}): Promise<TestEtcd> {
  const cluster = new Cluster(options, await freePorts((options.members ?? 1) * 2));
  try {
    await cluster.start();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

class Cluster implements TestEtcd {
  readonly endpoints: readonly string[];
  readonly #folder: string;
  readonly #options: TestEtcdOptions;
  readonly #peers: readonly string[];
  readonly #children: (ChildProcess | null)[];
  #rootToken: string | undefined;

  constructor(options: TestEtcdOptions, ports: readonly number[]) {
    this.#folder = mkdtempSync(join(options.folder ?? tmpdir(), 'hp-etcd-'));
    const scheme = options.tls === undefined ? 'http' : 'https';
    const half = ports.length / 2;
    this.endpoints = ports.slice(0, half).map((port) => `${scheme}://127.0.0.1:${port}`);
    this.#peers = ports.slice(half).map((port) => `http://127.0.0.1:${port}`);
    this.#options = options;
    this.#children = this.endpoints.map(() => null);
    const file = (name: string, text: string): void => writeFileSync(join(this.#folder, name), text, { mode: 0o600 });
    file('cert.pem', TEST_CERTIFICATE);
    file('key.pem', TEST_KEY);
    file('clients.pem', TEST_CERTIFICATE + TEST_CLIENT_CERTIFICATE);
  }

  async start(member?: number): Promise<void> {
    const members = member === undefined ? [...this.#children.keys()] : [member];
    for (const each of members) this.#children[each] ??= this.#spawn(each);
    await Promise.all(members.map((each) => this.#healthy(each)));
  }

  async kill(member?: number): Promise<void> {
    const members = member === undefined ? [...this.#children.keys()] : [member];
    await Promise.all(members.map((each) => this.#end(each)));
  }

  async wipe(): Promise<void> {
    await this.kill();
    for (const member of this.#children.keys()) rmSync(join(this.#folder, `data-${member}`), { recursive: true });
    await this.start();
  }

  async freeze(member: number, on: boolean): Promise<void> {
    const child = this.#children[member];
    child?.kill(on ? 'SIGSTOP' : 'SIGCONT');
    // A thread that runs on another processor goes on until the signal has reached it.
    while (on && child?.pid !== undefined && !isStopped(child.pid)) await setTimeout(1);
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async call(path: string, body: unknown, token = this.#rootToken): Promise<Record<string, unknown>> {
    const index = Math.max(
      0,
      this.#children.findIndex((child) => child !== null),
    );
    const { status, text } = await this.#exchange(index, 'POST', path, JSON.stringify(body), token);
    if (status !== 200) throw new Error(`${path}: HTTP ${status}: ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }

  async put(key: string, value: string): Promise<void> {
    await this.call('/v3/kv/put', { key: base64(key), value: base64(value) });
  }

  async get(key: string): Promise<string | null> {
    const { kvs = [] } = (await this.call('/v3/kv/range', { key: base64(key) })) as { kvs?: { value?: string }[] };
    return kvs[0] === undefined ? null : Buffer.from(kvs[0].value ?? '', 'base64').toString();
  }

  async clear(prefix = '\0'): Promise<void> {
    const end =
      prefix === '\0' ? '\0' : prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
    await this.call('/v3/kv/deleterange', { key: base64(prefix), range_end: base64(end) });
  }

  async enableUsers(users: readonly { name: string; password: string; prefixes: readonly string[] }[]): Promise<void> {
    await this.call('/v3/auth/user/add', { name: 'root', password: ROOT_PASSWORD });
    await this.call('/v3/auth/user/grant', { user: 'root', role: 'root' });
    for (const { name, password, prefixes } of users) {
      await this.call('/v3/auth/user/add', { name, password });
      await this.call('/v3/auth/role/add', { name });
      for (const prefix of prefixes) {
        const range_end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
        const perm = { permType: 'READWRITE', key: base64(prefix), range_end: base64(range_end) };
        await this.call('/v3/auth/role/grant', { name, perm });
      }
      await this.call('/v3/auth/user/grant', { user: name, role: name });
    }
    await this.call('/v3/auth/enable', {});
    const { token } = await this.call('/v3/auth/authenticate', { name: 'root', password: ROOT_PASSWORD });
    this.#rootToken = String(token);
  }

  /** It ends with this process, even when that is killed. */
  #spawn(member: number): ChildProcess {
    const [client, peer] = [this.endpoints[member] ?? '', this.#peers[member] ?? ''];
    const { tls, args = [] } = this.#options;
    const file = (name: string): string => join(this.#folder, name);
    const certificates = ['--cert-file', file('cert.pem'), '--key-file', file('key.pem')];
    const trusted = ['--trusted-ca-file', file('clients.pem'), '--client-cert-auth'];
    const etcd = [
      ...['etcd', '--name', `m${member}`, '--data-dir', file(`data-${member}`), '--log-level', 'error'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', this.#peers.map((url, index) => `m${index}=${url}`).join(',')],
      ...['--heartbeat-interval', '50', '--election-timeout', '500'],
      ...(tls === undefined ? [] : certificates),
      ...(tls === 'client' ? trusted : []),
      ...args,
    ];
    return spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...etcd], { stdio: 'ignore' });
  }

  async #healthy(member: number): Promise<void> {
    for (;;) {
      const child = this.#children[member];
      if (child?.exitCode !== null) throw new Error(`etcd ended with ${String(child?.exitCode)}`);
      try {
        const { status } = await this.#exchange(member, 'GET', '/health', '');
        if (status === 200) return;
      } catch {
        // It is not there yet.
      }
      await setTimeout(20);
    }
  }

  async #end(member: number): Promise<void> {
    const child = this.#children[member];
    this.#children[member] = null;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  #exchange(
    member: number,
    method: string,
    path: string,
    body: string,
    token?: string,
  ): Promise<{ status: number; text: string }> {
    const url = new URL(path, this.endpoints[member]);
    const headers = token === undefined ? {} : { authorization: token };
    const tls = { ca: TEST_CERTIFICATE, cert: TEST_CLIENT_CERTIFICATE, key: TEST_CLIENT_KEY };
    return new Promise((resolve, reject) => {
      const options = { method, headers, agent: false, timeout: 10_000 } as const;
      const request = url.protocol === 'https:' ? httpsRequest(url, { ...options, ...tls }) : httpRequest(url, options);
      request.on('response', (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }));
        response.on('error', reject);
      });
      request.on('timeout', () => request.destroy(new Error('no answer')));
      request.on('error', reject);
      request.end(body);
    });
  }
}

/** Text as etcd's JSON has bytes. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Ports that nobody listened on a moment ago. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
