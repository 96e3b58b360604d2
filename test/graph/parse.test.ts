import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseGraph } from '../../src/graph/parse.ts';
import type { Graph } from '../../src/graph/types.ts';
import { SCOPES, checksum, graphText } from './fixtures.ts';

const PREFIX = 'org.fedoraproject.coreos.';

interface RawNode {
  version: unknown;
  payload: unknown;
  metadata: Record<string, unknown>;
}

function node(age: number, metadata: Record<string, unknown> = {}): RawNode {
  const own = Object.fromEntries(Object.entries(metadata).map(([key, value]) => [PREFIX + key, value]));
  return {
    version: `40.${age}`,
    payload: checksum(age),
    metadata: { [`${PREFIX}scheme`]: 'checksum', [`${PREFIX}releases.age_index`]: String(age), ...own },
  };
}

function parsed(value: unknown): Graph {
  const result = parseGraph(JSON.stringify(value), 'checksum');
  if (!result.ok) throw new Error(result.error);
  return result.graph;
}

describe('the recorded graphs', () => {
  test.each(SCOPES)('$name is read whole', ({ name, scheme }) => {
    const text = graphText(name);
    const raw = JSON.parse(text) as { nodes: unknown[]; edges: unknown[] };
    const result = parseGraph(text, scheme);
    if (!result.ok) throw new Error(result.error);
    expect(result.graph.warnings).toEqual([]);
    expect(result.graph.releases).toHaveLength(raw.nodes.length);
    expect(result.graph.edges.flat()).toHaveLength(raw.edges.length);
  });

  test('the other scheme has nothing in them, and that is no fault', () => {
    const result = parseGraph(graphText('stable-x86_64-checksum'), 'oci');
    expect(result).toEqual({ ok: true, graph: { releases: [], edges: [], warnings: [], unusable: 179 } });
  });
});

