import { type Choice, choose } from '../../graph/choose.ts';
import { neighbours } from '../../graph/lookup.ts';
import { admitted, reachesAt } from '../../graph/rollout.ts';
import { path } from '../../graph/route.ts';
import type { Graph, Release, Scheme } from '../../graph/types.ts';
import { explainVerdict } from '../../graph/why.ts';

/** How a rollout stands at a moment. */
export interface RolloutView {
  /** `here`: it has reached this host. Else it comes at `at`, or (`paused`) stays below this host's wariness. */
  readonly state: 'here' | 'notStarted' | 'notReached' | 'paused';
  /** Milliseconds since 1970; null when that is never, or at once. */
  readonly at: number | null;
  /** Share of the fleet that is admitted, 0..1. */
  readonly share: number;
}

/** A release as it is shown. */
export interface NodeView {
  readonly version: string;
  readonly payload: string;
  readonly age: bigint;
  /** The reason, or null. */
  readonly barrier: string | null;
  readonly deadEnd: string | null;
  readonly rollout: RolloutView | null;
  /** `branch`: a dead end beside the path, which an update leads to. */
  readonly role: 'start' | 'path' | 'branch' | 'other';
  /** On the path: how many updates lead to it from the start. */
  readonly hop: number | null;
  /** On the path: the releases that are passed over by the update that leads to it, oldest first. */
  readonly skips: readonly string[];
  /** Whether it is the newest of the whole graph. */
  readonly newest: boolean;
}

/** What is shown of a graph: the path from one release to the newest that can be reached, or all of it. */
export interface GraphView {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly source: string;
  readonly scheme: Scheme;
  /** Null where the whole graph is shown, and nobody said from where. */
  readonly from: string | null;
  /** Whether it is the booted release of this host. */
  readonly booted: boolean;
  readonly all: boolean;
  /** Oldest first. */
  readonly nodes: readonly NodeView[];
  /** Positions in `nodes`. */
  readonly edges: readonly (readonly [number, number])[];
  /** Positions of the start and of every release on the path, in order; empty without a start. */
  readonly path: readonly number[];
  /** Why the path ends where it does, or does not begin: one clause. Null without a start. */
  readonly end: string | null;
  /** Of the whole graph. */
  readonly releases: number;
  readonly warnings: readonly string[];
}

/** What a view is made from. */
export interface ViewQuestion {
  readonly graph: Graph;
  readonly source: string;
  readonly scheme: Scheme;
  readonly start: Release | null;
  readonly booted: boolean;
  readonly all: boolean;
  readonly at: number;
  /** How late in rollouts this host is, 0..1. */
  readonly wariness: number;
}

/** Works out what is to be shown. */
export function viewOf(question: ViewQuestion): GraphView {
  const { graph, source, scheme, start, booted, all, at } = question;
  const way = start === null ? [] : [start, ...(path(graph, start) ?? [])];
  const shown = shownOf(question, way);
  const places = new Map(shown.map((release, place) => [release, place]));
  const newest = newestOf(graph.releases);
  const hops = new Map(way.map((release, hop) => [release, hop]));
  const ages = graph.releases.toSorted(byAge);
  const order = new Map(ages.map((release, place) => [release, place]));
  return {
    ...{ at, source, scheme, booted, all, from: start?.version ?? null },
    nodes: shown.map((release) => {
      const hop = hops.get(release) ?? null;
      const before = hop === null || hop === 0 ? undefined : way[hop - 1];
      return {
        ...{ version: release.version, payload: release.payload, age: release.ageIndex },
        ...{ barrier: release.barrier, deadEnd: release.deadEnd },
        rollout: rolloutOf(release, question),
        role: hop === null ? (all ? 'other' : 'branch') : hop === 0 ? 'start' : 'path',
        hop,
        skips: before === undefined ? [] : skipped(ages.slice((order.get(before) ?? 0) + 1, order.get(release))),
        newest: release === newest,
      };
    }),
    edges: edgesBetween(graph, places, hops, all),
    path: way.flatMap((release) => places.get(release) ?? []),
    end: endOf(question, way),
    releases: graph.releases.length,
    warnings: graph.warnings,
  };
}

function shownOf({ graph, all }: ViewQuestion, way: readonly Release[]): readonly Release[] {
  if (all) return graph.releases.toSorted(byAge);
  const places = placesOf(graph);
  const beside = way.flatMap((release) => neighbours(graph, places.get(release) ?? -1).filter(isDeadEnd));
  return [...new Set([...way, ...beside])].sort(byAge);
}

/** Without a path to be seen, what leads elsewhere from it does not matter. */
function edgesBetween(
  graph: Graph,
  shown: ReadonlyMap<Release, number>,
  hops: ReadonlyMap<Release, number>,
  all: boolean,
): readonly (readonly [number, number])[] {
  return graph.releases.flatMap((release, position) => {
    const from = shown.get(release);
    if (from === undefined) return [];
    const targets = [...new Set(neighbours(graph, position))].filter((target) => {
      return all || isDeadEnd(target) || hops.get(target) === (hops.get(release) ?? -2) + 1;
    });
    return targets.flatMap((target) => {
      const to = shown.get(target);
      return to === undefined ? [] : [[from, to] as const];
    });
  });
}

function placesOf({ releases }: Graph): ReadonlyMap<Release, number> {
  return new Map(releases.map((release, place) => [release, place]));
}

function isDeadEnd({ deadEnd }: Release): boolean {
  return deadEnd !== null;
}

function byAge(a: Release, b: Release): number {
  if (a.ageIndex !== b.ageIndex) return a.ageIndex < b.ageIndex ? -1 : 1;
  return a.version < b.version ? -1 : a.version > b.version ? 1 : 0;
}

function newestOf(releases: readonly Release[]): Release | null {
  return releases.reduce<Release | null>((best, one) => (best === null || byAge(one, best) > 0 ? one : best), null);
}

/** Of what is between two releases, what somebody may miss: no dead ends. */
function skipped(between: readonly Release[]): readonly string[] {
  return between.filter(({ deadEnd }) => deadEnd === null).map(({ version }) => version);
}

function rolloutOf({ rollout }: Release, { at, wariness }: ViewQuestion): RolloutView | null {
  if (rollout === null) return null;
  const [share, reached] = [admitted(rollout, at), reachesAt(rollout, wariness)];
  if (reached === null) return { state: 'paused', at: null, share };
  if (reached <= at) return { state: 'here', at: null, share };
  return { state: at < rollout.startWall ? 'notStarted' : 'notReached', at: reached, share };
}

function endOf({ graph, at, wariness }: ViewQuestion, way: readonly Release[]): string | null {
  const last = way.at(-1);
  if (last === undefined) return null;
  const query = { booted: last, deny: () => null, allowDowngrade: false, now: at };
  const choice: Choice = choose(graph, { ...query, wariness: { configured: wariness, nodeId: '' } });
  return choice.target === null ? explainVerdict(choice.verdict) : `${last.version} is the newest that can be reached`;
}

/** For each release the dead ends beside the path that it leads to, as positions. */
export function branchesOf({ nodes, edges }: Pick<GraphView, 'nodes' | 'edges'>): readonly (readonly number[])[] {
  const branches = nodes.map((): number[] => []);
  for (const [from, to] of edges) if (nodes[to]?.role === 'branch') branches[from]?.push(to);
  return branches;
}
