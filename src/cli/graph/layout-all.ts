import { lanesOf } from './lanes.ts';
import type { Arrow, Box, Frame, Picture, Point } from './picture.ts';
import { type Forward, forwardEdges, ranksOf } from './ranks.ts';
import type { GraphView } from './view.ts';

/** Pixels. */
const MAIN = { width: 350, height: 56, gap: 10 };
const SMALL = { width: 130, height: 22, gap: 6 };
const FRAME = { padding: 7, gap: 10 };
const LAYER_GAP = 44;
const LANE = 9;
const MARGIN = 14;
/** Small boxes side by side. */
const COLUMNS = 6;
/** Lines that run side by side at the most; more share. */
const MOST_LANES = 16;

/** What edges lead from: a release by itself, or several that lead to the same ones. */
interface Group {
  readonly nodes: readonly number[];
  readonly targets: readonly number[];
  readonly isMain: boolean;
}

/**
 * The whole graph from the oldest releases down to the newest: on the left those that others lead to, beside them in
 * frames those that lead to the same ones.
 */
export function layoutAll(view: GraphView): Picture {
  const forward = forwardEdges(view);
  const ranks = ranksOf(forward);
  const groups = groupsOf(view, forward, ranks);
  const rankOf = ({ nodes }: Group): number => ranks[nodes[0] ?? 0] ?? 0;
  const layers = new Map<number, Group[]>();
  for (const group of groups) layers.set(rankOf(group), [...(layers.get(rankOf(group)) ?? []), group]);
  const order = [...layers.keys()].sort((a, b) => b - a);
  const placed = placeLayers(order.map((rank) => layers.get(rank) ?? []));
  return drawEdges(view, placed);
}

