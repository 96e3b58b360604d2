import type { Graph, Release, Scheme } from './types.ts';

/** What names a release: for images only the digest counts, since a mirror serves the same image under its own name. */
export interface ReleaseName {
  readonly scheme: Scheme;
  readonly payload: string;
}

/** The position of a release in the graph, or -1. Found by payload, never by version. */
export function positionOf(graph: Graph, name: ReleaseName): number {
  return placesOf(graph.releases).get(placeKey(name)) ?? -1;
}

/** Where each release of a list is; a list is looked at many times, and does not change. */
const PLACES = new WeakMap<readonly Release[], ReadonlyMap<string, number>>();

function placesOf(releases: readonly Release[]): ReadonlyMap<string, number> {
  const known = PLACES.get(releases);
  if (known !== undefined) return known;
  const places = new Map<string, number>();
  for (const [place, release] of releases.entries()) {
    const key = placeKey(release);
    if (!places.has(key)) places.set(key, place);
  }
  PLACES.set(releases, places);
  return places;
}

function placeKey({ scheme, payload }: ReleaseName): string {
  return `${scheme} ${payloadKey(payload)}`;
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
