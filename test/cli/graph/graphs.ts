import fc from 'fast-check';
import type { Graph, Release } from '../../../src/graph/types.ts';
import { type GraphView, viewOf } from '../../../src/cli/graph/view.ts';
import { graphOf, POLICY_TIME, readGraph, release } from '../../graph/fixtures.ts';

/** What a hostile server writes into reasons and versions. */
export const HOSTILE = `<script>alert("1")</script>&amp;'\\N\\" ]]> \u{1f600}\ufffe\ud800 漢字`;

/** A view of a graph, from a release or none. */
export function view(graph: Graph, start: Release | null, all: boolean, at = POLICY_TIME): GraphView {
  const scheme = graph.releases[0]?.scheme ?? 'checksum';
  return viewOf({ graph, source: 'stable-x86_64.json', scheme, start, booted: false, all, at, wariness: 0.7 });
}

/** A recorded graph, judged here. */
export function recorded(name: string, scheme: 'checksum' | 'oci' = 'checksum'): Graph {
  return { ...readGraph(name, scheme), raw: true };
}

/** Two hundred releases in a row, with barriers, rollouts, and dead ends beside them. */
export function longChain(): Graph {
  const releases: Release[] = [];
  const pairs: [number, number][] = [];
  let last = -1;
  for (let step = 0; step < 200; step += 1) {
    const barrier = step % 7 === 3 ? `${HOSTILE} ${'long words '.repeat(step % 5)}` : null;
    const rollout = step > 196 ? { startWall: POLICY_TIME, startValue: 0, durationMinutes: 2880 } : null;
    const place = releases.push(release(releases.length, { barrier, rollout })) - 1;
    if (last >= 0) pairs.push([last, place]);
    last = place;
    for (let dead = 0; dead < (step % 23 === 5 ? 2 : 0); dead += 1) {
      pairs.push([place, releases.push(release(releases.length, { deadEnd: HOSTILE })) - 1]);
    }
  }
  return graphOf(releases, pairs);
}

/** Any graph at all, and one of its releases: circles, ways back, several of one age, parts apart from each other. */
export const anyGraph: fc.Arbitrary<{ readonly graph: Graph; readonly start: Release }> = fc
  .array(
    fc.record({
      age: fc.integer({ min: 0, max: 30 }),
      barrier: fc.boolean(),
      deadEnd: fc.integer({ min: 0, max: 4 }).map((dice) => dice === 0),
      to: fc.array(fc.nat(39), { maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((nodes) => {
    const releases = nodes.map(({ age, barrier, deadEnd }, place) =>
      release(place, {
        ageIndex: BigInt(age),
        barrier: barrier ? HOSTILE : null,
        deadEnd: deadEnd ? HOSTILE : null,
      }),
    );
    const pairs = nodes.flatMap(({ to }, from) =>
      to.map((target) => [from, target % nodes.length] as const).filter(([, target]) => target !== from),
    );
    return { graph: graphOf(releases, pairs), start: releases[0]! };
  });
