import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Sights } from '../../src/manager/sights.ts';

const NOW = 1_700_000_000_000;
const nobody = (): boolean => false;

/** Bytes of all groups together. */
function bytes(sights: Sights): number {
  return sights.groups().reduce((sum, group) => sum + (sights.of(group)?.bytes ?? 0), 0);
}

describe('the memory of all groups together', () => {
  test('is bounded, whatever is heard where', () => {
    const action = fc.record({
      kind: fc.constantFrom('heard', 'refused', 'merge', 'count', 'waiters', 'dump'),
      group: fc.constantFrom('a', 'b', 'c'),
      id: fc.oneof(fc.string({ maxLength: 3 }), fc.string({ minLength: 100, maxLength: 900 })),
      later: fc.integer({ min: -1_000_000, max: 10_000_000 }),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const sights = new Sights((_, id) => id.length < 2, 2_000);
        let now = NOW;
        for (const { kind, group, id, later } of actions) {
          now += later;
          if (kind === 'heard' || kind === 'refused') sights[kind](group, id, now);
          else if (kind === 'count') sights.count(group, now);
          else if (kind === 'waiters') sights.waiters(group, now, nobody);
          else if (kind === 'dump') sights.dump(group, now);
          else sights.merge(group, JSON.stringify({ layout: 1, ids: [[id, now / 1000]] }), now);
          expect(bytes(sights)).toBeLessThanOrEqual(2_000);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('is taken from the group that has more than its part', () => {
    const sights = new Sights(nobody, 4_000);
    for (let index = 0; index < 5; index += 1) sights.refused('small', `s${index}`, NOW + index);
    for (let index = 0; index < 1_000; index += 1) sights.heard('large', `${'x'.repeat(100)}${index}`, NOW + index);
    expect(sights.count('small', NOW)).toBe(5);
    expect(sights.waiters('small', NOW + 1_000, nobody)).toHaveLength(5);
    // A group that is new has its part too.
    for (let index = 0; index < 5; index += 1) sights.heard('new', `n${index}`, NOW + index);
    expect(sights.count('new', NOW)).toBe(5);
    expect(sights.count('large', NOW)).toBeGreaterThan(3);
  });
});