function groupsOf({ nodes, edges, path }: GraphView, { sources }: Forward, ranks: readonly number[]): readonly Group[] {
  const onPath = new Set(path);
  const all = nodes.map((): number[] => []);
  for (const [from, to] of edges) all[from]?.push(to);
  const groups = new Map<string, { nodes: number[]; targets: readonly number[]; isMain: boolean }>();
  nodes.forEach((_, place) => {
    const isMain = (sources[place] ?? 0) > 0 || onPath.has(place);
    const to = (all[place] ?? []).toSorted((a, b) => a - b);
    const key = isMain ? `main ${place}` : `${ranks[place] ?? 0} ${to.join()}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { nodes: [place], targets: to, isMain });
    else group.nodes.push(place);
  });
  return [...groups.values()];
}

interface Placed {
  readonly boxes: readonly Box[];
  readonly frames: readonly Frame[];
  /** In the order of layers. */
  readonly groups: readonly PlacedGroup[];
  readonly width: number;
  readonly height: number;
}

/** A group, and where lines leave it. */
interface PlacedGroup extends Group {
  readonly box: Frame;
  readonly layer: number;
  /** The y of the gap below its layer. */
  readonly below: number;
  /** Whether nothing else is between it and that gap: true for frames. */
  readonly isLast: boolean;
  /** Whether it is the first of its layer on the left. */
  readonly isFirst: boolean;
}

function placeLayers(layers: readonly (readonly Group[])[]): Placed {
  const boxes: Box[] = [];
  const frames: Frame[] = [];
  const groups: PlacedGroup[] = [];
  let [y, width] = [MARGIN, MAIN.width];
  layers.forEach((layer, number) => {
    const [mains, leaves] = [layer.filter(({ isMain }) => isMain), layer.filter(({ isMain }) => !isMain)];
    const mainHeight = Math.max(0, mains.length * (MAIN.height + MAIN.gap) - MAIN.gap);
    const leafHeights = leaves.map(({ nodes }) => frameOf(nodes.length).height + FRAME.gap);
    const leafHeight = Math.max(0, leafHeights.reduce((sum, one) => sum + one, 0) - FRAME.gap);
    const height = Math.max(mainHeight, leafHeight);
    const below = y + height + LAYER_GAP / 2;
    mains.forEach((group, index) => {
      const box = { x: 0, y: y + index * (MAIN.height + MAIN.gap), width: MAIN.width, height: MAIN.height };
      boxes.push({ ...box, node: group.nodes[0] ?? 0, lines: 2 });
      groups.push({ ...group, box, layer: number, below, isLast: index === mains.length - 1, isFirst: index === 0 });
    });
    let top = y;
    for (const group of leaves) {
      const frame = { x: MAIN.width + 40, y: top, ...frameOf(group.nodes.length) };
      frames.push(frame);
      boxes.push(...group.nodes.map((node, index) => smallBox(frame, node, index)));
      groups.push({ ...group, box: frame, layer: number, below, isLast: true, isFirst: false });
      top += frame.height + FRAME.gap;
      width = Math.max(width, frame.x + frame.width);
    }
    y += height + LAYER_GAP;
  });
  return { boxes, frames, groups, width, height: Math.max(MARGIN, y - LAYER_GAP) + MARGIN };
}

function frameOf(amount: number): { readonly width: number; readonly height: number } {
  const [columns, rows] = [Math.min(amount, COLUMNS), Math.ceil(amount / COLUMNS)];
  return {
    width: columns * (SMALL.width + SMALL.gap) - SMALL.gap + 2 * FRAME.padding,
    height: rows * (SMALL.height + SMALL.gap) - SMALL.gap + 2 * FRAME.padding,
  };
}

function smallBox({ x, y }: Point, node: number, index: number): Box {
  return {
    x: x + FRAME.padding + (index % COLUMNS) * (SMALL.width + SMALL.gap),
    y: y + FRAME.padding + Math.floor(index / COLUMNS) * (SMALL.height + SMALL.gap),
    width: SMALL.width,
    height: SMALL.height,
    node,
    lines: 0,
  };
}

/** An edge that finds no straight way: it runs along one side of the picture. */
interface Detour {
  readonly from: PlacedGroup;
  readonly to: Box;
  readonly kind: Arrow['kind'];
}

function drawEdges({ path }: GraphView, placed: Placed): Picture {
  const onPath = new Set(path.slice(1).map((to, hop) => `${path[hop] ?? -1} ${to}`));
  const boxOf = new Map(placed.boxes.map((box) => [box.node, box]));
  const groupOf = new Map(placed.groups.flatMap((group) => group.nodes.map((node) => [node, group] as const)));
  const straight: Arrow[] = [];
  const [left, right]: [Detour[], Detour[]] = [[], []];
  for (const from of placed.groups) {
    for (const target of from.targets) {
      const [to, group, first] = [boxOf.get(target), groupOf.get(target), from.nodes[0] ?? -1];
      if (to === undefined || group === undefined) continue;
      const kind = target <= first ? 'back' : onPath.has(`${first} ${target}`) && from.isMain ? 'path' : 'edge';
      const isNext = group.isFirst && group.layer === from.layer + 1 && from.isLast && kind !== 'back';
      if (isNext) straight.push({ points: straightWay(from, to), kind, label: null });
      else (kind === 'back' ? right : left).push({ from, to, kind });
    }
  }
  const [before, after] = [detours(left, -1, placed.width), detours(right, 1, placed.width)];
  const shift = MARGIN + before.width;
  const move = <T extends Point>(point: T): T => ({ ...point, x: point.x + shift });
  const arrows = [...before.arrows, ...after.arrows, ...straight];
  // What is drawn last lies above the others.
  const ordered = [...arrows.filter(({ kind }) => kind !== 'path'), ...arrows.filter(({ kind }) => kind === 'path')];
  return {
    width: placed.width + shift + after.width + MARGIN,
    height: placed.height,
    boxes: placed.boxes.map(move),
    frames: placed.frames.map(move),
    arrows: ordered.map((arrow) => ({ ...arrow, points: arrow.points.map(move) })),
  };
}

/** Down into the next layer: from the left column straight, from a frame along the gap. */
function straightWay({ box, below, isMain }: PlacedGroup, to: Box): readonly Point[] {
  const x = to.x + to.width / 2;
  if (isMain)
    return [
      { x, y: box.y + box.height },
      { x, y: to.y },
    ];
  const [start, end] = [box.x + 24, to.x + to.width - 30];
  // Beside frames of the same layer that are below this one.
  return [
    { x: box.x, y: box.y + Math.min(box.height / 2, 20) },
    { x: start - 44, y: box.y + Math.min(box.height / 2, 20) },
    { x: start - 44, y: below },
    { x: end, y: below },
    { x: end, y: to.y },
  ];
}

/** Around the left (-1) or right (1) side of everything, in lanes. */
function detours(
  list: readonly Detour[],
  side: -1 | 1,
  width: number,
): { readonly arrows: readonly Arrow[]; readonly width: number } {
  const spans = list.map(({ from, to }) => ({
    from: Math.min(from.box.y, to.y),
    to: Math.max(from.below, to.y + to.height),
  }));
  const { lanes, amount } = lanesOf(spans, MOST_LANES);
  const arrows = list.map(({ from, to, kind }, index) => {
    const lane = LANE * (1 + (lanes[index] ?? 0));
    const x = side < 0 ? -lane : width + lane;
    const end = { x: side < 0 ? to.x : to.x + to.width, y: to.y + to.height / 2 };
    const points = [...wayOut(from, side, x), { x, y: end.y }, end];
    return { points, kind, label: null };
  });
  return { arrows, width: amount === 0 ? 0 : LANE * (amount + 1) };
}

function wayOut({ box, below, isMain }: PlacedGroup, side: -1 | 1, x: number): readonly Point[] {
  const y = box.y + Math.min(box.height / 2, 20);
  if (isMain || side > 0)
    return [
      { x: side < 0 ? box.x : box.x + box.width, y },
      { x, y },
    ];
  return [
    { x: box.x, y },
    { x: box.x - 20, y },
    { x: box.x - 20, y: below },
    { x, y: below },
  ];
}
