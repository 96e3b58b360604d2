import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstShift, offsetsOf } from '../../src/strategy/zone.ts';
import { DAY } from './oracle.ts';

const HOUR = 3_600_000;

test('an offset is ahead of UTC, or behind it', () => {
  const wall = Date.UTC(2024, 0, 9, 12, 34, 56, 789);
  expect(offsetsOf('UTC')(wall)).toBe(0);
  expect(offsetsOf('Asia/Kathmandu')(wall)).toBe(5.75 * HOUR);
  expect(offsetsOf('America/New_York')(wall)).toBe(-5 * HOUR);
  expect(offsetsOf('Africa/Monrovia')(-1)).toBe(-2_670_000);
});

describe('firstShift', () => {
  test('finds the first of two, even when the second undoes it a day later', () => {
    const stay = fc.integer({ min: DAY, max: 9 * DAY });
    const span = fc.integer({ min: 1, max: 8 * DAY });
    fc.assert(
      fc.property(fc.integer({ min: -9 * DAY, max: 9 * DAY }), stay, span, (shift, stays, length) => {
        const offsetAt = (wall: number): number => (wall >= shift && wall < shift + stays ? HOUR : 0);
        const ends = [shift, shift + stays].filter((at) => at > 0 && at <= length);
        expect(firstShift(offsetAt, 0, length)).toBe(ends[0] ?? null);
      }),
      { numRuns: 1000 },
    );
  });

  test('looks after the first instant and at the last', () => {
    const offsetAt = (wall: number): number => (wall >= 1000 ? HOUR : 0);
    expect([
      firstShift(offsetAt, 1000, 9000),
      firstShift(offsetAt, 999, 1000),
      firstShift(offsetAt, 0, 999),
      firstShift(offsetAt, 0, 0),
    ]).toEqual([null, 1000, null, null]);
  });
});