describe('a node', () => {
  test('is read with all that is said about it', () => {
    const { releases } = parsed({
      nodes: [
        node(7, {
          'updates.barrier': 'true',
          'updates.barrier_reason': 'see\nhttps://example.org',
          'updates.deadend': 'true',
          'updates.rollout': 'true',
          'updates.start_epoch': '1784728800',
          'updates.start_value': '0.25',
          'updates.duration_minutes': '2880',
        }),
      ],
      edges: [],
    });
    expect(releases).toEqual([
      {
        version: '40.7',
        scheme: 'checksum',
        payload: checksum(7),
        ageIndex: 7n,
        barrier: 'see https://example.org',
        deadEnd: 'no reason given',
        rollout: { startWall: 1_784_728_800_000, startValue: 0.25, durationMinutes: 2880 },
      },
    ]);
  });

  test('is a barrier or a dead end only if it says "true"', () => {
    const { releases } = parsed({ nodes: [node(1, { 'updates.barrier': 'false', 'updates.deadend': '' })], edges: [] });
    expect(releases[0]).toMatchObject({ barrier: null, deadEnd: null, rollout: null });
  });

  test('in a rollout without details is paused at nobody', () => {
    const { releases } = parsed({ nodes: [node(1, { 'updates.rollout': 'true' })], edges: [] });
    expect(releases[0]?.rollout).toEqual({ startWall: 0, startValue: 0, durationMinutes: null });
  });

  const rollout = { 'updates.rollout': 'true' };
  test.each<[string, unknown, RegExp]>([
    ['not an object', 'x', /expected an object, found "x"/],
    ['null', null, /expected an object, found null/],
    ['without metadata', { version: '1', payload: checksum(1) }, /"metadata": expected an object, found nothing/],
    [
      'of an unknown scheme',
      node(1, { scheme: 'magic' }),
      /coreos.scheme": expected "checksum" or "oci", found "magic"/,
    ],
    ['with a numeric age', node(1, { 'releases.age_index': 1 }), /age_index": expected .* as text, found 1$/],
    ['with a negative age', node(1, { 'releases.age_index': '-1' }), /age_index/],
    ['with an age beyond 64 bits', node(1, { 'releases.age_index': '18446744073709551616' }), /age_index/],
    ['with no version', { ...node(1), version: '' }, /"version": expected/],
    ['with two lines of version', { ...node(1), version: '1\n2' }, /"version": expected .* found "1 2"/],
    ['with an endless version', { ...node(1), version: '1'.repeat(200) }, /"version": expected/],
    ['with a short payload', { ...node(1), payload: 'abc' }, /"payload": expected 64 hexadecimal digits, found "abc"/],
    ['with a payload in upper case', { ...node(1), payload: 'A'.repeat(64) }, /"payload"/],
    ['with a payload of the other scheme', { ...node(1), payload: `quay.io/a/b@sha256:${checksum(1)}` }, /"payload"/],
    ['with a list as payload', { ...node(1), payload: [1, 'a', {}] }, /found \[1, a text, an object\]/],
    [
      'with a bad start',
      node(1, { ...rollout, 'updates.start_epoch': 'soon' }),
      /start_epoch": expected whole seconds/,
    ],
    ['with a start beyond all dates', node(1, { ...rollout, 'updates.start_epoch': '9999999999999' }), /start_epoch/],
    ['with a share above 1', node(1, { ...rollout, 'updates.start_value': '1.5' }), /start_value": expected a number/],
    ['with a share that is none', node(1, { ...rollout, 'updates.start_value': 'NaN' }), /start_value/],
    ['with a bad duration', node(1, { ...rollout, 'updates.duration_minutes': '-5' }), /duration_minutes/],
  ])('%s costs itself and its edges, nothing else', (_, bad, warning) => {
    const edges = [
      [0, 1],
      [0, 2],
      [1, 2],
    ];
    const graph = parsed({ nodes: [node(5), bad, node(6)], edges });
    expect(graph.releases.map(({ version }) => version)).toEqual(['40.5', '40.6']);
    expect(graph.edges).toEqual([[1], []]);
    expect(graph.warnings).toHaveLength(1);
    expect(graph.warnings[0]).toMatch(/^node 1 left out: /);
    expect(graph.warnings[0]).toMatch(warning);
  });

  test('with the payload of an earlier one is that one: its edges count, once each', () => {
    const twice = { ...node(1), payload: checksum(5) };
    const edges = [
      [0, 1],
      [1, 2],
      [0, 2],
      [2, 1],
      [1, 3],
    ];
    const graph = parsed({ nodes: [node(5), twice, node(6), node(7)], edges });
    expect(graph.releases.map(({ version }) => version)).toEqual(['40.5', '40.6', '40.7']);
    expect(graph.edges).toEqual([[1, 2], [0], []]);
    expect(graph.warnings).toEqual([`node 1: an earlier release has its payload ${checksum(5)}, and is taken for it`]);
  });

  test('takes images with a port, and two names of one image count as one', () => {
    const digest = `sha256:${checksum(1)}`;
    const image = (name: string): unknown => ({
      ...node(1, { scheme: 'oci' }),
      payload: `${name}@${digest}`,
    });
    const text = JSON.stringify({ nodes: [image('localhost:5000/os'), image('quay.io/fedora/os')], edges: [] });
    const result = parseGraph(text, 'oci');
    expect(result.ok && result.graph.releases.map(({ payload }) => payload)).toEqual([`localhost:5000/os@${digest}`]);
    expect(result.ok && result.graph.warnings).toHaveLength(1);
  });
});

describe('an edge', () => {
  test.each<[string, unknown]>([
    ['out of range', [0, 2]],
    ['negative', [-1, 0]],
    ['fractional', [0, 0.5]],
    ['to itself', [1, 1]],
    ['of one end', [0]],
    ['of three ends', [0, 1, 1]],
    ['of texts', ['0', '1']],
    ['that is an object', { from: 0, to: 1 }],
    ['that is null', null],
  ])('%s costs only itself', (_, bad) => {
    const graph = parsed({ nodes: [node(1), node(2)], edges: [bad, [0, 1]] });
    expect(graph.edges).toEqual([[1], []]);
    expect(graph.warnings).toHaveLength(1);
    expect(graph.warnings[0]).toMatch(/^edge 0 left out: /);
  });
});

describe('the whole', () => {
  test.each<[string, string, RegExp]>([
    ['nothing', '', /in JSON, found ""/],
    ['a web page', '<html>\n<h1>502</h1>', /expected a graph in JSON, found "<html> <h1>502<\/h1>"/],
    ['a cut text', '{"nodes":[', /in JSON/],
    ['a list', '[]', /expected an object with "nodes" and "edges", found/],
    ['null', 'null', /found null/],
    ['no nodes', '{"edges":[]}', /"nodes": expected a list, found nothing/],
    ['no edges', '{"nodes":[],"edges":{}}', /"edges": expected a list, found an object/],
    ['too many nodes', JSON.stringify({ nodes: Array(20_001).fill(0), edges: [] }), /20001 entries, at most 20000/],
    ['too many edges', JSON.stringify({ nodes: [], edges: Array(200_001).fill(0) }), /200001 entries, at most 200000/],
    ['too much text', ' '.repeat(8 * 1024 * 1024 + 1), /larger than 8388608 characters/],
    ['too deep a nest', '['.repeat(1_000_000), /nested more than 64 levels deep/],
    ['too deep a nest that ends', `{"nodes":${'['.repeat(64)}${']'.repeat(64)},"edges":[]}`, /more than 64 levels/],
  ])('%s is an error', (_, text, error) => {
    const result = parseGraph(text, 'checksum');
    expect(result).toMatchObject({ ok: false });
    expect(!result.ok && result.error).toMatch(error);
  });

  test('a nest of 64 levels is taken, and brackets in texts are no nest', () => {
    const deep = `{"more":${'['.repeat(63)}${']'.repeat(63)},"text":"${'[{'.repeat(99)}\\"${'['.repeat(99)}","nodes":[],"edges":[]}`;
    expect(parseGraph(deep, 'checksum')).toMatchObject({ ok: true });
  });

  test('nodes of which none can be used are counted', () => {
    expect(parsed({ nodes: [node(1, { scheme: 'oci' }), 'x'], edges: [] }).unusable).toBe(2);
    expect(parsed({ nodes: [node(1), 'x'], edges: [] }).unusable).toBeUndefined();
  });

  test('an empty graph is a graph', () => {
    expect(parsed({ nodes: [], edges: [] })).toEqual({ releases: [], edges: [], warnings: [] });
  });

  test('keeps 20 warnings, the last of which counts the rest', () => {
    const { warnings } = parsed({ nodes: Array(100).fill('\u001b[2J'), edges: [] });
    expect(warnings).toHaveLength(20);
    expect(warnings[0]).toBe('node 0 left out: expected an object, found "[2J"');
    expect(warnings.at(-1)).toBe('and 81 more nodes or edges left out');
  });

  test('never throws, whatever the JSON, and what it keeps is sound', () => {
    const keys = ['scheme', 'releases.age_index', 'updates.rollout', 'updates.start_value'].map((key) => PREFIX + key);
    const values = fc.oneof(fc.constantFrom('checksum', 'oci', 'true', '1', '0.5', checksum(1)), fc.jsonValue());
    const nodes = fc.oneof(
      fc.record({ version: values, payload: values, metadata: fc.dictionary(fc.constantFrom(...keys), values) }),
      fc.jsonValue(),
    );
    const edges = fc.oneof(fc.tuple(fc.integer({ min: -1, max: 9 }), fc.integer({ min: -1, max: 9 })), fc.jsonValue());
    const graphs = fc.oneof(fc.record({ nodes: fc.array(nodes), edges: fc.array(edges) }), fc.jsonValue());
    fc.assert(
      fc.property(graphs, (value) => {
        const result = parseGraph(JSON.stringify(value), 'checksum');
        if (result.ok) expectSound(result.graph);
      }),
    );
  });

  test('survives real graphs with bytes changed', () => {
    const text = graphText('stable-aarch64-oci');
    const change = fc.tuple(
      fc.nat(text.length - 1),
      fc.constantFrom('', '"', '0', '9', '-', '}', ',', 'é', '\\', '\n'),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const mutated = changes.reduce((now, [at, by]) => now.slice(0, at) + by + now.slice(at + 1), text);
        const result = parseGraph(mutated, 'oci');
        if (result.ok) expectSound(result.graph);
        else expect(result.error).toMatch(/^[^\n]{1,400}$/);
      }),
    );
  });
});

function expectSound({ releases, edges, warnings }: Graph): void {
  expect(edges).toHaveLength(releases.length);
  for (const [from, targets] of edges.entries()) {
    for (const to of targets) expect(to !== from && releases[to] !== undefined).toBe(true);
  }
  expect(new Set(releases.map(({ payload }) => payload)).size).toBe(releases.length);
  expect(warnings.length).toBeLessThanOrEqual(20);
  for (const line of warnings) expect(line).toMatch(/^\P{Cc}{1,300}$/u);
}
