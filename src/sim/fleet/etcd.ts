import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from './child.ts';

/** A real etcd with one member, on free ports of the loopback address. */
export interface Etcd {
  readonly endpoint: string;
  /** Resolves when it has ended, whether it was told to or not. */
  readonly ended: Promise<Error>;
  stop(): Promise<void>;
}

const MISSING =
  'etcd is not installed: install the package that brings the program etcd (etcd or etcd-server), or use --store embedded';
const START_MS = 20_000;

/** Starts an etcd with its data in a folder. Rejects when it is not installed, not healthy in time, or aborted. */
export async function startEtcd(folder: string, signal: AbortSignal): Promise<Etcd> {
  const [endpoint = '', peer = ''] = (await freePorts(2)).map((port) => `http://127.0.0.1:${port}`);
  const options = {
    name: 'demo',
    'data-dir': join(folder, 'etcd'),
    'listen-client-urls': endpoint,
    'advertise-client-urls': endpoint,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `demo=${peer}`,
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const child = new Child({ name: 'etcd', command: ['etcd', ...args] });
  const over = new AbortController();
  try {
    await child.ready(healthy(endpoint, over.signal), signal);
  } catch (error) {
    throw isMissing(error) ? new Error(MISSING) : error;
  } finally {
    over.abort();
  }
  return { endpoint, ended: child.ended, stop: () => child.stop() };
}

function isMissing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { cause } = error;
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}

async function healthy(endpoint: string, over: AbortSignal): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (!over.aborted && !(await isHealthy(endpoint))) {
    if (performance.now() > deadline) throw new Error(`etcd was not healthy after ${START_MS / 1000} s`);
    await delay(50);
  }
}

function isHealthy(endpoint: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(`${endpoint}/health`, { timeout: 1000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.once('timeout', () => asked.destroy(new Error('no answer')));
    asked.once('error', () => resolve(false));
    asked.end();
  });
}

/** Ports that nobody listens on at the moment. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
