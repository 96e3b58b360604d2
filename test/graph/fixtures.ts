import { readFileSync } from 'node:fs';
import { parseGraph } from '../../src/graph/parse.ts';
import type { Graph, Release, Scheme } from '../../src/graph/types.ts';

/** Streams, architectures and schemes of the recorded graphs. */
export const SCOPES = ['next', 'stable', 'testing'].flatMap((stream) =>
  ['aarch64', 'x86_64'].flatMap((basearch) =>
    (['checksum', 'oci'] as const).map((scheme) => ({ name: `${stream}-${basearch}-${scheme}`, scheme })),
  ),
);

/** The moment of the recorded policy answers: in the middle of every rollout. */
export const POLICY_TIME = 1_784_815_200_000;
/** A moment after all rollouts. */
export const AFTER_ALL = POLICY_TIME + 30 * 86_400_000;

/** The text of a recorded graph. */
export function graphText(name: string): string {
  return readFileSync(new URL(`../fixtures/graphs/${name}.json`, import.meta.url), 'utf8');
}

/** A recorded graph. */
export function readGraph(name: string, scheme: Scheme): Graph {
  const result = parseGraph(graphText(name), scheme);
  if (!result.ok) throw new Error(result.error);
  return result.graph;
}

/** The release of a version. */
export function versionOf(graph: Graph, version: string): Release {
  const release = graph.releases.find((one) => one.version === version);
  if (release === undefined) throw new Error(`no ${version} in the graph`);
  return release;
}

/** 64 hex digits made of a number. */
export function checksum(seed: number): string {
  return seed.toString(16).padStart(64, '0');
}

/** A release with defaults. Its age index is `age`, and its payload is made of it. */
export function release(age: number, more: Partial<Release> = {}): Release {
  return {
    version: `40.${age}`,
    scheme: 'checksum',
    payload: checksum(age),
    ageIndex: BigInt(age),
    barrier: null,
    deadEnd: null,
    rollout: null,
    ...more,
  };
}

/** A graph of releases; edges are pairs of positions. */
export function graphOf(releases: readonly Release[], pairs: readonly (readonly [number, number])[]): Graph {
  const edges = releases.map((_, from) => pairs.filter(([start]) => start === from).map(([, to]) => to));
  return { releases, edges, warnings: [] };
}
