import fc from 'fast-check';
import { expect, test } from 'vitest';
import { labelled, type Look } from '../../../src/cli/report/layout.ts';

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
