import { expect, test } from 'vitest';
import { Percentages } from '../../src/manager/percentages.ts';

/** What comes of so many looks in a row. */
function looks(percentages: Percentages, count: number, slots: number, wanted: number): readonly string[] {
  return Array.from({ length: count }, () => percentages.look('g', slots, wanted));
}

test('a larger number holds at once', () => {
  expect(looks(new Percentages(), 2, 3, 4)).toEqual(['raise', 'raise']);
});

test('a smaller number holds when it was found for an hour', () => {
  const percentages = new Percentages();
  expect(new Set(looks(percentages, 59, 4, 3))).toEqual(new Set(['leave']));
  expect(looks(percentages, 2, 4, 3)).toEqual(['lower', 'leave']);
});

test.each([
  ['the same number', 4],
  ['a larger number', 5],
])('%s in between makes the hour begin again', (_, wanted) => {
  const percentages = new Percentages();
  looks(percentages, 59, 4, 3);
  percentages.look('g', 4, wanted);
  expect(new Set(looks(percentages, 59, 4, 3))).toEqual(new Set(['leave']));
});

test('groups are counted for themselves', () => {
  const percentages = new Percentages();
  looks(percentages, 59, 4, 3);
  expect(percentages.look('h', 4, 3)).toBe('leave');
  expect(percentages.look('g', 4, 3)).toBe('lower');
});
