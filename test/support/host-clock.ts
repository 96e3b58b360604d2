import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, uptime } from 'node:os';
import { join } from 'node:path';
import { program } from './simulated.ts';

/** The clocks of a simulated host, which its agent reads in place of the real ones. */
export class HostClock {
  readonly #folder = mkdtempSync(join(tmpdir(), 'hp-clock-'));
  #bootedAt = uptime();
  #aheadMs = 0;

  constructor() {
    this.#write();
  }

  /** The command of an agent with these clocks, and what must be in its environment. */
  agent(): { readonly command: [string, ...string[]]; readonly env: Readonly<Record<string, string>> } {
    const [node, ...args] = program('agent');
    const preload = join(import.meta.dirname, 'clock-preload.mjs');
    return { command: [node, '--import', preload, ...args], env: { HOLDPOINT_TEST_CLOCK: this.#file } };
  }

  /** Milliseconds since 1970 on the host. */
  now(): number {
    return Date.now() + this.#aheadMs;
  }

  /** Sets the wall clock; it goes on from there. */
  set(wall: number): void {
    this.#aheadMs = wall - Date.now();
    this.#write();
  }

  /** Seconds since the host has booted. */
  uptime(): number {
    return uptime() - this.#bootedAt;
  }

  /** The host boots now. */
  boot(): void {
    this.#bootedAt = uptime();
    this.#write();
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#folder, 'clock.json');
  }

  #write(): void {
    writeFileSync(`${this.#file}.new`, JSON.stringify({ aheadMs: this.#aheadMs, bootedAt: this.#bootedAt }));
    renameSync(`${this.#file}.new`, this.#file);
  }
}
