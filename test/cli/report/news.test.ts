import { describe, expect, test } from 'vitest';
import { reportOf } from '../../../src/agent/report/report-of.ts';
import type { Report } from '../../../src/agent/report/report.ts';
import { isNews } from '../../../src/cli/report/news.ts';
import { instant } from '../../support/agent-builders.ts';
import { SITUATIONS, originsFor } from '../../support/report-situations.ts';

const SITUATED = Object.entries(SITUATIONS).map(([name, make]) => [name, make()] as const);

function after(name: string, ms: number, besideMs = 0): Report {
  const { state, mono } = SITUATED.find(([known]) => known === name)![1];
  const at = instant(mono + ms);
  return reportOf(state, { mono: at.mono, wall: at.wall + besideMs }, originsFor(state.settings));
}

const FIRST = 'outside-the-window';

describe('no news', () => {
  test.each(SITUATED.map(([name]) => name))('is that time passes: %s', (name) => {
    for (const beside of [0, 5, 900]) expect(isNews(after(name, 0), after(name, 2_000, beside))).toBe(false);
  });

  test('is that the graph was asked once more, or something tried again to the same end', () => {
    const one = after(FIRST, 0);
    const troubles = [
      { source: 'graph', what: 'a', text: 'b', since: 5_000_000, count: 1, nextTry: 6_000_000, mends: 'c' },
    ];
    const check = { at: 1_000_000, kind: null, text: 'x', reachesAt: null, warnings: [], outlook: null };
    const before: Report = { ...one, troubles, check, nextCheck: 5_000_000 };
    const again: Report = {
      ...before,
      line: 'another one',
      troubles: troubles.map((trouble) => ({ ...trouble, count: 7, nextTry: 9_000_000 })),
      check: { ...check, at: 4_000_000 },
      nextCheck: 9_000_000,
    };
    expect(isNews(before, again)).toBe(false);
    expect(isNews(before, { ...again, nextCheck: null })).toBe(true);
    expect(isNews(before, { ...again, check: { ...check, text: 'y' } })).toBe(true);
    expect(isNews(before, { ...again, troubles: [] })).toBe(true);
  });
});

describe('news', () => {
  test.each<[string, Partial<Report>]>([
    ['another state', { state: 'releasing' }],
    ['a pause', { pause: { until: null, reason: 'backup', by: 'root', since: 1_000_000 } }],
    ['fewer gates', { gates: [] }],
    ['less that can be postponed', { postponeAllowedSecs: 1 }],
  ])('is %s', (_, change) => {
    const one = after(FIRST, 0);
    expect(isNews(one, { ...one, ...change })).toBe(true);
  });

  test('is a moment that has moved, but not with the time', () => {
    const one: Report = { ...after(FIRST, 0), postponed: { by: 'ann', until: 1_000_000_000 } };
    const moved = (ms: number): Report => ({
      ...one,
      now: one.now + 10_000,
      at: one.at + 10_000,
      postponed: { by: 'ann', until: 1_000_000_000 + ms },
    });
    expect([0, 1_500, 8_500, 10_000, 11_500].map((ms) => isNews(one, moved(ms)))).toEqual(Array(5).fill(false));
    expect([-1_600, 1_600, 5_000, 8_400, 60_000].map((ms) => isNews(one, moved(ms)))).toEqual(Array(5).fill(true));
  });
});
