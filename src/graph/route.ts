import { type ReleaseName, neighbours, positionOf } from './lookup.ts';
import type { Graph, Release } from './types.ts';

/**
 * The releases on the shortest way from the booted one to the newest that can be reached, in order and without the
 * booted one. Empty when there is none, null when the graph does not have the booted release. A graph from a server has
 * only the edges that are open to this host today.
 */
export function path(graph: Graph, booted: ReleaseName): readonly Release[] | null {
  const start = graph.releases[positionOf(graph, booted)];
  if (start === undefined) return null;
  const places = new Map(graph.releases.map((release, place) => [release, place]));
  const cameFrom = new Map<Release, Release | null>([[start, null]]);
  let newest = start;
  // A map hands out what is added while it is being walked: it is the queue of the search.
  for (const release of cameFrom.keys()) {
    if (release.ageIndex > newest.ageIndex) newest = release;
    if (release.deadEnd !== null) continue;
    for (const next of neighbours(graph, places.get(release) ?? -1)) {
      if (!cameFrom.has(next)) cameFrom.set(next, release);
    }
  }
  return wayTo(newest, cameFrom);
}

function wayTo(end: Release, cameFrom: ReadonlyMap<Release, Release | null>): readonly Release[] {
  const way: Release[] = [];
  for (let at = end, from = cameFrom.get(at); from; at = from, from = cameFrom.get(at)) way.push(at);
  return way.reverse();
}

/** How far the newest release is that can be reached, in updates; `barrier`: the next one on the way, before the end. */
export interface Outlook {
  readonly hops: number;
  /** Null: the booted release is the newest. */
  readonly newest: string | null;
  readonly barrier: string | null;
}

/** What a way means for the host; null where there is none to speak of. */
export function outlookOf(way: readonly Release[] | null): Outlook | null {
  if (way === null) return null;
  const newest = way.at(-1);
  const barrier = way.find((release) => release.barrier !== null && release !== newest);
  return { hops: way.length, newest: newest?.version ?? null, barrier: barrier?.version ?? null };
}

/** How far the newest release is, in one sentence for people; empty when there is nothing to say. */
export function explainPath(way: readonly Release[] | null): string {
  const outlook = outlookOf(way);
  if (outlook === null) return '';
  const { hops, newest, barrier } = outlook;
  if (newest === null) return '';
  return `${hops} update${hops === 1 ? '' : 's'} to ${newest}${barrier === null ? '' : `, next barrier ${barrier}`}`;
}
