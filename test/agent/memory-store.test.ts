import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freshMemory } from '../../src/agent/machine/memory.ts';
import { MEMORY_CAP } from '../../src/agent/memory-file.ts';
import { MemoryStore } from '../../src/agent/memory-store.ts';

const place = { folder: '' };
const file = (): string => join(place.folder, 'state', 'state.json');
const open = (): MemoryStore => new MemoryStore(join(place.folder, 'state'));

beforeEach(() => (place.folder = mkdtempSync(join(tmpdir(), 'holdpoint-memory-'))));
afterEach(() => rmSync(place.folder, { recursive: true }));

test('there is none at first; what is saved is loaded by the next process', () => {
  const store = open();
  expect(store.load()).toEqual({ memory: null, problems: [] });
  store.save(freshMemory('boot-1'));
  store.save(freshMemory('boot-2'));
  expect(open().load()).toEqual({ memory: freshMemory('boot-2'), problems: [] });
  expect(readdirSync(join(place.folder, 'state'))).toEqual(['state.json']);
});

test('only its owner can read it: it may hold passwords of lock servers', () => {
  open().save(freshMemory('boot-1'));
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(statSync(join(place.folder, 'state')).mode & 0o777).toBe(0o700);
});

test('what docs/operations.md tells to write into it by hand is taken', () => {
  const entry = { key: 'checksum:1', version: '43.1', reason: 'at fault', since: 0, until: 1 };
  open().save({ ...freshMemory('boot-1'), quarantine: [entry] });
  const guide = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
  const edits = [...guide.matchAll(/`"(quarantine|skipped|pause)": ([^`]+)`/g)];
  expect(edits.map(([, key]) => key)).toEqual(['quarantine', 'skipped', 'pause', 'pause']);
  const written = JSON.parse(readFileSync(file(), 'utf8')) as Record<string, unknown>;
  for (const [, key = '', value = ''] of edits.slice(0, 3)) written[key] = JSON.parse(value);
  writeFileSync(file(), JSON.stringify(written));
  const { memory, problems } = open().load();
  expect(problems).toEqual([]);
  const changes = {
    quarantine: [],
    skipped: ['43.20260115.3.0'],
    pause: { until: null, reason: 'migration', by: 'an administrator', since: 0 },
  };
  expect(memory).toEqual({ ...freshMemory('boot-1'), ...changes });
});

test('what cannot be believed is named with its file, the rest is kept', () => {
  open();
  writeFileSync(file(), '{"layout":1,"bootId":"boot-1","slot":7}');
  const { memory, problems } = open().load();
  expect(memory).toEqual(freshMemory('boot-1'));
  expect(problems).toEqual([`${file()}: slot: an object was expected, 7 was found; left out`]);
});

test.each([
  ['no JSON', 'layout'],
  ['of a later layout', '{"layout":2}'],
  ['too large', ' '.repeat(MEMORY_CAP + 1)],
])('a file that is %s is put aside with its content, not overwritten', (_, content) => {
  open();
  writeFileSync(file(), content);
  const store = open();
  const { memory, problems } = store.load();
  expect(memory).toBeNull();
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(`kept as ${file()}.unreadable`);
  store.save(freshMemory('boot-1'));
  expect(readFileSync(`${file()}.unreadable`, 'utf8')).toBe(content);
  expect(open().load().problems).toEqual([]);
});

test('a save that fails throws, and what was there before stays', () => {
  const store = open();
  store.save(freshMemory('boot-1'));
  mkdirSync(`${file()}.new`);
  expect(() => store.save(freshMemory('boot-2'))).toThrow('EISDIR');
  rmSync(`${file()}.new`, { recursive: true });
  expect(store.load().memory).toEqual(freshMemory('boot-1'));
  expect(existsSync(`${file()}.unreadable`)).toBe(false);
});

test('a half-written file of a crash is no hindrance', () => {
  const store = open();
  store.save(freshMemory('boot-1'));
  writeFileSync(`${file()}.new`, '{"layout":1,"boo');
  expect(open().load().memory).toEqual(freshMemory('boot-1'));
  store.save(freshMemory('boot-2'));
  expect(open().load().memory).toEqual(freshMemory('boot-2'));
});
