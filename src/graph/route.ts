import { type ReleaseName, positionOf } from './lookup.ts';
import type { Graph, Release } from './types.ts';

/**
 * The releases on the shortest way from the booted one to the newest that can be reached, in order and without the
 * booted one. Empty when there is none, null when the graph does not have the booted release. A graph from a server has
 * only the edges that are open to this host today.
 */
export function path(graph: Graph, booted: ReleaseName): readonly Release[] | null {
  const start = positionOf(graph, booted);
  if (start < 0) return null;
  const { releases, edges } = graph;
  // By places and not by releases: of a chain of thousands, all is walked with every look.
  const cameFrom = new Int32Array(releases.length).fill(UNSEEN);
  cameFrom[start] = start;
  const queue = [start];
  let newest = start;
  // An array hands out what is added while it is being walked: it is the queue of the search.
  for (const place of queue) {
    if (ageOf(releases[place]) > ageOf(releases[newest])) newest = place;
    if (releases[place]?.deadEnd !== null) continue;
    for (const next of edges[place] ?? []) {
      if (cameFrom[next] !== UNSEEN) continue;
      cameFrom[next] = place;
      queue.push(next);
    }
  }
  return wayTo(newest, start, cameFrom).flatMap((place) => releases[place] ?? []);
}

const UNSEEN = -1;

function ageOf(release: Release | undefined): bigint {
  return release?.ageIndex ?? -1n;
}

function wayTo(end: number, start: number, cameFrom: Int32Array): readonly number[] {
  const way: number[] = [];
  for (let at = end; at !== start; at = cameFrom[at] ?? start) way.push(at);
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
