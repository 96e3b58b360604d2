import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Choice, type Denial, type Query, type Verdict, choose, edgeTo } from '../../src/graph/choose.ts';
import type { Graph, Release } from '../../src/graph/types.ts';
import { AFTER_ALL, POLICY_TIME, SCOPES, checksum, graphOf, readGraph, release } from './fixtures.ts';

const NODE = '074c268827d74fb59ed758e8940cd667';

function query(booted: Pick<Release, 'scheme' | 'payload'>, more: Partial<Query> = {}): Query {
  const wariness = { configured: 0.5, nodeId: NODE };
  return { booted, deny: () => null, allowDowngrade: false, now: AFTER_ALL, wariness, ...more };
}

function verdictOf(choice: Choice): Verdict {
  if (choice.target !== null) throw new Error(`a target: ${choice.target.version}`);
  return choice.verdict;
}

const QUARANTINED: Denial = { kind: 'quarantined', reason: 'did not boot twice' };
const denying =
  (...versions: string[]) =>
  ({ version }: Release): Denial | null =>
    versions.includes(version) ? QUARANTINED : null;

describe('the climb through the recorded graphs', () => {
  test.each(SCOPES)('$name: from the oldest release to the newest, over every barrier', ({ name, scheme }) => {
    const graph = readGraph(name, scheme);
    const climb = climbFrom(graph, oldest(graph));
    const newest = graph.releases.reduce((best, one) => (one.ageIndex > best.ageIndex ? one : best));
    expect(climb.at(-1)).toBe(newest.version);
    const start = oldest(graph).ageIndex;
    const barriers = graph.releases.filter(({ barrier, ageIndex }) => barrier !== null && ageIndex > start);
    expect(climb).toEqual(expect.arrayContaining(barriers.map(({ version }) => version)));
  });

  test('takes 20 updates on stable x86_64', () => {
    const graph = readGraph('stable-x86_64-checksum', 'checksum');
    expect(climbFrom(graph, oldest(graph))).toHaveLength(20);
  });

  function oldest(graph: Graph): Release {
    return graph.releases
      .filter(({ deadEnd }, position) => deadEnd === null && graph.edges[position]!.length > 0)
      .reduce((best, one) => (one.ageIndex < best.ageIndex ? one : best));
  }

  function climbFrom(graph: Graph, start: Release): string[] {
    const versions: string[] = [];
    for (let booted = start; ;) {
      const choice = choose(graph, query(booted));
      if (choice.target === null) {
        expect(choice.verdict).toEqual({ kind: 'newest', version: booted.version });
        return versions;
      }
      expect(choice.target.ageIndex).toBeGreaterThan(booted.ageIndex);
      booted = choice.release;
      versions.push(booted.version);
    }
  }
});

describe('the booted release', () => {
  test('is found by payload, not by version', () => {
    const graph = graphOf([release(1), release(2, { version: '40.1' }), release(3)], [[1, 2]]);
    expect(choose(graph, query(release(2))).target?.version).toBe('40.3');
    expect(verdictOf(choose(graph, query(release(9, { version: '40.1' }))))).toEqual({
      kind: 'notInGraph',
      empty: false,
    });
  });

  test('is found by its digest, whatever the name of its image', () => {
    const image = (name: string, seed: number): Partial<Release> => ({
      scheme: 'oci',
      payload: `${name}@sha256:${checksum(seed)}`,
    });
    const graph = graphOf([release(1, image('quay.io/os', 1)), release(2, image('quay.io/os', 2))], [[0, 1]]);
    const booted = { scheme: 'oci', payload: `mirror.lan:5000/os@sha256:${checksum(1)}` } as const;
    expect(choose(graph, query(booted)).target?.version).toBe('40.2');
    expect(edgeTo(graph, booted, `elsewhere/os@sha256:${checksum(2)}`)).toBe('present');
  });

  test('may be missing, in an empty graph too', () => {
    expect(verdictOf(choose(graphOf([], []), query(release(1))))).toEqual({ kind: 'notInGraph', empty: true });
    const unusable = { ...graphOf([], []), unusable: 3 };
    expect(verdictOf(choose(unusable, query(release(1))))).toEqual({ kind: 'notInGraph', empty: true, unusable: 3 });
    expect(verdictOf(choose(graphOf([release(1)], []), query({ scheme: 'checksum', payload: '' })))).toEqual({
      kind: 'notInGraph',
      empty: false,
    });
  });

  test('may be a dead end, which edges do not change', () => {
    const graph = graphOf([release(1, { deadEnd: 'see issue 215' }), release(2)], [[0, 1]]);
    expect(verdictOf(choose(graph, query(release(1))))).toEqual({
      kind: 'deadEnd',
      version: '40.1',
      reason: 'see issue 215',
    });
  });

  test('may be the newest that is not a dead end', () => {
    const graph = graphOf([release(1), release(2, { deadEnd: 'recalled' })], []);
    expect(verdictOf(choose(graph, query(release(1))))).toEqual({ kind: 'newest', version: '40.1' });
  });

  test('may have no way to what is newer', () => {
    const graph = graphOf([release(1), release(3), release(2)], []);
    expect(verdictOf(choose(graph, query(release(1))))).toEqual({ kind: 'noPath', version: '40.1', newest: '40.3' });
  });
});

