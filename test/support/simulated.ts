import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type AgentLine, MachineAgent } from '../../src/sim/agent-process.ts';
import { type GraphServer, startGraphServer } from '../../src/sim/graph-server.ts';
import { type HostState, type Machine, createMachine } from '../../src/sim/machine.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the program as bundled for this run. */
    bundle: string;
  }
}

/** The command of the bundled program. */
export function program(...args: string[]): [string, ...string[]] {
  return [process.execPath, join(inject('bundle'), 'holdpoint.js'), ...args];
}

/** A real update graph from the fixtures. */
export function graphText(scope: string): string {
  return readFileSync(join(import.meta.dirname, '..', 'fixtures', 'graphs', `${scope}.json`), 'utf8');
}

/** One node of a small graph, newest last: `payload` stands for the commit. */
export function smallGraph(versions: readonly string[], edges: readonly (readonly [number, number])[]): string {
  const prefix = 'org.fedoraproject.coreos.';
  const nodes = versions.map((version, index) => ({
    version,
    payload: commit(version),
    metadata: { [`${prefix}scheme`]: 'checksum', [`${prefix}releases.age_index`]: String(index) },
  }));
  return JSON.stringify({ nodes, edges });
}

/** A stand-in for the commit of a version. */
export function commit(version: string): string {
  return Buffer.from(version.padEnd(32, '.')).toString('hex').slice(0, 64);
}

/** A simulated host with an agent and an update server. */
export interface Simulated {
  readonly machine: Machine;
  readonly server: GraphServer;
  readonly agent: MachineAgent;
  /** Every line that agents of this host have logged. */
  readonly lines: readonly AgentLine[];
  /** Resolves with the first line, past or future, that satisfies `check`. */
  line(check: RegExp | ((line: AgentLine) => boolean)): Promise<AgentLine>;
  /** The same, of those that come from now on. */
  nextLine(check: RegExp | ((line: AgentLine) => boolean)): Promise<AgentLine>;
  booted(): string;
  memory(): Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

export interface SimulatedOptions {
  readonly graph: string;
  readonly from: string;
  readonly stream?: string;
  readonly basearch?: string;
  /** Added to the agent's configuration. */
  readonly config?: string;
  /** In place of the bundled program with `agent`. */
  readonly command?: [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly machine?: Partial<Parameters<typeof createMachine>[0]>;
  readonly onDeath?: (code: number | null, signal: NodeJS.Signals | null) => void;
}

/** Makes a simulated host whose agent looks at the graph once a second. The agent is not started yet. */
export async function simulate(options: SimulatedOptions): Promise<Simulated> {
  const server = await startGraphServer({ graph: options.graph });
  const machine = await createMachine({
    graph: options.graph,
    stream: options.stream ?? 'stable',
    basearch: options.basearch ?? 'x86_64',
    bootedVersion: options.from,
    command: program('sim', 'rpm-ostreed'),
    ...options.machine,
  });
  const lines: AgentLine[] = [];
  const waiting = new Set<(line: AgentLine) => void>();
  const agent = new MachineAgent({
    machine,
    command: options.command ?? program('agent'),
    config: `agent.timing.steady_interval_secs = 1\ncincinnati.base_url = "${server.url}"\n${options.config ?? ''}`,
    logLevel: 'debug',
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.onDeath === undefined ? {} : { onDeath: options.onDeath }),
    onLine: (line) => {
      lines.push(line);
      for (const waiter of [...waiting]) waiter(line);
    },
  });
  const nextLine: Simulated['nextLine'] = (check) =>
    new Promise((resolve) => {
      const matches = (line: AgentLine): boolean => (check instanceof RegExp ? check.test(line.text) : check(line));
      const waiter = (line: AgentLine): void => {
        if (!matches(line)) return;
        waiting.delete(waiter);
        resolve(line);
      };
      waiting.add(waiter);
    });
  return {
    machine,
    server,
    agent,
    lines,
    nextLine,
    line: (check) => {
      const matches = (line: AgentLine): boolean => (check instanceof RegExp ? check.test(line.text) : check(line));
      const found = lines.find(matches);
      return found === undefined ? nextLine(check) : Promise.resolve(found);
    },
    booted: () => bootedIn(machine.state()),
    memory: () => JSON.parse(readFileSync(join(agent.stateDir, 'state.json'), 'utf8')) as Record<string, unknown>,
    stop: async () => {
      await agent.stop();
      await machine.stop();
      await server.close();
    },
  };
}

/** The version that a host runs. */
export function bootedIn(state: HostState): string {
  return state.deployments.find(({ booted }) => booted)?.version ?? 'nothing';
}
