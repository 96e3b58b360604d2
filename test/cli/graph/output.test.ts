import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { format } from 'prettier';
import { describe, expect, test } from 'vitest';
import { graphDot } from '../../../src/cli/graph/dot.ts';
import { graphSvg } from '../../../src/cli/graph/svg.ts';
import { graphText } from '../../../src/cli/graph/text.ts';
import { GRAPH_SCHEMA, graphJson } from '../../../src/cli/graph/wire.ts';
import { graphOf, release, versionOf } from '../../graph/fixtures.ts';
import { expectGolden } from '../../support/golden.ts';
import { anyGraph, HOSTILE, longChain, recorded, view } from './graphs.ts';

const GOLDEN = join(import.meta.dirname, '..', 'golden');
const plain = (text: string): string => text;
/** What XML 1.0 cannot hold. */
const NOT_XML = /[^\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** The elements of an XML text as a list; fails where they are not nested well, or a text has what it must not. */
function elementsOf(xml: string): readonly string[] {
  const open: string[] = [];
  const seen: string[] = [];
  const parts = xml.split(/(<[^<>]*>)/);
  for (const part of parts) {
    const tag = /^<(\/?)([a-z]+)((?:\s+[a-zA-Z:-]+="[^"<>]*")*)\s*(\/?)>$/.exec(part);
    if (tag === null) {
      expect(part).not.toMatch(/[<>]|&(?!(?:amp|lt|gt|quot|apos);)/);
      continue;
    }
    const [, close, name = '', , empty] = tag;
    if (close === '/') expect(open.pop()).toBe(name);
    else seen.push(name);
    if (close === '' && empty === '') open.push(name);
  }
  expect(open).toEqual([]);
  expect(xml).not.toMatch(NOT_XML);
  return seen;
}

describe('the picture', () => {
  test('has every release once, whatever is written about it', () => {
    const graph = longChain();
    for (const all of [true, false]) {
      const svg = graphSvg(view(graph, graph.releases[0]!, all), 'UTC');
      const elements = elementsOf(svg);
      expect(elements.filter((name) => name === 'title')).toHaveLength(graph.releases.length + 1);
      expect(elements).not.toContain('script');
      for (const { version } of graph.releases) expect(svg.split(`<title>${version}\n`).length - 1).toBeLessThan(2);
    }
  });

  test('of any graph is XML', () => {
    fc.assert(
      fc.property(anyGraph, fc.boolean(), ({ graph, start }, all) => {
        elementsOf(graphSvg(view(graph, start, all), 'Europe/Berlin'));
      }),
      { numRuns: 60 },
    );
  });

  test('has room for every text', () => {
    const graph = longChain();
    const svg = graphSvg(view(graph, graph.releases[0]!, false), 'UTC');
    const texts = [...svg.matchAll(/<text x="([\d.]+)" y="[\d.]+" font-size="([\d.]+)"[^>]*>([^<]*)</g)];
    const [, width = ''] = /viewBox="0 0 ([\d.]+)/.exec(svg) ?? [];
    expect(texts.length).toBeGreaterThan(300);
    for (const [, x, size, text = ''] of texts) {
      const characters = text.replace(/&[a-z]+;/g, '&').length;
      expect(Number(x) + characters * Number(size) * 0.602, text).toBeLessThanOrEqual(Number(width));
    }
  });

  test('of the stream stable is as it was looked at', () => {
    const graph = recorded('stable-x86_64-checksum');
    const start = versionOf(graph, '42.20250818.3.0');
    expectGolden(
      graphSvg(view(graph, start, false), 'Europe/Berlin'),
      join(import.meta.dirname, '../../../docs/graph.svg'),
    );
    expectGolden(graphSvg(view(graph, start, true), 'Europe/Berlin'), join(GOLDEN, 'graph-all.svg'));
  });
});

describe('for Graphviz', () => {
  /** Statements, with what is quoted taken out. */
  function statements(dot: string): readonly string[] {
    return dot
      .replace(/"(?:[^"\\]|\\.)*"/g, 'TEXT')
      .split('\n')
      .map((line) => line.trim());
  }

  test('nothing of what a server says gets out of its quotes', () => {
    const graph = longChain();
    const dot = graphDot(view(graph, graph.releases[0]!, true), 'UTC');
    const [nodes, edges] = [
      /^n\d+ \[label=TEXT, fillcolor=TEXT\];$/,
      /^n\d+ -> n\d+(?: \[penwidth=2.5, color=TEXT(?:, label=TEXT)?\])?;$/,
    ];
    const lines = statements(dot).slice(4, -2);
    expect(lines.filter((line) => nodes.test(line))).toHaveLength(graph.releases.length);
    for (const line of lines) expect(nodes.test(line) || edges.test(line), line).toBe(true);
  });

  const hasDot = spawnSync('dot', ['-V']).status === 0;
  test.skipIf(!hasDot)('it is as Graphviz wants it', () => {
    const graph = longChain();
    const input = graphDot(view(graph, graph.releases[0]!, true), 'UTC');
    const { status, stderr, stdout } = spawnSync('dot', ['-Tplain'], { input, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.match(/^node /gm)).toHaveLength(graph.releases.length);
  });
});

describe('for a terminal', () => {
  test.each([
    ['path', '42.20250818.3.0', false],
    ['newest', '44.20260707.3.1', false],
    ['all', '42.20250818.3.0', true],
  ])('%s', (name, from, all) => {
    const graph = recorded('stable-x86_64-checksum');
    const text = graphText(view(graph, versionOf(graph, from), all), 'Europe/Berlin', plain);
    expectGolden(text, join(GOLDEN, `graph-${name}.txt`));
  });

  test('dead ends are beside the way', () => {
    const graph = graphOf(
      [release(1), release(2, { deadEnd: 'it does not boot' }), release(3, { barrier: HOSTILE }), release(4)],
      [
        [0, 1],
        [0, 2],
        [2, 3],
      ],
    );
    const text = graphText(view(graph, graph.releases[0]!, false), 'UTC', (part, as) => `[${as} ${part}]`);
    expect(text).toMatch(/^ {2}├─\[wrong ✗\] {2}40\.2 {2}dead end: it does not boot$/m);
    expect(text).toMatch(/^ {2}\[notable ◆\] {2}40\.3 {2}barrier: <script>/m);
    expect(text).toContain('\n40.4 is the newest release.\n');
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  test('a rollout says when it is here', () => {
    const startWall = Date.parse('2026-07-23T14:00Z');
    const texts = [startWall - 1000, startWall + 3_600_000, startWall + 8_000_000].map((at) => {
      const rollout = { startWall, startValue: 0, durationMinutes: 100 };
      const graph = graphOf([release(1), release(2, { rollout })], [[0, 1]]);
      return graphText(view(graph, graph.releases[0]!, false, at), 'Europe/Berlin', plain);
    });
    expect(texts[0]).toContain('rollout not started, reaches this host at about Thu 2026-07-23 17:10 +02:00');
    expect(texts[1]).toContain('rollout at 60 %, reaches this host at about Thu 2026-07-23 17:10 +02:00');
    expect(texts[2]).not.toContain('rollout');
  });
});

describe('for programs', () => {
  test('it is JSON', () => {
    const graph = recorded('stable-x86_64-checksum');
    const { nodes, edges, path, ...rest } = JSON.parse(
      graphJson(view(graph, versionOf(graph, '42.20250818.3.0'), false)),
    ) as Readonly<Record<string, readonly unknown[]>>;
    expect(rest).toMatchObject({ version: 1, from: '42.20250818.3.0', all: false, releases: 179, warnings: [] });
    expect([nodes?.length, edges?.length, path]).toEqual([5, 4, [0, 1, 2, 3, 4]]);
    expect(nodes?.[1]).toMatchObject({ version: '42.20250929.3.0', role: 'path', hop: 1, rollout: null });
    expect(nodes?.[4]).toMatchObject({ newest: true, rollout: { state: 'notReached', percent: 50 } });
  });

  test('the JSON is documented', async () => {
    const text = await format(JSON.stringify(GRAPH_SCHEMA), { parser: 'json', printWidth: 120 });
    expectGolden(text, join(import.meta.dirname, '../../../docs/graph.schema.json'));
  });
});
