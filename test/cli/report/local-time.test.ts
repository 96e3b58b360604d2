import { describe, expect, test } from 'vitest';
import { localTime } from '../../../src/cli/report/local-time.ts';

const MINUTE = 60_000;
const NOW = Date.parse('2026-07-23T22:30:00Z');
/** Berlin: two hours ahead in summer, one in winter. */
const SUMMER_ENDS = Date.parse('2026-10-25T01:00:00Z');
const SUMMER_BEGINS = Date.parse('2026-03-29T01:00:00Z');
const berlin = (wall: number): number => (wall >= SUMMER_BEGINS && wall < SUMMER_ENDS ? 120 * MINUTE : 60 * MINUTE);

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
    expect(localTime(NOW, () => -210 * MINUTE).at(NOW)).toBe('19:00 -03:30');
  });

  test('within a text, and nothing else of it', () => {
    const { text } = localTime(NOW, () => 0);
    expect(text('until 2026-07-23T23:00:00Z, or 2026-07-23')).toBe('until 23:00 UTC, or 2026-07-23');
  });
});
