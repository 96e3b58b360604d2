import type * as Fs from 'node:fs';
import { mkdtempSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { writeAtomic } from '../../src/base/files.ts';

/** What reached the disk in which order cannot be seen from outside without a power cut: the calls have to do. */
const disk = vi.hoisted(() => ({ log: [] as string[], fail: '' }));

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof Fs>();
  const note = (what: string, path: string): void => {
    const entry = `${what} ${path}`;
    disk.log.push(entry);
    if (disk.fail !== '' && entry.startsWith(disk.fail)) throw new Error('EIO: i/o error');
  };
  const opened = (file: number): string => fs.readlinkSync(`/proc/self/fd/${file}`);
  return {
    ...fs,
    writeFileSync: (file: number, content: string) => {
      note('write', opened(file));
      fs.writeFileSync(file, content);
    },
    fsyncSync: (file: number) => {
      note('fsync', opened(file));
      fs.fsyncSync(file);
    },
    renameSync: (from: string, to: string) => {
      note('rename', `${from} ${to}`);
      fs.renameSync(from, to);
    },
  };
});

const made = { folder: '' };
const path = (): string => join(made.folder, 'state.json');
beforeEach(() => {
  made.folder = realpathSync(mkdtempSync(join(tmpdir(), 'hp-order-')));
  disk.log.length = 0;
  disk.fail = '';
  onTestFinished(() => rmSync(made.folder, { recursive: true }));
});

test('a file is on disk before it takes the place of the old one, and its name when the call returns', () => {
  writeAtomic(path(), 'one');
  expect(disk.log).toEqual([
    `write ${path()}.new`,
    `fsync ${path()}.new`,
    `rename ${path()}.new ${path()}`,
    `fsync ${made.folder}`,
  ]);
});

test.each(['write', 'fsync', 'rename'])('a %s that fails leaves the old content, and is passed on', (what) => {
  writeAtomic(path(), 'old');
  disk.fail = what;
  expect(() => writeAtomic(path(), 'new')).toThrow('EIO');
  expect(readFileSync(path(), 'utf8')).toBe('old');
  expect(() => readlinkSync(`${path()}.new`)).toThrow('ENOENT');
});
