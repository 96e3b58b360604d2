import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TokenFile } from '../../../src/manager/http/token-file.ts';
import { isAmong } from '../../../src/manager/tokens.ts';

/** A file with one token, and a clock. */
function start(): {
  file: TokenFile;
  path: string;
  failed: string[];
  read: string[];
  has: (token: string, afterMs?: number) => boolean;
} {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-tokens-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'tokens');
  writeFileSync(path, 'one\n');
  let now = 5_000;
  const [failed, read]: [string[], string[]] = [[], []];
  const file = new TokenFile(path, {
    now: () => now,
    failed: (text) => failed.push(text),
    read: (text) => read.push(text),
  });
  const has = (token: string, afterMs = 0): boolean => {
    now += afterMs;
    return isAmong(token, file.tokens);
  };
  return { file, path, failed, read, has };
}

describe('a token file', () => {
  test.each([
    ['written', (path: string) => writeFileSync(path, 'two\n')],
    [
      'replaced',
      (path: string) => {
        writeFileSync(`${path}.new`, 'two\n');
        renameSync(`${path}.new`, path);
      },
    ],
  ])('that is %s counts within a second', (_, change) => {
    const { path, has, read } = start();
    expect(has('one')).toBe(true);
    change(path);
    // It is looked at once a second, whoever asks.
    expect(has('one', 999)).toBe(true);
    expect([has('one', 1), has('two')]).toEqual([false, true]);
    expect(read).toHaveLength(1);
    expect(has('two', 5_000)).toBe(true);
    expect(read).toHaveLength(1);
  });

  test.each([
    ['gone', (path: string) => rmSync(path), /does not exist/],
    ['empty', (path: string) => writeFileSync(path, '# none\n'), /has no token in it/],
    ['too large', (path: string) => writeFileSync(path, 'x\n'.repeat(50_000)), /larger than/],
  ])('that is %s leaves the tokens from before in force, and says so once', (_, change, problem) => {
    const { path, has, failed, read } = start();
    change(path);
    for (let second = 0; second < 5; second += 1) expect(has('one', 1_000)).toBe(true);
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatch(problem);
    expect(failed[0]).toMatch(/the tokens that were in it before stay good/);
    expect(failed[0]).toContain(path);
    writeFileSync(path, 'three\n');
    expect([has('one', 1_000), has('three')]).toEqual([false, true]);
    expect(read).toHaveLength(1);
    change(path);
    expect(has('three', 1_000)).toBe(true);
    expect(failed).toHaveLength(2);
  });
});
