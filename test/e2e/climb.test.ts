import { describe, expect, test } from 'vitest';
import { climb } from '../../src/sim/climb.ts';
import { graphText, program } from '../support/simulated.ts';

/** Hops from the oldest live release to the newest, as counted in the real graphs. */
const SCOPES = [
  { stream: 'stable', basearch: 'x86_64', scheme: 'checksum' },
  { stream: 'stable', basearch: 'x86_64', scheme: 'oci' },
  { stream: 'stable', basearch: 'aarch64', scheme: 'checksum' },
  { stream: 'stable', basearch: 'aarch64', scheme: 'oci' },
  { stream: 'testing', basearch: 'x86_64', scheme: 'checksum' },
  { stream: 'testing', basearch: 'x86_64', scheme: 'oci' },
  { stream: 'testing', basearch: 'aarch64', scheme: 'checksum' },
  { stream: 'testing', basearch: 'aarch64', scheme: 'oci' },
  { stream: 'next', basearch: 'x86_64', scheme: 'checksum' },
  { stream: 'next', basearch: 'x86_64', scheme: 'oci' },
  { stream: 'next', basearch: 'aarch64', scheme: 'checksum' },
  { stream: 'next', basearch: 'aarch64', scheme: 'oci' },
] as const;

interface Node {
  readonly version: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The way that a host must take: always to the newest release that it has an edge to. Own code, as an oracle. */
function expectedWay(text: string): readonly string[] {
  const { nodes, edges } = JSON.parse(text) as {
    nodes: readonly Node[];
    edges: readonly (readonly [number, number])[];
  };
  const age = (index: number): number => Number(nodes[index]?.metadata['org.fedoraproject.coreos.releases.age_index']);
  const dead = (index: number): boolean =>
    nodes[index]?.metadata['org.fedoraproject.coreos.updates.deadend'] === 'true';
  const next = (from: number): number | undefined =>
    edges.flatMap(([a, b]) => (a === from ? [b] : [])).sort((a, b) => age(b) - age(a))[0];
  const alive = nodes.map((_, index) => index).filter((index) => !dead(index) && next(index) !== undefined);
  let here: number | undefined = alive.sort((a, b) => age(a) - age(b))[0];
  const way: string[] = [];
  while (here !== undefined) {
    way.push(nodes[here]?.version ?? '');
    here = dead(here) ? undefined : next(here);
  }
  return way;
}

describe.each(SCOPES)('$stream $basearch $scheme', ({ stream, basearch, scheme }) => {
  const graph = graphText(`${stream}-${basearch}-${scheme}`);
  const way = expectedWay(graph);

  test.concurrent(
    `a host climbs from ${way[0]} to ${way.at(-1)} in ${way.length - 1} hops`,
    { timeout: 180_000 },
    async () => {
      const booted: string[] = [];
      const loud: string[] = [];
      const top = await climb({
        graph,
        stream,
        basearch,
        from: way[0] ?? '',
        command: program(),
        signal: AbortSignal.timeout(170_000),
        onEvent: (event) => {
          if (event.event === 'boot') booted.push(event.version);
          if (event.event === 'log' && event.level !== 'info') loud.push(event.text);
        },
      });
      expect(booted).toEqual(way);
      expect(top).toEqual({ version: way.at(-1), reboots: way.length - 1 });
      expect(loud).toEqual([]);
    },
  );
});

test('the stable graph for x86_64 has the twenty hops that it is known for', () => {
  expect(expectedWay(graphText('stable-x86_64-checksum'))).toHaveLength(21);
});
