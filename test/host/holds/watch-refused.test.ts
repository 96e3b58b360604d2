import { EventEmitter } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchHolds } from '../../../src/host/holds/watch.ts';

/** What the system answers to the wish to watch. */
const system = vi.hoisted(() => ({ watch: (): unknown => undefined }));
vi.mock('node:fs', async (original) => ({ ...(await original<typeof fs>()), watch: () => system.watch() }));

let dir: string;
let stop = (): void => undefined;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  dir = fs.mkdtempSync(join(tmpdir(), 'hp-holds-'));
});
afterEach(() => {
  stop();
  vi.useRealTimers();
  fs.rmSync(dir, { recursive: true, force: true });
});

class Watcher extends EventEmitter {
  close(): void {
    this.emit('close');
  }
}

async function passes(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms);
  await new Promise((resolve) => setImmediate(resolve));
}

const refuse = (): never => {
  throw new Error('ENOSPC: System limit for number of file watchers reached');
};

test('a folder that cannot be watched is looked into every 30 s, until it can', async () => {
  let count = 0;
  system.watch = refuse;
  stop = watchHolds(dir, () => (count += 1));
  await passes(29_999);
  expect(count).toBe(0);
  await passes(1);
  await passes(30_000);
  expect(count).toBe(2);
  system.watch = () => new Watcher();
  await passes(30_000);
  expect(count).toBe(3);
  await passes(90_000);
  expect(count).toBe(3);
});

test('a watch that breaks is told, and taken up again', async () => {
  let count = 0;
  const watchers: Watcher[] = [];
  system.watch = () => {
    const watcher = new Watcher();
    watchers.push(watcher);
    return watcher;
  };
  stop = watchHolds(dir, () => (count += 1));
  watchers[0]?.emit('error', new Error('EIO'));
  await passes(0);
  expect(count).toBe(1);
  await passes(30_000);
  expect([count, watchers.length]).toEqual([2, 2]);
});

test('what was about to be told at the end is not told', async () => {
  let count = 0;
  const watcher = new Watcher();
  system.watch = () => watcher;
  stop = watchHolds(dir, () => (count += 1));
  watcher.emit('error', new Error('EIO'));
  stop();
  await passes(60_000);
  expect(count).toBe(0);
});
