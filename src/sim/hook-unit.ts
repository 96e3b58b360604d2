import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { readCapped } from '../base/files.ts';
import { killTree, startedAt } from '../base/process-tree.ts';

/** A service as its properties show it. */
export interface HookUnitState {
  readonly active: 'inactive' | 'activating' | 'active' | 'deactivating' | 'failed';
  readonly sub: string;
  readonly result: string;
  /** How the process ended: 1 by itself, 2 killed, 0 not yet. */
  readonly code: number;
  /** Exit status, or number of the signal. */
  readonly status: number;
  /** What it said with `STATUS=`. */
  readonly text: string;
}

interface HookUnitOptions {
  /** The folder of the machine. */
  readonly dir: string;
  readonly command: readonly string[];
  /** TimeoutStartSec; null for none. */
  readonly timeoutMs: number | null;
}

const INACTIVE: HookUnitState = { active: 'inactive', sub: 'dead', result: 'success', code: 0, status: 0, text: '' };
/** `SuccessExitStatus=` of the template. */
const SUCCESS: ReadonlySet<number> = new Set([0, 75]);

/** One instance of the template: `Type=oneshot`, `RemainAfterExit=yes`, `KillMode=control-group`. */
export class HookUnit {
  state: HookUnitState = INACTIVE;
  readonly #options: HookUnitOptions;
  readonly #changed: (state: HookUnitState) => void;
  readonly #mark = randomUUID();
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  #timedOut = false;

  constructor(options: HookUnitOptions, changed: (state: HookUnitState) => void) {
    this.#options = options;
    this.#changed = changed;
  }

  start(): void {
    const { dir, command, timeoutMs } = this.#options;
    const [program = '', ...args] = command;
    const status = join(dir, `status-${this.#mark}`);
    const env = { PATH: `${notifyFolder(dir)}:${process.env['PATH'] ?? ''}`, NOTIFY_SOCKET: status };
    this.#timedOut = false;
    this.#set({ ...INACTIVE, active: 'activating', sub: 'start' });
    const child = spawn(program, args, {
      env: { ...env, HOLDPOINT_SIM_UNIT: this.#mark },
      ...{ cwd: '/', detached: true, stdio: 'ignore' },
    });
    this.#child = child;
    const timer = setTimeout(() => {
      this.#timedOut = true;
      void this.kill();
    }, timeoutMs ?? 86_400_000);
    this.#ended = new Promise((resolve) => {
      const over = (code: number | null, signal: NodeJS.Signals | null): void => {
        clearTimeout(timer);
        this.#child = null;
        const text = /^STATUS=(.*)$/m.exec(readCapped(status, 65_536) ?? '')?.[1] ?? '';
        rmSync(status, { force: true });
        this.#over(code, signal, text);
        resolve();
      };
      child.on('exit', over);
      child.on('error', () => over(203, null));
    });
  }

  /** Ends its processes; it is then as if it had never been started. */
  async stop(): Promise<void> {
    if (this.state.active === 'activating' || this.state.active === 'active') {
      this.#set({ ...this.state, active: 'deactivating', sub: 'stop-sigterm' });
    }
    await this.kill();
    if (this.state.active !== 'failed') this.#set(INACTIVE);
  }

  /** Kills its processes and waits for them to be gone. */
  async kill(): Promise<void> {
    const pid = this.#child?.pid;
    if (pid !== undefined) await killTree({ pid, mark: `HOLDPOINT_SIM_UNIT=${this.#mark}`, started: startedAt(pid) });
    await this.#ended;
  }

  #over(code: number | null, signal: NodeJS.Signals | null, text: string): void {
    const how = signal === null ? { code: 1, status: code ?? 0 } : { code: 2, status: constants.signals[signal] };
    const good = signal === null && SUCCESS.has(code ?? -1);
    const stopping = this.state.active === 'deactivating';
    const result = this.#timedOut ? 'timeout' : good || stopping ? 'success' : signal === null ? 'exit-code' : 'signal';
    const state = { ...how, result, text };
    if (stopping) this.state = { ...this.state, ...state };
    else if (result === 'success') this.#set({ ...state, active: 'active', sub: 'exited' });
    else this.#set({ ...state, active: 'failed', sub: 'failed' });
  }

  #set(state: HookUnitState): void {
    this.state = state;
    this.#changed(state);
  }
}

/** A folder with a `systemd-notify` that writes to a file: Node cannot listen on the kind of socket that it uses. */
function notifyFolder(dir: string): string {
  const folder = join(dir, 'bin');
  const program = join(folder, 'systemd-notify');
  mkdirSync(folder, { recursive: true });
  writeFileSync(program, '#!/bin/sh\nprintf "%s\\n" "$@" >> "$NOTIFY_SOCKET"\n');
  chmodSync(program, 0o755);
  return folder;
}
