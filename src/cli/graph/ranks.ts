import type { GraphView } from './view.ts';

/** Which edges of a graph lead to newer releases: those by which it is drawn. Positions are in the order of age. */
export interface Forward {
  readonly targets: readonly (readonly number[])[];
  /** How many lead to each. */
  readonly sources: readonly number[];
}

/** The edges that lead forward. */
export function forwardEdges({ nodes, edges }: Pick<GraphView, 'nodes' | 'edges'>): Forward {
  const targets = nodes.map((): number[] => []);
  const sources = nodes.map(() => 0);
  for (const [from, to] of edges) {
    if (from >= to) continue;
    targets[from]?.push(to);
    sources[to] = (sources[to] ?? 0) + 1;
  }
  return { targets, sources };
}

/**
 * How many rows above the newest release each one is drawn, so that every edge which leads forward leads down: as many
 * as updates are needed at the most. What does not lead to the newest is drawn below what leads to it, and else beside
 * what is as old. May be negative.
 */
export function ranksOf({ targets, sources }: Forward): readonly number[] {
  const ranks: (number | null)[] = targets.map(() => null);
  const sink = newestSink(targets, sources);
  for (let place = targets.length - 1; place >= 0; place -= 1) {
    const below = (targets[place] ?? []).flatMap((to) => ranks[to] ?? []);
    if (below.length > 0) ranks[place] = 1 + highest(below);
    else if (place === sink) ranks[place] = 0;
  }
  return placeOthers(ranks, targets);
}

/** The newest that something leads to, or the newest of all. */
function newestSink(targets: Forward['targets'], sources: readonly number[]): number {
  const last = targets.findLastIndex((some, place) => some.length === 0 && (sources[place] ?? 0) > 0);
  return last === -1 ? targets.length - 1 : last;
}

function placeOthers(ranks: readonly (number | null)[], targets: Forward['targets']): readonly number[] {
  const placed = [...ranks];
  const above = targets.map(() => Number.POSITIVE_INFINITY);
  let beside = highest(ranks.flatMap((rank) => rank ?? []));
  return targets.map((some, place) => {
    const ceiling = above[place] ?? Number.POSITIVE_INFINITY;
    const rank = placed[place] ?? (ceiling === Number.POSITIVE_INFINITY ? beside : ceiling - 1);
    placed[place] = rank;
    if (ranks[place] !== null) beside = rank;
    for (const to of some) above[to] = Math.min(above[to] ?? rank, rank);
    return rank;
  });
}

/** A list may be longer than the arguments that a function takes. */
function highest(numbers: readonly number[]): number {
  return numbers.reduce((most, one) => Math.max(most, one), 0);
}
