import { expect, test } from 'vitest';
import { HeldOpen } from '../../src/manager/held-open.ts';

const [NOW, DAY] = [1_700_000_000_000, 86_400_000];

test('a slot is held open since it was said, until it is said that it is not', () => {
  const open = new HeldOpen();
  expect(open.since('g', NOW)).toBeNull();
  open.note(new Map([['g', NOW]]));
  expect(open.since('g', NOW + 5)).toBe(NOW);
  open.note(new Map([['g', null]]));
  expect(open.since('g', NOW + 5)).toBeNull();
});

test('a clock that goes back begins the time anew, once', () => {
  const open = new HeldOpen();
  open.note(new Map([['g', NOW]]));
  expect(open.since('g', NOW - DAY)).toBe(NOW - DAY);
  expect(open.since('g', NOW - DAY + 1_000)).toBe(NOW - DAY);
});