describe('of several candidates', () => {
  test('the age index decides, not the version', () => {
    const graph = graphOf(
      [release(1), release(2, { version: '99.0' }), release(10, { version: '2.0' })],
      [
        [0, 1],
        [0, 2],
      ],
    );
    expect(choose(graph, query(release(1))).target?.version).toBe('2.0');
  });

  test('the age index may need all 64 bits', () => {
    const top = 2n ** 64n - 1n;
    const graph = graphOf(
      [release(1), release(2, { ageIndex: top - 1n }), release(3, { ageIndex: top })],
      [
        [0, 1],
        [0, 2],
      ],
    );
    expect(choose(graph, query(release(1))).target?.version).toBe('40.3');
  });

  test('the next best is taken when the best is denied, and both are named', () => {
    const graph = graphOf(
      [release(1), release(2), release(3)],
      [
        [0, 1],
        [0, 2],
      ],
    );
    const choice = choose(graph, query(release(1), { deny: denying('40.3') }));
    expect(choice).toMatchObject({
      target: { version: '40.2', ageIndex: 2n },
      denied: [{ version: '40.3', barrier: false, denial: QUARANTINED }],
      verdict: null,
    });
  });

  test('all may be denied, a barrier among them', () => {
    const graph = graphOf(
      [release(1), release(2, { barrier: 'x' }), release(3)],
      [
        [0, 1],
        [1, 2],
      ],
    );
    expect(verdictOf(choose(graph, query(release(1), { deny: denying('40.2', '40.3') })))).toEqual({
      kind: 'denied',
      denied: [{ version: '40.2', barrier: true, denial: QUARANTINED }],
      wait: null,
    });
  });
});

describe('what is not newer', () => {
  const graph = graphOf([release(1), release(2)], [[1, 0]]);

  test('is refused', () => {
    expect(verdictOf(choose(graph, query(release(2))))).toEqual({
      kind: 'downgradeRefused',
      version: '40.2',
      offered: '40.1',
    });
  });

  test('is refused at the same age too', () => {
    const twins = graphOf([release(1), release(2, { ageIndex: 1n })], [[0, 1]]);
    expect(verdictOf(choose(twins, query(release(1)))).kind).toBe('downgradeRefused');
  });

  test('is taken if that is allowed', () => {
    expect(choose(graph, query(release(2), { allowDowngrade: true })).target?.version).toBe('40.1');
  });
});

describe('a rollout, after the server has left the edge out', () => {
  const HOUR = 3_600_000;
  const rollout = { startWall: POLICY_TIME - 24 * HOUR, startValue: 0, durationMinutes: 48 * 60 };
  const graph = graphOf([release(1), release(2, { rollout })], []);
  const at = (now: number, configured: number, of = graph): Verdict =>
    verdictOf(choose(of, query(release(1), { now, wariness: { configured, nodeId: NODE } })));

  test('not reached: with its time', () => {
    expect(at(POLICY_TIME, 0.75)).toEqual({
      kind: 'rollout',
      version: '40.1',
      wait: { version: '40.2', state: 'notReached', at: POLICY_TIME + 12 * HOUR, share: 0.5, wariness: 0.75 },
    });
  });

  test('not started', () => {
    expect(at(POLICY_TIME - 25 * HOUR, 0.75)).toMatchObject({
      wait: { state: 'notStarted', at: POLICY_TIME + 12 * HOUR, share: 0 },
    });
  });

  test('paused', () => {
    const paused = graphOf(
      [release(1), release(2, { rollout: { ...rollout, startValue: 0.2, durationMinutes: null } })],
      [],
    );
    expect(at(POLICY_TIME, 0.75, paused)).toMatchObject({ wait: { state: 'paused', at: null, share: 0.2 } });
  });

  test('due by the clock of this host', () => {
    expect(at(POLICY_TIME, 0.25)).toMatchObject({ kind: 'rollout', wait: { state: 'due' } });
  });

  test('complete: then it explains nothing', () => {
    expect(at(AFTER_ALL, 0.25)).toEqual({ kind: 'noPath', version: '40.1', newest: '40.2' });
  });

  test('the derived wariness counts when none is configured', () => {
    const wariness = { configured: null, nodeId: NODE };
    const verdict = verdictOf(choose(graph, query(release(1), { now: POLICY_TIME, wariness })));
    expect(verdict).toMatchObject({ kind: 'rollout', wait: { state: 'notReached' } });
    expect(verdict.kind === 'rollout' && verdict.wait.wariness).toBeCloseTo(0.6275431523, 9);
  });

  test('of several the next to come is named; one that is paused only for want of others', () => {
    const later = { ...rollout, startWall: POLICY_TIME };
    const paused = { ...rollout, startValue: 0, durationMinutes: null };
    const three = [release(2, { rollout }), release(3, { rollout: later }), release(4, { rollout: paused })];
    expect(at(POLICY_TIME, 0.75, graphOf([release(1), ...three], []))).toMatchObject({ wait: { version: '40.2' } });
  });

  test('one behind a barrier is not what this host waits for', () => {
    const releases = [release(1), release(2, { barrier: 'x' }), release(3, { rollout })];
    const behind = graphOf(releases, [[1, 2]]);
    expect(at(POLICY_TIME, 0.75, behind)).toMatchObject({ kind: 'noPath' });
    const twice = [...releases, release(4, { barrier: 'y' })];
    expect(at(POLICY_TIME, 0.75, graphOf(twice, []))).toMatchObject({ kind: 'noPath' });
    const barrier = graphOf([release(1), release(2, { barrier: 'x', rollout }), release(3, { rollout })], []);
    expect(at(POLICY_TIME, 0.75, barrier)).toMatchObject({ kind: 'rollout', wait: { version: '40.2' } });
  });

  test('is named beside what is denied', () => {
    const three = graphOf([release(1), release(2), release(3, { rollout })], [[0, 1]]);
    const asked = query(release(1), {
      now: POLICY_TIME,
      deny: denying('40.2'),
      wariness: { configured: 1, nodeId: NODE },
    });
    expect(verdictOf(choose(three, asked))).toMatchObject({
      kind: 'denied',
      denied: [{ version: '40.2' }],
      wait: { version: '40.3', state: 'notReached' },
    });
  });

  test('is obeyed here when nobody else has judged it', () => {
    const offered = { ...graphOf([release(1), release(2, { rollout })], [[0, 1]]) };
    expect(at(POLICY_TIME, 0.75, { ...offered, raw: true })).toMatchObject({
      wait: { version: '40.2', state: 'notReached' },
    });
    const wariness = { configured: 0.75, nodeId: NODE };
    expect(choose(offered, query(release(1), { now: POLICY_TIME, wariness })).target?.version).toBe('40.2');
    expect(choose({ ...offered, raw: true }, query(release(1), { wariness })).target?.version).toBe('40.2');
  });
});

