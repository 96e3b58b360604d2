import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureFolder, isNotFound, readCapped, writeAtomic } from '../../src/base/files.ts';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'hp-files-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (name: string): string => join(folder, name);

describe('readCapped', () => {
  it('reads up to the limit and not a byte more', () => {
    writeFileSync(path('a'), 'ü'.repeat(5));
    expect(readCapped(path('a'), 10)).toBe('üüüüü');
    expect(() => readCapped(path('a'), 9)).toThrow(`${path('a')}: larger than 9 bytes`);
  });

  it('keeps characters whole that lie across two reads', () => {
    const text = `x${'東'.repeat(50_000)}`;
    writeFileSync(path('a'), text);
    expect(readCapped(path('a'), 1_000_000)).toBe(text);
  });

  it('reads an empty file, and files that state no size', () => {
    writeFileSync(path('a'), '');
    expect(readCapped(path('a'), 10)).toBe('');
    expect(readCapped('/proc/sys/kernel/random/boot_id', 100)).toMatch(/^[0-9a-f-]{36}\n$/);
  });

  it('reads no more than the limit of a file that states no size', () => {
    expect(() => readCapped('/proc/self/smaps', 100)).toThrow('/proc/self/smaps: larger than 100 bytes');
  });

  it('throws for a device, and for a pipe without waiting for whoever writes to it', () => {
    expect(() => readCapped('/dev/zero', 1_000_000)).toThrow('/dev/zero: not a regular file');
    execFileSync('mkfifo', [path('pipe')]);
    expect(() => readCapped(path('pipe'), 10)).toThrow(`${path('pipe')}: not a regular file`);
  });

  it('gives null for what is not there', () => {
    writeFileSync(path('a'), '');
    symlinkSync(path('nowhere'), path('dangling'));
    for (const name of ['b', 'b/c', 'a/b', 'dangling']) expect(readCapped(path(name), 10)).toBeNull();
  });

  it('throws for a folder', () => {
    expect(() => readCapped(folder, 10)).toThrow(`${folder}: not a regular file`);
  });

  it('leaves no file open', () => {
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    for (let time = 0; time < 20; time += 1) {
      expect(() => readCapped(folder, 10)).toThrow();
      expect(() => readCapped('/dev/zero', 10)).toThrow();
    }
    expect(open()).toBe(before);
  });
});

describe('writeAtomic', () => {
  it('makes a file that its owner alone can read', () => {
    writeAtomic(path('state.json'), 'one');
    expect(readFileSync(path('state.json'), 'utf8')).toBe('one');
    expect(statSync(path('state.json')).mode & 0o777).toBe(0o600);
    writeAtomic(path('public'), 'one', 0o644);
    expect(statSync(path('public')).mode & 0o777).toBe(0o644);
  });

  it('replaces the file and leaves nothing beside it', () => {
    writeAtomic(path('state.json'), 'a longer text');
    const { ino } = statSync(path('state.json'));
    writeAtomic(path('state.json'), 'two');
    expect(readFileSync(path('state.json'), 'utf8')).toBe('two');
    expect(statSync(path('state.json')).ino).not.toBe(ino);
    expect(readdirSync(folder)).toEqual(['state.json']);
  });

  it('gets over what an interrupted write left', () => {
    writeFileSync(path('state.json.new'), 'half of a mu');
    writeAtomic(path('state.json'), 'one');
    expect(readFileSync(path('state.json'), 'utf8')).toBe('one');
    expect(readdirSync(folder)).toEqual(['state.json']);
  });

  it('keeps the old content when it fails, and leaves nothing beside it', () => {
    mkdirSync(path('state.json'));
    writeFileSync(path('state.json/old'), 'old');
    expect(() => writeAtomic(path('state.json'), 'new')).toThrow();
    expect(readFileSync(path('state.json/old'), 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['state.json']);
  });

  it('keeps the old content when there is no room', () => {
    writeAtomic(path('state.json'), 'old');
    symlinkSync('/dev/full', path('state.json.new'));
    expect(() => writeAtomic(path('state.json'), 'new')).toThrow('ENOSPC');
    expect(readFileSync(path('state.json'), 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['state.json']);
  });

  it('throws where the folder is missing or closed', () => {
    expect(() => writeAtomic(path('no/state.json'), 'x')).toThrow('ENOENT');
    if (process.getuid?.() === 0) return;
    chmodSync(folder, 0o500);
    expect(() => writeAtomic(path('state.json'), 'x')).toThrow('EACCES');
    chmodSync(folder, 0o700);
  });
});

describe('isNotFound', () => {
  it.each([
    ['ENOENT', true],
    ['ENOTDIR', true],
    ['EACCES', false],
  ])('%s: %s', (code, found) => {
    expect(isNotFound(Object.assign(new Error('x'), { code }))).toBe(found);
  });

  it('is false for anything but an error', () => {
    for (const value of [null, undefined, 'ENOENT', { code: 'ENOENT' }, new Error('ENOENT')]) {
      expect(isNotFound(value)).toBe(false);
    }
  });
});

describe('ensureFolder', () => {
  it('makes a folder and those above it, and leaves one that is there', () => {
    ensureFolder(path('a/b/c'), 0o700);
    ensureFolder(path('a/b/c'));
    expect(statSync(path('a/b/c')).mode & 0o777).toBe(0o700);
  });

  it('says so where none can be made', () => {
    expect(() => ensureFolder('/proc/no-such-folder')).toThrow('ENOENT');
    writeFileSync(path('file'), '');
    expect(() => ensureFolder(path('file'))).toThrow('EEXIST');
    expect(() => ensureFolder(path('file/below'))).toThrow();
  });
});
