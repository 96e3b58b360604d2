import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestContext } from 'vitest';
import { program } from './simulated.ts';

/** Whether there can be a terminal. */
export const HAS_TMUX = spawnSync('tmux', ['-V']).status === 0;

/** Where a session is recorded; undefined: nowhere. */
const RECORD = process.env['HOLDPOINT_RECORD'];

/** A terminal of its own with a shell, at which somebody types `holdpoint …`. It ends with its test. */
export class Terminal {
  readonly #socket: string;
  readonly #signal: AbortSignal;
  readonly #shell: string;
  readonly #clean: (screen: string) => string;
  #seen = '';

  /** `clean`: makes a recorded screen the same wherever it was recorded. */
  constructor(
    busAddress: string,
    { onTestFailed, onTestFinished, signal }: Pick<TestContext, 'onTestFailed' | 'onTestFinished' | 'signal'>,
    clean: (screen: string) => string,
  ) {
    const folder = mkdtempSync(join(tmpdir(), 'hp-tmux-'));
    this.#socket = join(folder, 'tmux');
    this.#signal = signal;
    this.#clean = clean;
    const words = program().map((word) => `'${word}'`);
    writeFileSync(join(folder, 'holdpoint'), `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`);
    chmodSync(join(folder, 'holdpoint'), 0o755);
    // A shell that is root's would have a prompt of its own.
    writeFileSync(join(folder, 'rc'), `PS1='$ '\nPATH="${folder}:$PATH"\n`);
    const { PATH = '', HOME = '/' } = process.env;
    const env = { PATH, HOME, LANG: 'C.UTF-8', TZ: 'UTC', DBUS_SYSTEM_BUS_ADDRESS: busAddress };
    this.#shell = `ENV='${join(folder, 'rc')}' exec sh`;
    if (RECORD !== undefined) rmSync(RECORD, { force: true });
    onTestFinished(() => {
      spawnSync('tmux', ['-S', this.#socket, 'kill-server']);
      rmSync(folder, { recursive: true, force: true });
    });
    onTestFailed(() => void process.stderr.write(`${this.#seen}\n`));
    const size = ['-x', '90', '-y', '40'];
    execFileSync('tmux', ['-S', this.#socket, '-f', '/dev/null', 'new-session', '-d', ...size, this.#shell], { env });
  }

  /** One more shell to the right, of so many columns, as soon as it is ready. */
  async split(columns: number): Promise<void> {
    this.#tmux('split-window', '-h', '-l', String(columns), this.#shell);
    await this.#until(/^\$$/, 1);
  }

  /** Resolves when the shell is ready: before, what is typed would be shown twice. */
  async ready(): Promise<this> {
    await this.#until(/^\$$/, 0);
    return this;
  }

  /** Types a line into a part of the terminal; parts count from 0. */
  type(text: string, pane = 0): void {
    this.#tmux('send-keys', '-t', `:.${pane}`, '-l', text);
    this.key('Enter', pane);
  }

  /** Presses a key, as tmux calls it. */
  key(name: string, pane = 0): void {
    this.#tmux('send-keys', '-t', `:.${pane}`, name);
  }

  /** What is there to be seen, without empty lines at the end; what did not fit a line is one that is too long. */
  screen(pane = 0): string {
    return this.#tmux('capture-pane', '-p', '-J', '-t', `:.${pane}`)
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n')
      .trimEnd();
  }

  /** Whether anything on it is in a colour, or bold. */
  hasColours(pane = 0): boolean {
    return this.#tmux('capture-pane', '-p', '-e', '-t', `:.${pane}`).includes('\u001b[');
  }

  /** Waits until it shows something, and gives it; recorded under a heading. */
  async shows(pattern: RegExp, heading: string, pane = 0): Promise<string> {
    const screen = await this.#until(pattern, pane);
    if (RECORD !== undefined) appendFileSync(RECORD, `--- ${heading}\n\n${this.#clean(screen)}\n\n`);
    return screen;
  }

  async #until(pattern: RegExp, pane: number): Promise<string> {
    for (;;) {
      this.#seen = this.screen(pane);
      if (pattern.test(this.#seen)) return this.#seen;
      await delay(100, undefined, { signal: this.#signal });
    }
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-S', this.#socket, ...args], { encoding: 'utf8' });
  }
}
