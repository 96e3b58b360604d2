import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { readHolds } from '../../../src/host/holds/read.ts';

const NOW = Date.UTC(2026, 6, 23, 14);
const WRITTEN = NOW - 600_000;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hp-holds-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function write(name: string | Buffer, text: string | Buffer, written = WRITTEN): void {
  const path = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from(name)]);
  writeFileSync(path, text);
  utimesSync(path, written / 1_000, written / 1_000);
}

const hold = (name: string, reason: string, until: number | null = null): unknown => ({
  name,
  reason,
  since: WRITTEN,
  until,
});
const inDoubt = (name: string, why: string): string =>
  `hold "${name}": ${why}; it holds until the file is mended or removed`;

test('without the folder, or with nothing in it, there is no hold', () => {
  expect(readHolds(dir, NOW)).toEqual({ holds: [], problems: [] });
  expect(readHolds(join(dir, 'missing/too'), NOW)).toEqual({ holds: [], problems: [] });
});

test('each file is a hold, in the order of names; ended ones are left and not counted', () => {
  write('b-backup', 'nightly backup\nttl=601\n');
  write('a-ansible', 'play 12\nuntil=2026-07-23T15:00:00+00:00\n');
  write('z', 'for good');
  write('ended', 'done\nttl=600\n');
  write('Ended too', `done\nuntil=2026-07-23T14:00:00Z\n`);
  const before = readdirSync(dir);
  expect(readHolds(dir, NOW)).toEqual({
    holds: [
      hold('a-ansible', 'play 12', NOW + 3_600_000),
      hold('b-backup', 'nightly backup', NOW + 1_000),
      hold('z', 'for good'),
    ],
    problems: [],
  });
  expect(readdirSync(dir)).toEqual(before);
});

test('a later write begins the time to live anew', () => {
  write('a', 'x\nttl=60');
  expect(readHolds(dir, NOW).holds).toEqual([]);
  write('a', 'x\nttl=60', NOW - 59_000);
  expect(readHolds(dir, NOW).holds).toMatchObject([{ since: NOW - 59_000, until: NOW + 1_000 }]);
});

test('files that are being written, or are left by editors, are none', () => {
  write('.a.tmp', 'x');
  write('a~', 'x');
  write('a.swp', 'x');
  expect(readHolds(dir, NOW).holds).toEqual([hold('a.swp', 'x')]);
  renameSync(join(dir, '.a.tmp'), join(dir, 'a'));
  expect(readHolds(dir, NOW).holds).toHaveLength(2);
});

test('a malformed file holds, beside the others', () => {
  write('a', 'x\nttl=soon');
  write('b', 'y');
  const { holds, problems } = readHolds(dir, NOW);
  expect(holds).toEqual([hold('a', 'x'), hold('b', 'y')]);
  expect(problems).toEqual([
    inDoubt('a', 'line 2: expected ttl=SECONDS or until=2026-07-23T14:00:00Z, found "ttl=soon"'),
  ]);
});

test('a name that is no text holds as well', () => {
  write(Buffer.from([0x61, 0xff, 0x0a]), 'x');
  expect(readHolds(dir, NOW)).toEqual({ holds: [hold('a\ufffd', 'x')], problems: [] });
});

test('bytes that are no text hold', () => {
  write('a', Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0x80]));
  const { holds, problems } = readHolds(dir, NOW);
  expect([holds.length, holds[0]?.until, problems.length]).toEqual([1, null, 1]);
});

describe('what is no readable file holds, and is a problem', () => {
  const found = (kind: string): void => {
    const { holds, problems } = readHolds(dir, NOW);
    const why = `expected a regular file, found ${kind}`;
    expect(holds).toMatchObject([{ name: 'a', reason: `cannot be read: ${why}`, until: null }]);
    expect(holds[0]?.since).toBeLessThanOrEqual(NOW);
    expect(problems).toEqual([inDoubt('a', why)]);
  };

  it('a link, even to a good file', () => {
    write('.good', 'x\nttl=1');
    symlinkSync('.good', join(dir, 'a'));
    found('a symbolic link');
  });

  it('a link to nowhere', () => {
    symlinkSync('nowhere', join(dir, 'a'));
    found('a symbolic link');
  });

  it('a folder', () => {
    mkdirSync(join(dir, 'a'));
    found('a folder');
  });

  it('a pipe, for which nobody waits', () => {
    execFileSync('mkfifo', [join(dir, 'a')]);
    found('a named pipe');
  });

  it('a socket', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(dir, 'a'), resolve));
    found('a socket');
    await new Promise((resolve) => server.close(resolve));
  });

  it.skipIf(process.getuid?.() !== 0)('a device', () => {
    execFileSync('mknod', [join(dir, 'a'), 'c', '1', '3']);
    found('a device');
  });

  it('more than 4 KiB', () => {
    write('a', `x\nttl=1\n${'\n'.repeat(4096 - 8)}`);
    expect(readHolds(dir, NOW)).toEqual({ holds: [], problems: [] });
    appendFileSync(join(dir, 'a'), '\n');
    expect(readHolds(dir, NOW).problems).toEqual([inDoubt('a', 'larger than 4096 bytes')]);
    expect(readHolds(dir, NOW).holds).toMatchObject([{ reason: 'cannot be read: larger than 4096 bytes' }]);
  });

  it.skipIf(process.getuid?.() === 0)('one without the right to read it', () => {
    write('a', 'x\nttl=1');
    chmodSync(join(dir, 'a'), 0);
    expect(readHolds(dir, NOW)).toMatchObject({ holds: [{ name: 'a', until: null }], problems: [expect.anything()] });
  });

  it('a folder of holds that is none', () => {
    write('a', 'x');
    const { holds, problems } = readHolds(join(dir, 'a'), NOW);
    expect(holds).toMatchObject([{ since: WRITTEN, until: null }]);
    expect(problems[0]).toContain('ENOTDIR');
  });
});

describe('of more than 64 files', () => {
  const fill = (count: number): void => {
    for (let index = 0; index < count; index += 1) write(`a${String(index).padStart(2, '0')}`, 'ended\nttl=1');
  };

  it('64 are read', () => {
    fill(64);
    expect(readHolds(dir, NOW)).toEqual({ holds: [], problems: [] });
  });

  it('the rest holds in doubt, whatever is in it', () => {
    fill(65);
    const { holds, problems } = readHolds(dir, NOW);
    const why = 'has 65 files, of which 64 are read; remove those that have ended';
    expect(holds).toMatchObject([{ reason: `cannot be read: ${why}`, until: null }]);
    expect(problems).toEqual([inDoubt(dir, why)]);
  });
});
