import { describe, expect, test } from 'vitest';
import { parseReadersMoment, parseTime } from '../../src/cli/readers-moment.ts';

const MINUTE = 60_000;
const NOW = Date.parse('2026-07-23T22:30:00Z');
/** Berlin: two hours ahead in summer, one in winter. */
const SUMMER_ENDS = Date.parse('2026-10-25T01:00:00Z');
const SUMMER_BEGINS = Date.parse('2026-03-29T01:00:00Z');
const berlin = (wall: number): number => (wall >= SUMMER_BEGINS && wall < SUMMER_ENDS ? 120 * MINUTE : 60 * MINUTE);

test.each([
  ['2h', NOW + 120 * MINUTE],
  ['1d30m', NOW + 1_470 * MINUTE],
  ['2026-07-24T02:30', Date.parse('2026-07-24T00:30:00Z')],
  ['2026-07-24T02:30Z', Date.parse('2026-07-24T02:30:00Z')],
  ['tomorrow', null],
])('%s on the command line is %s', (written, expected) => {
  expect(parseTime(written, NOW, berlin)).toBe(expected);
});

describe('a moment is read', () => {
  test.each([
    ['2026-07-24T02:30', '2026-07-24T00:30:00Z'],
    ['2026-12-24 13:00', '2026-12-24T12:00:00Z'],
    ['2026-07-24', '2026-07-23T22:00:00Z'],
    ['2026-07-24T02:30Z', '2026-07-24T02:30:00Z'],
    ['2026-07-24T02:30-05:00', '2026-07-24T07:30:00Z'],
    // Shown twice: the first.
    ['2026-10-25T02:30', '2026-10-25T00:30:00Z'],
    // Left out: as long after the gap as before.
    ['2026-03-29T02:30', '2026-03-29T01:30:00Z'],
  ])('%s as %s', (written, moment) => {
    const found = parseReadersMoment(written, berlin);
    expect(found === null ? null : new Date(found).toISOString().replace('.000', '')).toBe(moment);
  });

  test.each(['', 'soon', '2026-02-30', '2h', '1969-12-31T00:00'])('but not "%s"', (written) => {
    expect(parseReadersMoment(written, berlin)).toBeNull();
  });
});
