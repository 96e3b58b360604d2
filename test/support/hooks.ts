import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import type { HookContext, HookEvent } from '../../src/hooks/event.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A temporary folder that is removed when the test is over. */
export function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hp-hooks-'));
  folders.push(folder);
  return folder;
}

/** Makes a folder that only its owner can write to. */
export function folder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o755 });
  return path;
}

/** Writes a hook (a shell script, without its first line) and returns its path. */
export function writeHook(dir: string, event: HookEvent, name: string, script: string, mode = 0o755): string {
  const path = join(folder(join(dir, event)), name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, mode);
  return path;
}

/** A context in which everything is known. */
export const CONTEXT: HookContext = {
  bootedVersion: '43.1',
  targetVersion: '43.2',
  nodeId: 'e0f3745b108f471cbd4883c6fbed8cdd',
  group: 'workers',
  reason: 'the release 43.2 is staged',
};

/** Whether a process runs (one that has ended and that nobody has waited for does not). */
export function runs(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** The process ids that a hook has written, a line each. */
export function pidsIn(path: string): number[] {
  return readFileSync(path, 'utf8').trim().split('\n').map(Number);
}

/** The folder of a path, to write beside it. */
export const beside = (path: string, name: string): string => join(dirname(path), name);
