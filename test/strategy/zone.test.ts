import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstShift, firstShowing, lastShowing, offsetsOf, tabled, type OffsetAt } from '../../src/strategy/zone.ts';
import { DAY } from './oracle.ts';

const HOUR = 3_600_000;

test('an offset is ahead of UTC, or behind it', () => {
  const wall = Date.UTC(2024, 0, 9, 12, 34, 56, 789);
  expect(offsetsOf('UTC')(wall)).toBe(0);
  expect(offsetsOf('Asia/Kathmandu')(wall)).toBe(5.75 * HOUR);
  expect(offsetsOf('America/New_York')(wall)).toBe(-5 * HOUR);
  expect(offsetsOf('Africa/Monrovia')(-1)).toBe(-2_670_000);
});

/** Checks clocks that go an hour ahead and back, at least a day later, which are looked at from 0 to `length`. */
function checkShifts(check: (offsetAt: OffsetAt, shifts: readonly number[], length: number) => void): void {
  const stay = fc.integer({ min: DAY, max: 9 * DAY });
  const span = fc.integer({ min: 1, max: 8 * DAY });
  fc.assert(
    fc.property(fc.integer({ min: -9 * DAY, max: 9 * DAY }), stay, span, (shift, stays, length) => {
      const offsetAt = (wall: number): number => (wall >= shift && wall < shift + stays ? HOUR : 0);
      const shifts = [shift, shift + stays].filter((at) => at > 0 && at <= length);
      check(offsetAt, shifts, length);
    }),
    { numRuns: 1000 },
  );
}

describe('firstShift', () => {
  test('finds the first of two, even when the second undoes it a day later', () => {
    checkShifts((offsetAt, shifts, length) => expect(firstShift(offsetAt, 0, length)).toBe(shifts[0] ?? null));
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

describe('a table of offsets', () => {
  test('says what it was made of', () => {
    checkShifts((offsetAt, shifts, length) => {
      const table = tabled(offsetAt, 0, length);
      for (const at of [0, ...shifts, ...shifts.map((shift) => shift - 1), length]) {
        expect(table(at)).toBe(offsetAt(at));
      }
    });
  });
});

describe('a date and time on the clocks of a zone', () => {
  const local = (text: string): number => Date.parse(`${text}Z`);
  test.each([
    ['once', 'Europe/Berlin', '2024-06-01T12:00', '2024-06-01T10:00', '2024-06-01T10:00'],
    ['in a gap', 'Europe/Berlin', '2024-03-31T02:30', '2024-03-31T01:00', '2024-03-31T01:00'],
    ['at the end of a gap', 'Europe/Berlin', '2024-03-31T03:00', '2024-03-31T01:00', '2024-03-31T01:00'],
    ['twice', 'Europe/Berlin', '2024-10-27T02:30', '2024-10-27T00:30', '2024-10-27T01:30'],
    ['where it comes twice from', 'Europe/Berlin', '2024-10-27T02:00', '2024-10-27T00:00', '2024-10-27T00:00'],
    ['after it has come twice', 'Europe/Berlin', '2024-10-27T03:00', '2024-10-27T02:00', '2024-10-27T02:00'],
    [
      'in half an hour that is left out',
      'Australia/Lord_Howe',
      '2024-10-06T02:15',
      '2024-10-05T15:30',
      '2024-10-05T15:30',
    ],
    ['on a day that is left out', 'Pacific/Apia', '2011-12-30T12:00', '2011-12-30T10:00', '2011-12-30T10:00'],
    ['the furthest ahead', 'Pacific/Kiritimati', '2024-01-01T00:00', '2023-12-31T10:00', '2023-12-31T10:00'],
    ['the furthest behind', 'Etc/GMT+12', '2024-01-01T00:00', '2024-01-01T12:00', '2024-01-01T12:00'],
  ])('%s: first and last showing in %s', (_, zone, shown, first, last) => {
    const offsetAt = offsetsOf(zone);
    expect(new Date(firstShowing(offsetAt, local(shown))).toISOString()).toBe(`${first}:00.000Z`);
    expect(new Date(lastShowing(offsetAt, local(shown))).toISOString()).toBe(`${last}:00.000Z`);
  });
});
