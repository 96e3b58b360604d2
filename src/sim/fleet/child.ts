import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program that is to run beside us. */
export interface ChildOptions {
  /** What it is called in errors. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Called with each line of its standard error. */
  readonly onLine?: (line: string) => void;
}

const KEPT_LINES = 3;
const STOP_MS = 15_000;

/** A program that runs beside us, from now on. */
export class Child {
  readonly #name: string;
  readonly #process: ChildProcess;
  /** Settled when the program has ended, with what there is to say about that. */
  readonly #ended: Promise<Error>;
  #last: readonly string[] = [];
  #isRunning = true;

  constructor({ name, command: [program, ...args], onLine }: ChildOptions) {
    this.#name = name;
    // In a process group of its own, Ctrl-C in a terminal is left to us: what others depend on must end after them.
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
      env: { ...process.env, JOURNAL_STREAM: '', NOTIFY_SOCKET: '' },
    });
    this.#process = child;
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#last = [...this.#last, line].slice(-KEPT_LINES);
      onLine?.(line);
    });
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(this.#over(error.message, error)));
      child.once('close', (code, signal) => resolve(this.#over(signal ?? `exit status ${code ?? 'unknown'}`)));
    });
  }

  /** Resolves when it has ended, whether it was told to or not. `cause` is set when it could not be started. */
  get ended(): Promise<Error> {
    return this.#ended;
  }

  /**
   * Resolves with what says that it is ready. When it ends before that, or nobody wants it any more, it is stopped, and
   * this rejects.
   */
  async ready<Sign>(sign: Promise<Sign>, signal: AbortSignal): Promise<Sign> {
    let abort: () => void = () => undefined;
    const aborted = new Promise<never>((_, reject) => (abort = () => reject(new Error('interrupted'))));
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    try {
      return await Promise.race([sign, aborted, this.#ended.then((error) => Promise.reject(error))]);
    } catch (error) {
      await this.stop();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Tells it to stop, and kills it if it does not. Resolves when it is gone. */
  async stop(): Promise<void> {
    if (!this.#isRunning) return;
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  #over(how: string, cause?: Error): Error {
    this.#isRunning = false;
    const said = this.#last.length === 0 ? '' : `: ${this.#last.join(' / ')}`;
    return new Error(`${this.#name} ended (${how})${said}`, { cause });
  }
}
