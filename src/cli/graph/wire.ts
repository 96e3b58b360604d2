import {
  about,
  type Codec,
  fields,
  flag,
  list,
  moment,
  nullable,
  type Schema,
  text,
  whole,
  word,
} from '../../base/codec.ts';
import type { GraphView, NodeView, RolloutView } from './view.ts';

interface RolloutJson {
  readonly state: RolloutView['state'];
  readonly at: number | null;
  readonly percent: number;
}

type NodeJson = Omit<NodeView, 'age' | 'rollout'> & { readonly age: string; readonly rollout: RolloutJson | null };

type GraphJson = Omit<GraphView, 'nodes' | 'edges'> & {
  readonly version: number;
  readonly nodes: readonly NodeJson[];
  readonly edges: readonly { readonly from: number; readonly to: number }[];
};

const POSITION = whole(0, 20_000);

const ROLLOUT: Codec<RolloutJson> = fields<RolloutJson>({
  state: about(
    '`here`: it has reached this host. `paused`: it stays below the place of this host in rollouts.',
    word('here', 'notStarted', 'notReached', 'paused'),
  ),
  at: about('When it reaches this host; null: never, or it has.', nullable(moment)),
  percent: about('Share of the fleet that is admitted, rounded down.', whole(0, 100)),
});

const NODE: Codec<NodeJson> = fields<NodeJson>({
  version: text,
  payload: about('The ostree commit, or the image with its digest.', text),
  age: about('The age index: the only order of releases. An unsigned 64-bit number.', text),
  barrier: about('The reason; null: it is no barrier.', nullable(text)),
  deadEnd: about('The reason; null: it is no dead end.', nullable(text)),
  rollout: about('Null: it is not being rolled out.', nullable(ROLLOUT)),
  role: about('`branch`: a dead end beside the path.', word('start', 'path', 'branch', 'other')),
  hop: about('On the path: how many updates lead to it.', nullable(POSITION)),
  skips: about('On the path: versions that are passed over on the way to it, oldest first.', list(text)),
  newest: about('Whether it is the newest of the whole graph.', flag),
});

const GRAPH: Codec<GraphJson> = fields<GraphJson>({
  version: about('Of this format. Fields may be added within a version.', whole(1, 1)),
  at: about('The moment for which rollouts are judged.', moment),
  source: about('Where the graph comes from: a file, or the origin of a server.', text),
  scheme: about('How releases are named: by ostree commits, or container images.', word('checksum', 'oci')),
  from: about('Version of the start; null: the whole graph without one.', nullable(text)),
  booted: about('Whether the start is what this host runs.', flag),
  all: about('Whether all releases are there, or those of the path and dead ends beside it.', flag),
  nodes: about('Oldest first.', list(NODE)),
  edges: about('Positions in `nodes`.', list(fields({ from: POSITION, to: POSITION }))),
  path: about('Positions in `nodes` of the start and of each release on the path, in order.', list(POSITION)),
  end: about('Why the path ends where it does, or does not begin, for people.', nullable(text)),
  releases: about('How many releases the whole graph has.', POSITION),
  warnings: about('What was left out of the graph as received, at most 20 lines.', list(text)),
});

/** The published schema of what `holdpoint graph --format json` prints. */
export const GRAPH_SCHEMA: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'What `holdpoint graph --format json` prints, version 1',
  ...GRAPH.schema,
};

/** A view as JSON, with a line end. */
export function graphJson(view: GraphView): string {
  const nodes = view.nodes.map((node): NodeJson => ({ ...node, age: String(node.age), rollout: rolloutJson(node) }));
  const edges = view.edges.map(([from, to]) => ({ from, to }));
  return `${JSON.stringify(GRAPH.write({ ...view, version: 1, nodes, edges }), null, 2)}\n`;
}

function rolloutJson({ rollout }: NodeView): RolloutJson | null {
  return rollout === null ? null : { state: rollout.state, at: rollout.at, percent: Math.floor(rollout.share * 100) };
}
