import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { groupOf, type LoadPlan } from './load.ts';

/** A server under load. */
export interface Served {
  readonly port: number;
  readonly pid: number | undefined;
  /** Another process that works for it. */
  readonly helper?: number | undefined;
  /** Ends it and removes what it has written. */
  readonly stop: () => Promise<void>;
}

/** How the programs of the benchmark are started. */
export interface Programs {
  /** This program itself: Node, its flags and the file. */
  readonly self: readonly [string, ...string[]];
  /** The command of Holdpoint: Node, its flags and the file. */
  readonly holdpoint: readonly [string, ...string[]];
}

const START_MS = 20_000;

/** Starts the server that does nothing. */
export async function startBare({ self }: Programs): Promise<Served> {
  const [node, ...args] = self;
  const child = spawn(node, [...args, 'bare'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line = ''] = await linesOf(child, 1);
  return { port: Number(line), pid: child.pid, stop: () => ended(child) };
}

/** Starts an etcd of one member, with an empty folder. */
export async function startEtcd(): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'hp-bench-etcd-'));
  const [port, peer] = [await freePort(), await freePort()];
  const [client, peers] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peer}`];
  const child = spawn(
    'etcd',
    [
      ...['--data-dir', folder, '--log-level', 'error', '--initial-cluster', `default=${peers}`],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers],
    ],
    { stdio: 'ignore' },
  );
  const stop = async (): Promise<void> => {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  await untilTrue(async () => (await fetch(`${client}/health`)).ok, child);
  return { port, pid: child.pid, stop };
}

/** Starts a manager with the groups that the clients of a plan ask for. `etcd` null: with the embedded store. */
export async function startManager(programs: Programs, plan: LoadPlan, etcd: Served | null): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'hp-bench-'));
  const log = join(folder, 'log');
  const file = join(folder, 'manager.toml');
  const port = await freePort();
  writeFileSync(file, configuration(folder, port, plan, etcd));
  const [node, ...args] = programs.holdpoint;
  // As in the journal, the log goes somewhere: to a file.
  const output = openSync(log, 'w');
  const child = spawn(node, [...args, 'manager', 'serve', '--config', file], { stdio: ['ignore', 'ignore', output] });
  closeSync(output);
  const stop = async (): Promise<void> => {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilTrue(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok, child);
  } catch (error) {
    const said = readFileSync(log, 'utf8');
    await stop();
    throw new Error(`the manager did not start: ${said}`, { cause: error });
  }
  return { port, pid: child.pid, helper: etcd?.pid, stop };
}

function configuration(folder: string, port: number, plan: LoadPlan, etcd: Served | null): string {
  const names = new Set(Array.from({ length: plan.clients }, (_, client) => groupOf(client, plan)));
  const slots = plan.ownGroups ? 1 : plan.clients;
  const groups = [...names].map((name) => `[[lock.groups]]\nname = "${name}"\nslots = ${slots}\n`);
  const endpoints = etcd === null ? '' : `etcd3.endpoints = ["http://127.0.0.1:${etcd.port}"]\n`;
  return `
service = { address = "127.0.0.1", port = ${port}, tls = false }
admin.socket = "${join(folder, 'admin.sock')}"
store.path = "${join(folder, 'store')}"
${endpoints}${groups.join('')}`;
}

/** Runs this program as generator of load, and hands over each line that it prints, the last of which is the result. */
export async function runLoad({ self }: Programs, plan: LoadPlan, measuring: (pid: number) => void): Promise<string> {
  const [node, ...args] = self;
  const child = spawn(node, [...args, 'load', JSON.stringify(plan)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = linesOf(child, 2, () => measuring(child.pid ?? 0));
  return (await lines)[1] ?? '';
}

/** The first lines of a child's output. */
function linesOf(child: ChildProcess, count: number, onFirst: () => void = () => undefined): Promise<string[]> {
  return new Promise((resolve, reject) => {
    let text = '';
    let told = false;
    child.once('exit', (code) => reject(new Error(`a process of the benchmark ended with ${String(code)}`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const lines = text.split('\n').slice(0, -1);
      if (lines.length > 0 && !told) onFirst();
      told = lines.length > 0;
      if (lines.length >= count) resolve(lines);
    });
  });
}

async function untilTrue(check: () => Promise<boolean>, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (!(await check().catch(() => false))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended');
    if (performance.now() > deadline) throw new Error('it did not start in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  return gone;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
