import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commandLine, shellWord, shownId } from '../../../src/cli/manager/shell.ts';

/** What means something to a shell or a terminal, and what does not. */
const nasty = fc.constantFrom(
  ...'ab0-\'"\\$`!*?~#&|;<>(){}[]=%^ \t\n\r\u0001\u001b\u007f\u0085\u2028\u202eü€🦊'.match(/./gsu)!,
);

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
    const words = ['-n', ...fc.sample(fc.string({ unit: nasty, maxLength: 6 }), 500)];
    const line = commandLine(['printf', '%s\\0'], words);
    expect(line).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
    // What stands for the end of options would be printed as well.
    const { stdout } = spawnSync('bash', ['-c', line], { encoding: 'utf8', env: { LC_ALL: 'C.UTF-8' } });
    expect(stdout.split('\0').slice(1, -1)).toEqual(words);
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
