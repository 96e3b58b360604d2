import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { labelled, type Look, wrapped } from '../../../src/cli/report/layout.ts';

const look = (width: number): Look => ({ width, mark: (text) => text });

test('a text stands beside its label, and below itself', () => {
  expect(labelled('Open', 'enabled, health, freeze, pause', 8, look(25))).toEqual([
    'Open    enabled, health,',
    '        freeze, pause',
  ]);
  expect(labelled('Open', '', 8, look(25))).toEqual([]);
});

test('no line is longer than the terminal, whatever words there are, and no word is lost', () => {
  const word = fc.stringMatching(/^[a-z]{1,36}$/);
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 40, max: 100 }), (words, width) => {
      // The first word stands beside the label.
      const text = ['so', ...words].join(' ');
      const lines = labelled('Closed', text, 19, look(width));
      expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(width);
      expect(lines.join(' ').split(/ +/)).toEqual(['Closed', ...text.split(' ')]);
    }),
  );
});

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
