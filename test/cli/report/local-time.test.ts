import { describe, expect, test } from 'vitest';
import { localTime } from '../../../src/cli/report/local-time.ts';
import { parseReadersMoment } from '../../../src/cli/report/readers-moment.ts';

const NOW = Date.parse('2026-07-23T22:30:00Z');
/** Berlin: two hours ahead in summer, one in winter. */
const SUMMER_ENDS = Date.parse('2026-10-25T01:00:00Z');
const SUMMER_BEGINS = Date.parse('2026-03-29T01:00:00Z');
const berlin = (wall: number): number => (wall >= SUMMER_BEGINS && wall < SUMMER_ENDS ? 120 : 60);

describe('a moment is shown', () => {
  test.each([
    ['2026-07-23T23:00:00Z', '01:00 +02:00 (in 30 min)'],
    ['2026-07-23T22:30:15Z', '00:30:15 +02:00 (in 15 s)'],
    ['2026-07-23T21:59:00Z', 'Thu 2026-07-23 23:59 +02:00 (31 min ago)'],
    ['2026-12-24T12:00:00Z', 'Thu 2026-12-24 13:00 +01:00 (in 153 d 13 h)'],
    ['2026-07-23T22:30:00.400Z', '00:30 +02:00 (now)'],
  ])('%s as %s', (moment, shown) => {
    expect(localTime(NOW, berlin).near(Date.parse(moment))).toBe(shown);
  });

  test('without its distance where that is not wished', () => {
    expect(localTime(NOW, berlin, false).near(NOW + 60_000)).toBe('00:31 +02:00');
  });

  test('west of Greenwich, by the half hour', () => {
    expect(localTime(NOW, () => -210).at(NOW)).toBe('19:00 -03:30');
  });

  test('within a text, and nothing else of it', () => {
    const { text } = localTime(NOW, () => 0);
    expect(text('until 2026-07-23T23:00:00Z, or 2026-07-23')).toBe('until 23:00 UTC, or 2026-07-23');
  });
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
