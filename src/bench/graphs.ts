import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { choose } from '../graph/choose.ts';
import { parseGraph } from '../graph/parse.ts';
import { median, ms, type Row } from './table.ts';

const RUNS = 9;
const PREFIX = 'org.fedoraproject.coreos.';

/** Parses and chooses in the real graph and in made ones of up to the cap; beside it, `JSON.parse` of the same text. */
export function benchGraphs(root: string): readonly Row[] {
  const real = readFileSync(join(root, 'examples', 'graphs', 'stable-x86_64.json'), 'utf8');
  return [
    measure('the real graph', real, ''),
    ...[1_000, 10_000, 20_000].map((nodes) =>
      measure(`${nodes} nodes, ${nodes * 10} edges`, madeGraph(nodes), nodes === 20_000 ? 'below 150 ms' : ''),
    ),
  ];
}

function measure(name: string, text: string, aim: string): Row {
  const ours = median(Array.from({ length: RUNS }, () => timed(() => parseAndChoose(text))));
  const bare = median(Array.from({ length: RUNS }, () => timed(() => void JSON.parse(text))));
  return { what: `parse + choose, ${name}`, value: ms(ours), beside: `${(ours / bare).toFixed(1)} × JSON.parse`, aim };
}

function parseAndChoose(text: string): void {
  const parsed = parseGraph(text, 'checksum');
  if (!parsed.ok) throw new Error(parsed.error);
  const [oldest] = parsed.graph.releases;
  if (oldest === undefined) throw new Error('the graph is empty');
  const wariness = { configured: 0.5, nodeId: '0'.repeat(32) };
  const choice = choose(parsed.graph, { booted: oldest, deny: () => null, allowDowngrade: false, now: 0, wariness });
  if (choice.target === null) throw new Error('nothing was chosen');
}

function timed(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

/** A graph in which each release leads to the ten after it. */
function madeGraph(count: number): string {
  const nodes = Array.from({ length: count }, (_, index) => ({
    version: `40.${index}.3.0`,
    payload: index.toString(16).padStart(64, '0'),
    metadata: { [`${PREFIX}scheme`]: 'checksum', [`${PREFIX}releases.age_index`]: String(index) },
  }));
  const edges = nodes.flatMap((_, from) =>
    Array.from({ length: 10 }, (__, hop) => [from, from + hop + 1]).filter(([, to = 0]) => to < count),
  );
  return JSON.stringify({ nodes, edges });
}
