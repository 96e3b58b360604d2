import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commandLine, shellWord, shownId } from '../../../src/cli/manager/shell.ts';

describe('a word for the shell', () => {
  test.each([
    ['074c268827d74fb5', '074c268827d74fb5'],
    ['node.example:80/x', 'node.example:80/x'],
    ['', "''"],
    ['a b', "'a b'"],
    ["it's", "'it'\\''s'"],
    ['$(reboot)', "'$(reboot)'"],
    ['~', "'~'"],
    ['grün', "'grün'"],
    ['a\nb', "$'a\\012b'"],
    ['\u202e1', "$'\\342\\200\\2561'"],
    [' x', "$' x'"],
  ])('%j', (word, expected) => {
    expect(shellWord(word)).toBe(expected);
  });

  test('means to bash what it was, in one line', () => {
    const words = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 40 });
    const sample = fc.sample(words, 30).map((some) => some.map((word) => word.replaceAll('\0', '')));
    for (const some of sample) {
      const line = commandLine(['printf', '%s\\0'], some);
      expect(line).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      const { stdout } = spawnSync('bash', ['-c', line.replace("printf '%s\\0' --", "printf -- '%s\\0'")], {
        encoding: 'utf8',
        env: { LC_ALL: 'C.UTF-8', PATH: process.env['PATH'] },
      });
      expect(stdout.split('\0').slice(0, -1)).toEqual(some);
    }
  });
});

test('operands that look like options are guarded', () => {
  expect(commandLine(['x', '--y'], ['a'])).toBe('x --y a');
  expect(commandLine(['x', '--y'], ['-a', 'b'])).toBe('x --y -- -a b');
});

test('an id is shown as it is, or so that it can be told from others', () => {
  expect(shownId("it's 1")).toBe("it's 1");
  expect(shownId('')).toBe("''");
  expect(shownId('a\t')).toBe("$'a\\011'");
  expect(shownId('x'.repeat(100))).toHaveLength(64);
});
