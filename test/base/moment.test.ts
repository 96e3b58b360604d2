import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDuration, parseMoment, utcMs } from '../../src/base/moment.ts';

const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

describe('a moment', () => {
  test.each([
    ['2026-07-23T14:00:00Z', '2026-07-23T14:00:00.000Z'],
    ['2026-07-23T14:00:00.5Z', '2026-07-23T14:00:00.500Z'],
    ['2026-07-23T14:00', '2026-07-23T14:00:00.000Z'],
    ['2026-07-23 14:00', '2026-07-23T14:00:00.000Z'],
    ['2026-07-23t14:00z', '2026-07-23T14:00:00.000Z'],
    ['2026-07-23T14:00+02:00', '2026-07-23T12:00:00.000Z'],
    ['2026-07-23T00:30-01:30', '2026-07-23T02:00:00.000Z'],
    ['2026-07-23', '2026-07-23T00:00:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
  ])('%s', (written, expected) => {
    expect(utcMs(parseMoment(written) ?? -1)).toBe(expected);
  });

  test.each([
    '',
    'now',
    'tomorrow',
    '14:00',
    '2026',
    '2026-07',
    '2026-7-23',
    '2026-02-30',
    '2026-02-30T10:00Z',
    '2027-02-29',
    '2026-13-01',
    '2026-07-23T25:00',
    '2026-07-23T24:00',
    '2026-07-23T14:60',
    '2026-07-23T14',
    '2026-07-23T14:00+2',
    '2026-07-23T14:00+99:00',
    '2026-07-23T14:00 CET',
    '1784815200',
    '1969-12-31',
    '10000-01-01',
    '1970-01-01T00:00+01:00',
  ])('%j is none', (written) => {
    expect(parseMoment(written)).toBe(null);
  });

  test('is read as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LAST }), (ms) => {
        expect(parseMoment(utcMs(ms))).toBe(ms);
      }),
    );
  });

  test.each([
    [-1, 0],
    [-1e300, 0],
    [1e300, LAST],
    [LAST + 1, LAST],
  ])('%d is written as the nearest', (ms, nearest) => {
    expect(utcMs(ms)).toBe(utcMs(nearest));
  });
});

describe('a duration', () => {
  test.each([
    ['30m', 1_800_000],
    ['90s', 90_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['2w', 1_209_600_000],
    ['1h30m', 5_400_000],
    ['3650d', 315_360_000_000],
    [' 5m ', 300_000],
  ])('%s', (written, ms) => {
    expect(parseDuration(written)).toBe(ms);
  });

  test.each(['', '0', '5', '0m', '-5m', '1.5h', '5 m', '5M', 'm', '1h30', '9999999999s', '3650d1s', 'forever'])(
    '%j is none',
    (written) => {
      expect(parseDuration(written)).toBe(null);
    },
  );
});
