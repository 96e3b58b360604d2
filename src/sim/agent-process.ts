import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Machine } from './api.ts';

/** One line of an agent's JSON log. */
export interface AgentLine {
  /** `error`, `warn`, `info` or `debug`. */
  readonly level: string;
  readonly text: string;
  /** The phase that was entered, when the line tells of one. */
  readonly state: string | null;
  /** The version of its target, or null. */
  readonly target: string | null;
  /** What the graph says, by the kind of its verdict, when the line tells of that. */
  readonly verdict: string | null;
}

/** How to run the agent on a simulated host. */
export interface AgentOnMachine {
  readonly machine: Machine;
  /** The command of the agent: its options are added. Example: node, dist/holdpoint.js, agent. */
  readonly command: readonly [string, ...string[]];
  /** The content of its one configuration file. */
  readonly config: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default `info`. */
  readonly logLevel?: string;
  readonly onLine?: (line: AgentLine) => void;
  /** Called when the process ended without being told to. */
  readonly onDeath?: (code: number | null, signal: NodeJS.Signals | null) => void;
}

/**
 * The agent of a simulated host, as a process of its own: it is stopped when the host goes down and started when the
 * host is up again, as its unit would be.
 */
export class MachineAgent {
  readonly #options: AgentOnMachine;
  readonly #undo: readonly (() => void)[];
  readonly #folder: string;
  #child: ChildProcess | null = null;
  #wanted = false;

  constructor(options: AgentOnMachine) {
    this.#options = options;
    const { machine } = options;
    this.#folder = join(machine.dir, 'agent');
    this.configure(options.config);
    this.#undo = [
      machine.onShutdown(async (how) => this.#end(how === 'crash' ? 'SIGKILL' : 'SIGTERM')),
      machine.onBoot(() => {
        if (this.#wanted) this.#spawn();
      }),
    ];
  }

  /** The folder with the agent's `state.json`. */
  get stateDir(): string {
    return join(this.#folder, 'state');
  }

  /** The folder with the agent's `status.json`. */
  get runDir(): string {
    return join(this.#folder, 'run');
  }

  /** Process id, or null while it does not run. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Replaces the configuration file; a running agent reads it at SIGHUP or at its next start. */
  configure(toml: string): void {
    mkdirSync(join(this.#folder, 'config.d'), { recursive: true });
    writeFileSync(join(this.#folder, 'config.d', '50-simulated.toml'), toml);
  }

  /** Starts the agent now and after every boot. */
  start(): void {
    this.#wanted = true;
    if (this.#child === null) this.#spawn();
  }

  /** Sends a signal to the running agent. */
  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Ends the agent for good. */
  async stop(): Promise<void> {
    this.#wanted = false;
    for (const undo of this.#undo) undo();
    await this.#end('SIGTERM');
  }

  /** Ends the running process: orderly, or without a chance to do anything. Resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  #spawn(): void {
    const { machine, command, env, logLevel = 'info', onLine, onDeath } = this.#options;
    const [program, ...first] = command;
    const options = {
      'config-dir': join(this.#folder, 'config.d'),
      'state-dir': this.stateDir,
      'run-dir': this.runDir,
      'bus-address': machine.busAddress,
      root: machine.root,
      'log-format': 'json',
      'log-level': logLevel,
    };
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    const child = spawn(program, [...first, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, JOURNAL_STREAM: '', NOTIFY_SOCKET: '', ...env },
    });
    this.#child = child;
    createInterface({ input: child.stderr }).on('line', (line) => onLine?.(parseLine(line)));
    child.on('error', (error) => onLine?.({ level: 'error', text: error.message, ...NOTHING }));
    child.on('exit', (code, signal) => {
      if (this.#child !== child) return;
      this.#child = null;
      onDeath?.(code, signal);
    });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(timer);
  }
}

/** Reads a line of the log; one that is none of it (a crash of Node, say) is an error with the line as its text. */
function parseLine(line: string): AgentLine {
  try {
    const record = JSON.parse(line) as Readonly<Record<string, unknown>>;
    return {
      level: textOf(record['level']) ?? 'info',
      text: textOf(record['msg']) ?? '',
      state: textOf(record['state']),
      target: textOf(record['target']),
      verdict: textOf(record['verdict']),
    };
  } catch {
    return { level: 'error', text: line, ...NOTHING };
  }
}

const NOTHING = { state: null, target: null, verdict: null };

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
