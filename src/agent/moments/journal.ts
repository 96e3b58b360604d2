import { type ChildProcess, spawn } from 'node:child_process';
import { oneLine } from '../../base/text.ts';

/** How entries get into the journal. */
export interface JournalOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called once, with what went wrong, until it works again. */
  readonly onError: (text: string) => void;
}

/** Milliseconds that `logger` may take for an entry. */
const ENTRY_MS = 5_000;
const MOST_WAITING = 100;
const MOST_SAID = 4_096;

/**
 * Writes entries with fields, by way of `logger --journald` (util-linux), since Node cannot write to datagram sockets: one
 * after the other, so that their order stays. What cannot be written is lost: the log tells the same.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #queue: string[] = [];
  #writing: Promise<void> | null = null;
  #child: ChildProcess | null = null;
  #failing = false;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** `entry`: lines `NAME=value`. */
  write(entry: string): void {
    if (this.#queue.length >= MOST_WAITING) this.#queue.shift();
    this.#queue.push(entry);
    this.#writing ??= this.#writeAll();
  }

  /** Writes what is left, until the signal is aborted. */
  async close(signal: AbortSignal): Promise<void> {
    const end = (): void => {
      this.#queue.length = 0;
      this.#child?.kill('SIGKILL');
    };
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    await this.#writing;
    signal.removeEventListener('abort', end);
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const problem = await this.#log(next);
      if (problem !== null && !this.#failing) {
        this.#options.onError(
          `moments are not in the journal with their ids, but in the log alone: logger: ${problem}`,
        );
      }
      this.#failing = problem !== null;
    }
    this.#writing = null;
  }

  /** Null when `logger` took it. */
  #log(entry: string): Promise<string | null> {
    return new Promise((resolve) => {
      const child = spawn('logger', ['--journald'], { env: this.#options.env, stdio: ['pipe', 'ignore', 'pipe'] });
      this.#child = child;
      let said = '';
      const timer = setTimeout(() => child.kill('SIGKILL'), ENTRY_MS);
      child.stderr.on('data', (chunk: Buffer) => {
        if (said.length < MOST_SAID) said += chunk.toString();
      });
      // It may end without reading: its status tells.
      child.stdin.on('error', () => undefined);
      child.stdin.end(entry);
      const done = (problem: string | null): void => {
        clearTimeout(timer);
        this.#child = null;
        resolve(problem);
      };
      child.on('error', (error) => done(oneLine(error.message)));
      child.on('close', (code, signal) => {
        if (code === 0) done(null);
        else done(oneLine(said.trim().split('\n').at(-1) ?? '') || `ended with ${signal ?? `status ${String(code)}`}`);
      });
    });
  }
}
