import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { program } from '../support/simulated.ts';

interface DemoEvent {
  readonly event: string;
  readonly [key: string]: unknown;
}

/** Starts the demo in a process group and temporary folder of its own. */
function startDemo(...args: string[]): {
  readonly folder: string;
  readonly pid: number;
  readonly ended: Promise<number | null>;
  readonly lines: readonly string[];
  readonly boots: (count: number) => Promise<void>;
} {
  const folder = mkdtempSync(join(tmpdir(), 'hp-demo-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [command, ...rest] = program('demo', ...args);
  const child = spawn(command, rest, {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: folder },
  });
  const lines: string[] = [];
  let seen: (() => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const waiter of seen) waiter();
  });
  return {
    folder,
    pid: child.pid ?? 0,
    lines,
    ended: new Promise((resolve) => child.once('close', resolve)),
    boots: (count) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (lines.filter((line) => line.includes('"event":"boot"')).length >= count) resolve();
        };
        seen = [...seen, check];
        check();
      }),
  };
}

/** Processes whose command line names the folder. */
function processesIn(folder: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(folder) ? [command] : [];
      } catch {
        return [];
      }
    });
}

describe('the demo', () => {
  test('prints one JSON object for each event, and ends well', { timeout: 60_000 }, async () => {
    const demo = startDemo('--json', '--from', '43.20260217.3.1');
    expect(await demo.ended).toBe(0);
    const events = demo.lines.map((line) => JSON.parse(line) as DemoEvent);
    expect(events[0]).toMatchObject({ event: 'start', from: '43.20260217.3.1' });
    expect(events.at(-1)).toMatchObject({ event: 'end', ok: true, to: '44.20260707.3.1', reboots: 2 });
    expect(readdirSync(demo.folder)).toEqual([]);
    expect(processesIn(demo.folder)).toEqual([]);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('leaves nothing behind after %s', { timeout: 60_000 }, async (signal) => {
    const demo = startDemo('--json');
    await demo.boots(2);
    // As a terminal does it: the whole group gets the signal.
    process.kill(-demo.pid, signal);
    expect(await demo.ended).toBe(1);
    expect(JSON.parse(demo.lines.at(-1) ?? '')).toMatchObject({ event: 'end', ok: false, error: 'interrupted' });
    expect(readdirSync(demo.folder)).toEqual([]);
    expect(processesIn(demo.folder)).toEqual([]);
  });

  test('says what is wrong with a graph that is none', { timeout: 60_000 }, async () => {
    const demo = startDemo('--graph', '/nowhere.json');
    expect(await demo.ended).toBe(1);
  });
});
