import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admitted, reachesAt, wariness } from '../../src/graph/rollout.ts';
import type { Rollout } from '../../src/graph/types.ts';
import { POLICY_TIME, readGraph } from './fixtures.ts';

const START = 1_784_728_800_000;
const HOUR = 3_600_000;

describe('wariness', () => {
  // Computed by CPython, whose hash of bytes is SipHash-1-3.
  test.each([
    ['074c268827d74fb59ed758e8940cd667', 0.6275431523339362],
    ['978a225b3d7b40e9acd7ce9b62f68444', 0.012382099158110928],
    ['00000000000000000000000000000000', 0.315247623526606],
    ['ffffffffffffffffffffffffffffffff', 0.5053389793125521],
    ['é', 0.8394933920000582],
  ])('of node %s', (id, expected) => {
    expect(wariness(null, id)).toBeCloseTo(expected, 15);
  });

  test.each([
    [0.25, 0.25],
    [0, 0],
    [1, 1],
    [-3, 0],
    [7, 1],
    [0.12345678, 0.123457],
  ])('configured as %d counts as %d, as it is sent', (configured, expected) => {
    expect(wariness(configured, '00')).toBe(expected);
  });
});

describe('admitted', () => {
  const rollout: Rollout = { startWall: START, startValue: 0.1, durationMinutes: 2880 };

  test.each([
    [START - 1, 0],
    [START, 0.1],
    [START + 24 * HOUR, 0.55],
    [START + 48 * HOUR, 1],
    [START + 480 * HOUR, 1],
  ])('at %i: %d', (wall, share) => {
    expect(admitted(rollout, wall)).toBeCloseTo(share, 12);
  });

  test('stays at the start value without a duration', () => {
    expect(admitted({ ...rollout, durationMinutes: null }, START - 1)).toBe(0);
    expect(admitted({ ...rollout, durationMinutes: null }, START + 4800 * HOUR)).toBe(0.1);
  });

  test('lasts a minute at least', () => {
    expect(admitted({ ...rollout, durationMinutes: 0 }, START + 30_000)).toBeCloseTo(0.55, 12);
    expect(admitted({ ...rollout, durationMinutes: 0 }, START + 60_000)).toBe(1);
  });
});

describe('reachesAt', () => {
  const rollouts = fc.record({
    startWall: fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
    startValue: fc.double({ min: 0, max: 1, noNaN: true }),
    durationMinutes: fc.option(fc.integer({ min: 0, max: 1_000_000 })),
  });
  const warinesses = fc.double({ min: 1e-6, max: 1, noNaN: true });

  test('is the first millisecond that admits the host, or never', () => {
    fc.assert(
      fc.property(rollouts, warinesses, (rollout, host) => {
        const at = reachesAt(rollout, host);
        if (at === null) return admitted(rollout, Number.MAX_SAFE_INTEGER) < host;
        return admitted(rollout, at) >= host && admitted(rollout, at - 1) < host;
      }),
      { numRuns: 500 },
    );
  });

  test('is the end for the most cautious host', () => {
    expect(reachesAt({ startWall: START, startValue: 0, durationMinutes: 2880 }, 1)).toBe(START + 48 * HOUR);
  });

  test('is always for a host that waits for nothing, even before the start', () => {
    const rollout = { startWall: START, startValue: 0, durationMinutes: null };
    expect(reachesAt(rollout, 0)).toBe(0);
    expect(admitted(rollout, START - HOUR)).toBe(0);
  });

  test('is never when the end lies beyond all dates', () => {
    expect(reachesAt({ startWall: 8.64e15, startValue: 0, durationMinutes: 100 }, 1)).toBeNull();
  });
});

describe('the recorded answers of the policy engine', () => {
  test.each(['next', 'stable', 'testing'])('%s: the formula drops the edges that the engine dropped', (stream) => {
    const name = `${stream}-x86_64-checksum`;
    const raw = readGraph(name, 'checksum');
    const expected = readGraph(`${name}.policy-t1784815200-w0.25`, 'checksum');
    const kept = raw.edges.flatMap((targets, from) =>
      targets
        .filter((to) => {
          const rollout = raw.releases[to]!.rollout;
          return raw.releases[from]!.deadEnd === null && (rollout === null || 0.25 <= admitted(rollout, POLICY_TIME));
        })
        .map((to) => `${raw.releases[from]!.version} ${raw.releases[to]!.version}`),
    );
    const served = expected.edges.flatMap((targets, from) =>
      targets.map((to) => `${expected.releases[from]!.version} ${expected.releases[to]!.version}`),
    );
    expect(kept.toSorted()).toEqual(served.toSorted());
  });

  // The recorded answers let everything through: this is the other side of the same moment.
  test('half of the fleet is admitted at that moment, to the last bit', () => {
    for (const { rollout } of readGraph('stable-x86_64-checksum', 'checksum').releases) {
      if (rollout?.startWall !== START) continue;
      expect(admitted(rollout, POLICY_TIME)).toBe(0.5);
      expect(reachesAt(rollout, 0.5)).toBe(POLICY_TIME);
    }
  });
});
