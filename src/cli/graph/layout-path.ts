import type { Arrow, Box, Picture, Point } from './picture.ts';
import { branchesOf, type GraphView } from './view.ts';

/** Pixels. */
const BOX = { width: 250, height: 84 };
const BRANCH = { width: 250, height: 40, gap: 6 };
const GAP = { x: 92, y: 46 };
const MARGIN = { x: 36, y: 12 };
/** Boxes side by side. */
const COLUMNS = 4;
/** From a box to the line that leads around the end of its row. */
const TURN = 18;

/** The path as rows from left to right, dead ends below the release that leads to them. */
export function layoutPath({ nodes, edges, path }: GraphView): Picture {
  const beside = branchesOf({ nodes, edges });
  const branches = path.map((place) => beside[place] ?? []);
  const homes = firstHomes(branches);
  const boxes: Box[] = [];
  const arrows: Arrow[] = [];
  let y = MARGIN.y;
  for (let first = 0; first < path.length; first += COLUMNS) {
    const row = path.slice(first, first + COLUMNS);
    row.forEach((node, column) => {
      const x = MARGIN.x + column * (BOX.width + GAP.x);
      const box = { ...BOX, x, y, node, lines: 4 };
      boxes.push(box);
      const below = homes[first + column] ?? [];
      below.forEach((dead, index) => boxes.push(branchBox(box, dead, index)));
      if (below.length > 0)
        arrows.push({
          points: [bottom(box), { x: x + BOX.width / 2, y: y + BOX.height + BRANCH.gap }],
          kind: 'edge',
          label: null,
        });
    });
    const most = Math.max(...row.map((_, column) => homes[first + column]?.length ?? 0));
    y += BOX.height + most * (BRANCH.height + BRANCH.gap) + GAP.y;
  }
  const places = new Map(boxes.map((box) => [box.node, box]));
  path.slice(1).forEach((node, hop) => {
    const [from, to] = [places.get(path[hop] ?? -1), places.get(node)];
    const skips = nodes[node]?.skips.length ?? 0;
    if (from !== undefined && to !== undefined) arrows.push(pathArrow(from, to, skips === 0 ? '' : `skips ${skips}`));
  });
  const columns = Math.min(COLUMNS, Math.max(1, path.length));
  const width = 2 * MARGIN.x + columns * BOX.width + (columns - 1) * GAP.x;
  return { width, height: Math.max(y - GAP.y, 0) + MARGIN.y, boxes, frames: [], arrows };
}

/** A dead end that several releases lead to is drawn once, below the last of them: who comes there has seen no way. */
function firstHomes(branches: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const last = new Map(branches.flatMap((some, hop) => some.map((node) => [node, hop] as const)));
  return branches.map((some, hop) => some.filter((node) => last.get(node) === hop));
}

function branchBox({ x, y }: Box, node: number, index: number): Box {
  const top = y + BOX.height + BRANCH.gap + index * (BRANCH.height + BRANCH.gap);
  return { x, y: top, width: BRANCH.width, height: BRANCH.height, node, lines: 1 };
}

function bottom({ x, y, width, height }: Box): Point {
  return { x: x + width / 2, y: y + height };
}

function pathArrow(from: Box, to: Box, label: string): Arrow {
  const [start, end] = [
    { x: from.x + from.width, y: from.y + BOX.height / 2 },
    { x: to.x, y: to.y + BOX.height / 2 },
  ];
  const words = (at: Point): Arrow['label'] => (label === '' ? null : { x: at.x + 7, y: at.y - 7, text: label });
  if (from.y === to.y) return { points: [start, end], kind: 'path', label: words(start) };
  const [right, left, between] = [start.x + TURN, to.x - TURN, to.y - GAP.y / 2];
  const around = [
    { x: right, y: start.y },
    { x: right, y: between },
    { x: left, y: between },
    { x: left, y: end.y },
  ];
  // Where a row ends there is no room beside it.
  return { points: [start, ...around, end], kind: 'path', label: words({ x: from.x, y: between }) };
}
