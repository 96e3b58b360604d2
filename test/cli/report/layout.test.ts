import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wrapped } from '../../../src/cli/report/layout.ts';
import { Screen } from '../../../src/cli/report/screen.ts';

const words = fc.array(
  fc.string({ minLength: 1, maxLength: 60, unit: 'binary' }).map((word) => word.replaceAll(' ', '_')),
  {
    minLength: 1,
  },
);

describe('wrapped text', () => {
  test('has no line that is too long, and loses nothing', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 2, max: 50 }), (list, width) => {
        const lines = wrapped(list.join(' '), width);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
        expect(lines.join('').replaceAll(' ', '')).toBe(list.join(''));
      }),
    );
  });

  test('breaks a word only where no line has room for it', () => {
    expect(wrapped('a bcdef ghi', 5)).toEqual(['a', 'bcdef', 'ghi']);
    expect(wrapped('a bcdefgh ij', 5)).toEqual(['a', 'bcdef', 'gh ij']);
    expect(wrapped('', 5)).toEqual(['']);
  });

  test('breaks no character in two', () => {
    expect(wrapped('ab\u{1f512}cd', 3)).toEqual(['ab', '\u{1f512}c', 'd']);
  });
});

describe('a screen', () => {
  test('has no line that the terminal would break', () => {
    let out = '';
    const io = { stdout: (text: string) => void (out += text), rows: () => 4, columns: () => 10 };
    new Screen(io, true).draw(['waiting for it', 'short', '\u001b[1ma title\u001b[0m', 'not shown']);
    const lines = out
      .split('\r\n')
      .slice(0, -1)
      .map((line) => line.slice(0, -'\u001b[K'.length));
    expect([lines[0]?.endsWith('waiting'), lines.slice(1)]).toEqual([true, ['for it', 'short']]);
  });
});
