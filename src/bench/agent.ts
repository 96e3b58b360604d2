import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { packageRoot } from '../base/package-root.ts';
import { type AgentLine, MachineAgent } from '../sim/agent-process.ts';
import { type Machine, createMachine } from '../sim/machine.ts';
import { type Notified, standForSystemd } from './notified.ts';
import { cpuOf } from './process.ts';
import { median, ms, type Row } from './table.ts';

/** What is measured, and how often. */
export interface AgentBench {
  /** The command of this program. */
  readonly program: readonly [string, ...string[]];
  readonly flags: readonly string[];
  readonly runs: number;
  readonly idleSecs: number;
  /** Milliseconds that a bare Node process needs to start. */
  readonly bareStart: number;
  readonly say: (text: string) => void;
}

const HOPS = 10;
const SETTLE_MS = 15_000;

/** Runs the agent on a simulated host without delays: its start, its idling, and its way from "found" to "finalize". */
export async function benchAgent(bench: AgentBench): Promise<Row[]> {
  const { bareStart, say } = bench;
  const graph = readFileSync(join(packageRoot(), 'examples', 'graphs', 'stable-x86_64.json'), 'utf8');
  say('bench: starting the agent …');
  const start = await onHost(bench, graph, '44.20260707.3.1', (host) => measureStarts(host, bench));
  say(`bench: ${HOPS} updates …`);
  const found = await onHost(bench, graph, '31.20200108.3.0', (host) => measureHops(host));
  say(`bench: ${bench.idleSecs} s idle …`);
  const idle = await onHost(bench, graph, '44.20260707.3.1', (host) => measureIdle(host, bench));
  const overhead = idle.agent.privateMb - idle.bare.privateMb;
  return [
    {
      what: 'start → READY',
      value: ms(start),
      beside: `${(start / bareStart).toFixed(1)} × bare Node (${ms(bareStart)})`,
      aim: 'within 3 ×',
    },
    { what: 'RSS, idle', value: mb(idle.agent.rssMb), beside: `bare Node ${mb(idle.bare.rssMb)}`, aim: '' },
    {
      what: 'private memory, idle',
      value: mb(idle.agent.privateMb),
      beside: `${mb(overhead)} over bare Node (${mb(idle.bare.privateMb)})`,
      aim: 'at most 10 MB over',
    },
    {
      what: `CPU in ${bench.idleSecs} s idle, children included`,
      value: ms(idle.agent.cpuMs),
      beside: `bare Node ${ms(idle.bare.cpuMs)}`,
      aim: 'at most 30 ms in 60 s',
    },
    {
      what: `found → FinalizeDeployment, of ${HOPS}`,
      value: ms(found),
      beside: `${(found / bareStart).toFixed(2)} × bare Node's start`,
      aim: 'below 30 ms',
    },
  ];
}

interface Host {
  readonly machine: Machine;
  readonly agent: MachineAgent;
  readonly systemd: Notified;
  /** Resolves with the next line of the agent's log that satisfies `check`. */
  readonly nextLine: (check: (line: AgentLine) => boolean) => Promise<AgentLine>;
  /** When the last answer with the graph was sent, by `performance.now()`. */
  readonly servedAt: () => number;
  /** Seconds between two looks at the graph, from the next start or reload on. */
  readonly setInterval: (secs: number) => void;
}

async function onHost<T>(bench: AgentBench, graph: string, from: string, work: (host: Host) => Promise<T>): Promise<T> {
  let served = 0;
  const server = createServer((_, response) => {
    served = performance.now();
    response.end(graph);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = (secs: number): string =>
    `agent.timing.steady_interval_secs = ${secs}\ncincinnati.base_url = "${url}"\n`;
  const machine = await createMachine({
    graph,
    stream: 'stable',
    basearch: 'x86_64',
    bootedVersion: from,
    command: [...bench.program, 'sim', 'rpm-ostreed'],
  });
  const systemd = standForSystemd(machine.dir);
  const waiting = new Set<(line: AgentLine) => void>();
  const agent = new MachineAgent({
    machine,
    command: [...bench.program, 'agent'],
    config: config(1),
    // As under systemd: with somebody to notify, and the watchdog of the unit.
    env: { ...systemd.env, WATCHDOG_USEC: '300000000' },
    onLine: (line) => {
      for (const waiter of [...waiting]) waiter(line);
    },
  });
  try {
    return await work({
      machine,
      agent,
      systemd,
      servedAt: () => served,
      setInterval: (secs) => agent.configure(config(secs)),
      nextLine: (check) =>
        new Promise((resolve) => {
          const waiter = (line: AgentLine): void => {
            if (!check(line)) return;
            waiting.delete(waiter);
            resolve(line);
          };
          waiting.add(waiter);
        }),
    });
  } finally {
    await agent.stop();
    await machine.stop();
    server.closeAllConnections();
    server.close();
  }
}

/** Until the service manager has been told, which takes a process of its own. */
async function measureStarts({ agent, systemd }: Host, { runs }: AgentBench): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const started = performance.now();
    const ready = systemd.next('READY=1');
    agent.start();
    await ready;
    times.push(performance.now() - started);
    await agent.kill();
  }
  return median(times);
}

/** From the moment at which the update server has answered to the line that finalize is being called. */
async function measureHops({ machine, agent, nextLine, servedAt }: Host): Promise<number> {
  const times: number[] = [];
  for (let hop = 0; hop < HOPS; hop += 1) {
    const rebooting = nextLine(({ state }) => state === 'rebooting');
    const booted = machine.nextBoot();
    agent.start();
    await rebooting;
    times.push(performance.now() - servedAt());
    await booted;
  }
  return median(times);
}

interface Idle {
  readonly rssMb: number;
  readonly privateMb: number;
  readonly cpuMs: number;
}

async function measureIdle(host: Host, { idleSecs, flags }: AgentBench): Promise<{ agent: Idle; bare: Idle }> {
  const { agent, nextLine } = host;
  const newest = nextLine(({ verdict }) => verdict === 'newest');
  agent.start();
  await newest;
  host.setInterval(300);
  const reloaded = nextLine(({ text }) => text.includes('was read again'));
  agent.signal('SIGHUP');
  await reloaded;
  const bare = spawn(process.execPath, [...flags, '-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
  // The poll that was already due, and V8's clearing up after a start, are over after a while.
  await sleep(SETTLE_MS);
  const [before, bareBefore] = [cpuOf(agent.pid), cpuOf(bare.pid)];
  await sleep(idleSecs * 1_000);
  const result = {
    agent: { ...memoryOf(agent.pid), cpuMs: cpuOf(agent.pid) - before },
    bare: { ...memoryOf(bare.pid), cpuMs: cpuOf(bare.pid) - bareBefore },
  };
  await ended(bare);
  return result;
}

function ended(child: ChildProcess): Promise<unknown> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  return gone;
}

function memoryOf(pid: number | null | undefined): { rssMb: number; privateMb: number } {
  const rollup = readFileSync(`/proc/${pid ?? 'self'}/smaps_rollup`, 'utf8');
  const kb = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? Number.NaN);
  return { rssMb: kb('Rss') / 1024, privateMb: (kb('Private_Clean') + kb('Private_Dirty')) / 1024 };
}

function mb(value: number): string {
  return `${value.toFixed(1)} MB`;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