describe('edgeTo', () => {
  const graph = graphOf([release(1), release(2), release(3)], [[0, 1]]);

  test.each([
    ['present', 1, 2],
    ['absent', 1, 3],
    ['absent', 1, 9],
    ['absent', 2, 3],
    ['unknown', 9, 2],
  ])('%s: from %i to %i', (expected, from, to) => {
    expect(edgeTo(graph, release(from), checksum(to))).toBe(expected);
  });

  test('is unknown in an empty graph', () => {
    expect(edgeTo(graphOf([], []), release(1), checksum(2))).toBe('unknown');
  });
});

test('in any graph: never throws; the target is a neighbour, not denied, not older unless allowed, and the best', () => {
  const size = 8;
  const rollouts = fc.record({
    startWall: fc.integer({ min: 0, max: 2000 }),
    startValue: fc.double({ min: 0, max: 1, noNaN: true }),
    durationMinutes: fc.option(fc.integer({ min: 0, max: 60 })),
  });
  const details = fc.record({
    ageIndex: fc.bigInt({ min: 0n, max: 9n }),
    barrier: fc.option(fc.constant('b')),
    deadEnd: fc.option(fc.constant('d'), { freq: 9 }),
    rollout: fc.option(rollouts),
  });
  const position = fc.nat(size - 1);
  const worlds = fc.record({
    details: fc.array(details, { minLength: size, maxLength: size }),
    pairs: fc.array(fc.tuple(position, position), { maxLength: 30 }),
    booted: fc.nat(size),
    denied: fc.uniqueArray(position),
    allowDowngrade: fc.boolean(),
    raw: fc.boolean(),
    now: fc.integer({ min: 0, max: 5_000_000 }),
    configured: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  });
  fc.assert(
    fc.property(worlds, (world) => {
      const releases = world.details.map((one, index) => release(index, one));
      const graph = {
        ...graphOf(
          releases,
          world.pairs.filter(([from, to]) => from !== to),
        ),
        raw: world.raw,
      };
      const denied = new Set(world.denied.map((index) => `40.${index}`));
      const { allowDowngrade, now, configured } = world;
      const deny = ({ version }: Release): Denial | null => (denied.has(version) ? QUARANTINED : null);
      const booted = releases[world.booted];
      const choice = choose(graph, {
        booted: booted ?? release(99),
        deny,
        allowDowngrade,
        now,
        wariness: { configured, nodeId: NODE },
      });
      if (booted === undefined) expect(choice).toEqual({ target: null, verdict: { kind: 'notInGraph', empty: false } });
      if (choice.target === null || booted === undefined) return;
      const around = graph.edges[world.booted]!.map((to) => releases[to]!);
      expect(around.map(({ payload }) => payload)).toContain(choice.target.payload);
      expect(denied.has(choice.target.version)).toBe(false);
      expect(allowDowngrade || choice.target.ageIndex > booted.ageIndex).toBe(true);
      const better = around.filter(
        ({ ageIndex, version }) => ageIndex > choice.release.ageIndex && !denied.has(version),
      );
      expect(world.raw || better.length === 0).toBe(true);
    }),
    { numRuns: 500 },
  );
});
