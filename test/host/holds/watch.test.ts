import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchHolds } from '../../../src/host/holds/watch.ts';

let parent: string;
let dir: string;
let count: number;
let waiting: (() => void)[];
let stop: (() => void) | null;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  parent = mkdtempSync(join(tmpdir(), 'hp-holds-'));
  dir = join(parent, 'holds.d');
  [count, waiting, stop] = [0, [], null];
});
afterEach(() => {
  stop?.();
  vi.useRealTimers();
  rmSync(parent, { recursive: true, force: true });
});

function start(): void {
  stop = watchHolds(dir, () => {
    count += 1;
    for (const resolve of waiting.splice(0)) resolve();
  });
}

/** Resolves when `changed` is called next. */
const next = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));

/** Lets everything arrive that has happened so far: the kernel delivers in order. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function passes(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms);
  await settled();
}

async function seen(act: () => void): Promise<void> {
  const told = next();
  act();
  await told;
  await settled();
}

test('tells of a new hold, of one that is rewritten, renamed or removed', async () => {
  mkdirSync(dir);
  start();
  await seen(() => writeFileSync(join(dir, '.a'), 'x'));
  await seen(() => renameSync(join(dir, '.a'), join(dir, 'a')));
  await seen(() => writeFileSync(join(dir, 'a'), 'y'));
  await seen(() => rmSync(join(dir, 'a')));
});

test('tells of nothing while nothing happens, and of nothing after the end', async () => {
  mkdirSync(dir);
  start();
  await passes(300_000);
  expect(count).toBe(0);
  writeFileSync(join(dir, 'a'), 'x');
  stop?.();
  await passes(300_000);
  expect(count).toBe(0);
});

test('finds a folder that was missing within 30 s, and tells once', async () => {
  start();
  await passes(60_000);
  expect(count).toBe(0);
  mkdirSync(dir);
  writeFileSync(join(dir, 'a'), 'x');
  await passes(30_000);
  expect(count).toBe(1);
  await passes(60_000);
  expect(count).toBe(1);
  await seen(() => writeFileSync(join(dir, 'b'), 'x'));
});

test('tells that the folder is gone, and finds the next one', async () => {
  mkdirSync(dir);
  start();
  await seen(() => rmSync(dir, { recursive: true }));
  const before = count;
  mkdirSync(dir);
  await passes(30_000);
  expect(count).toBe(before + 1);
  await seen(() => writeFileSync(join(dir, 'a'), 'x'));
});

test('follows to the folder that has taken the place of another', async () => {
  mkdirSync(dir);
  mkdirSync(join(parent, 'other'));
  start();
  renameSync(dir, join(parent, 'before'));
  renameSync(join(parent, 'other'), dir);
  await passes(30_000);
  expect(count).toBeGreaterThan(0);
  count = 0;
  writeFileSync(join(parent, 'before/a'), 'x');
  await settled();
  expect(count).toBe(0);
  await seen(() => writeFileSync(join(dir, 'a'), 'x'));
});

test('a file that is called like the folder is a hold like any other', async () => {
  mkdirSync(dir);
  start();
  await seen(() => writeFileSync(join(dir, 'holds.d'), 'x'));
  await seen(() => writeFileSync(join(dir, 'a'), 'x'));
  await seen(() => rmSync(join(dir, 'holds.d')));
  await seen(() => rmSync(join(dir, 'a')));
});
