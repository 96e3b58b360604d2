import type { Graph, Release, Scheme } from './types.ts';

/** What names a release: for images only the digest counts, since a mirror serves the same image under its own name. */
export interface ReleaseName {
  readonly scheme: Scheme;
  readonly payload: string;
}

/** The position of a release in the graph, or -1. Found by payload, never by version. */
export function positionOf(graph: Graph, name: ReleaseName): number {
  const key = payloadKey(name.payload);
  return graph.releases.findIndex(({ scheme, payload }) => scheme === name.scheme && payloadKey(payload) === key);
}

/** The part of a payload that identifies it: the commit, or the image's digest. */
export function payloadKey(payload: string): string {
  return payload.slice(payload.lastIndexOf('@') + 1);
}

/** The releases that the one at `position` has edges to. */
export function neighbours(graph: Graph, position: number): Release[] {
  return (graph.edges[position] ?? []).flatMap((to) => graph.releases[to] ?? []);
}

/**
 * Whether the graph leads from the booted release straight to the target with this payload; unknown when it does not
 * have the booted release, or nothing at all.
 */
export function edgeTo(graph: Graph, booted: ReleaseName, targetPayload: string): 'present' | 'absent' | 'unknown' {
  const from = positionOf(graph, booted);
  if (from < 0) return 'unknown';
  const to = positionOf(graph, { scheme: booted.scheme, payload: targetPayload });
  return graph.edges[from]?.includes(to) === true ? 'present' : 'absent';
}
