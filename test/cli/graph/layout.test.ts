import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layoutAll } from '../../../src/cli/graph/layout-all.ts';
import { layoutPath } from '../../../src/cli/graph/layout-path.ts';
import type { Picture } from '../../../src/cli/graph/picture.ts';
import { forwardEdges, ranksOf } from '../../../src/cli/graph/ranks.ts';
import type { GraphView } from '../../../src/cli/graph/view.ts';
import type { Graph, Release } from '../../../src/graph/types.ts';
import { SCOPES } from '../../graph/fixtures.ts';
import { anyGraph, longChain, recorded, view } from './graphs.ts';

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function meet(a: Area, b: Area): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function holds(outer: Area, inner: Area): boolean {
  return (
    outer.x <= inner.x &&
    outer.y <= inner.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

/** What is true of every drawing. */
function expectGood(picture: Picture, { nodes }: GraphView): void {
  const { boxes, frames, arrows, width, height } = picture;
  const whole = { x: 0, y: 0, width, height };
  expect(boxes.map(({ node }) => node).sort((a, b) => a - b)).toEqual(nodes.map((_, place) => place));
  expect([...boxes, ...frames].filter((area) => !holds(whole, area))).toEqual([]);
  const points = arrows.flatMap((arrow) => [
    ...arrow.points,
    ...(arrow.label === null ? [] : [{ x: arrow.label.x + 60, y: arrow.label.y }]),
  ]);
  expect(points.filter((point) => !holds(whole, { ...point, width: 0, height: 0 }))).toEqual([]);
  const clashes = boxes.flatMap((box, index) => [
    ...boxes.slice(index + 1).filter((other) => meet(box, other)),
    ...frames.filter((frame) => meet(frame, box) && !holds(frame, box)),
  ]);
  const framesMeet = frames.filter((frame, index) => frames.slice(index + 1).some((other) => meet(frame, other)));
  expect([...clashes, ...framesMeet]).toEqual([]);
}

/** Every arrow ends at the edge of a box, and every edge of the graph has one, at its release or the frame around it. */
function expectArrows({ arrows, boxes, frames }: Picture, { edges }: GraphView): void {
  const touches = (area: Area, { x, y }: { readonly x: number; readonly y: number }): boolean =>
    x >= area.x && x <= area.x + area.width && y >= area.y && y <= area.y + area.height;
  const drawn = new Set(
    arrows.flatMap(({ points }) => {
      const [start, end] = [points[0]!, points.at(-1)!];
      const to = boxes.filter((box) => touches(box, end));
      expect(to).toHaveLength(1);
      const frame = frames.find((one) => touches(one, start));
      const from = boxes.filter((box) => (frame === undefined ? touches(box, start) : holds(frame, box)));
      return from.map(({ node }) => `${node} ${to[0]!.node}`);
    }),
  );
  expect([...drawn].sort()).toEqual([...new Set(edges.map((edge) => edge.join(' ')))].sort());
}

function oldest(graph: Graph): Release {
  return graph.releases.reduce((best, one) => (one.ageIndex < best.ageIndex ? one : best));
}

describe('every release is drawn once, apart from the others', () => {
  test.each(SCOPES)('of $name', ({ name, scheme }) => {
    const graph = recorded(name, scheme);
    const [all, way] = [view(graph, oldest(graph), true), view(graph, oldest(graph), false)];
    expectGood(layoutAll(all), all);
    expectArrows(layoutAll(all), all);
    expectGood(layoutPath(way), way);
  });

  test('of two hundred in a row', () => {
    const graph = longChain();
    const [all, way] = [view(graph, oldest(graph), true), view(graph, oldest(graph), false)];
    expect(way.nodes).toHaveLength(graph.releases.length);
    expectGood(layoutPath(way), way);
    expectGood(layoutAll(all), all);
  });

  test('of any graph', () => {
    fc.assert(
      fc.property(anyGraph, fc.boolean(), ({ graph, start }, from) => {
        const [all, way] = [view(graph, from ? start : null, true), view(graph, start, false)];
        expectGood(layoutAll(all), all);
        expectArrows(layoutAll(all), all);
        expectGood(layoutPath(way), way);
      }),
      { numRuns: 300 },
    );
  });
});

test('every edge to a newer release leads down', () => {
  fc.assert(
    fc.property(anyGraph, ({ graph }) => {
      const all = view(graph, null, true);
      const ranks = ranksOf(forwardEdges(all));
      for (const [from, to] of all.edges) if (from < to) expect(ranks[from]).toBeGreaterThan(ranks[to]!);
    }),
  );
});

test('a real stream is no more than a few pages', () => {
  const graph = recorded('next-x86_64-checksum');
  const picture = layoutAll(view(graph, null, true));
  expect(picture.boxes).toHaveLength(217);
  expect(picture.width).toBeLessThan(1300);
  expect(picture.height).toBeLessThan(2700);
});
