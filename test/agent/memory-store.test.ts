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
