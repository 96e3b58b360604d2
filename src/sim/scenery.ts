import { join } from 'node:path';
import { readCapped } from '../base/files.ts';
import { packageRoot } from '../base/package-root.ts';
import { parseGraph } from '../graph/parse.ts';
import { path as wayThrough } from '../graph/route.ts';
import type { Graph } from '../graph/types.ts';

/** What a simulation is played on, as given on a command line. */
export interface SceneryOptions {
  /** File with an update graph. Default: a real one of Fedora CoreOS stable for x86_64. */
  readonly graph?: string | undefined;
  /** Release to begin with. Default: the oldest. */
  readonly from?: string | undefined;
  /** Without `from`: begin at most so many hops below the newest release, on the way of the oldest one. */
  readonly hops?: number | undefined;
  /** Default `stable`. */
  readonly stream?: string | undefined;
  /** Default `x86_64`. */
  readonly basearch?: string | undefined;
}

/** The same with everything settled. */
export interface Scenery {
  /** The update graph, as JSON text. */
  readonly graph: string;
  readonly from: string;
  readonly stream: string;
  readonly basearch: string;
}

const LARGEST_GRAPH = 8 * 1024 * 1024;

/** Reads the graph and settles the defaults. Throws, naming the file, when there is no graph or no such release. */
export function loadScenery(options: SceneryOptions): Scenery {
  const path = options.graph ?? join(packageRoot(), 'examples', 'graphs', 'stable-x86_64.json');
  const graph = readCapped(path, LARGEST_GRAPH);
  if (graph === null) throw new Error(`${path}: there is no such file`);
  const parsed = parse(path, graph);
  const versions = sorted(parsed);
  const oldest = versions[0] ?? 'none';
  const from = options.from ?? (options.hops === undefined ? oldest : below(parsed, oldest, options.hops));
  if (!versions.includes(from)) {
    throw new Error(`${path}: there is no release ${from} in this graph; the oldest is ${oldest}`);
  }
  return { graph, from, stream: options.stream ?? 'stable', basearch: options.basearch ?? 'x86_64' };
}

/** The releases on the shortest way from the first one to the newest that can be reached, without the first. */
export function wayUp({ graph, from }: Scenery): readonly string[] {
  return wayFrom(parse('the graph', graph), from);
}

/** The release from which so many hops are left, or as many as there are, on the way of the oldest to the newest. */
function below(graph: Graph, oldest: string, hops: number): string {
  return [oldest, ...wayFrom(graph, oldest)].at(-1 - hops) ?? oldest;
}

function wayFrom(graph: Graph, from: string): readonly string[] {
  const start = graph.releases.find(({ version }) => version === from);
  const way = start === undefined ? null : wayThrough(graph, start);
  return (way ?? []).map(({ version }) => version);
}

/** A graph of either scheme, whichever has releases. */
function parse(path: string, text: string): Graph {
  const graphs = (['checksum', 'oci'] as const).map((scheme) => parseGraph(text, scheme));
  const [graph] = graphs.flatMap((parsed) => (parsed.ok && parsed.graph.releases.length > 0 ? [parsed.graph] : []));
  if (graph === undefined) throw new Error(`${path}: this is no update graph with releases in it`);
  return graph;
}

/** Releases that an edge leads away from, or that are there at all, oldest first. */
function sorted(graph: Graph): readonly string[] {
  const alive = graph.releases.filter(
    (release, index) => release.deadEnd === null && (graph.edges[index]?.length ?? 0) > 0,
  );
  const dead = graph.releases.filter((release) => !alive.includes(release));
  const byAge = alive.toSorted((a, b) => (a.ageIndex < b.ageIndex ? -1 : 1));
  return [...byAge, ...dead].map(({ version }) => version);
}
