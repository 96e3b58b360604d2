import { oneLine } from '../base/text.ts';
import { isNestedDeeper } from './depth.ts';
import { payloadKey } from './lookup.ts';
import { describe, isFields, readRelease } from './release.ts';
import type { Graph, Release, Scheme } from './types.ts';

/** Characters beyond which a graph is not looked at. */
export const MAX_GRAPH_SIZE = 8 * 1024 * 1024;
const MAX_NODES = 20_000;
const MAX_EDGES = 200_000;
const MAX_WARNINGS = 20;
/** A graph has six levels; more are for what a server may add. */
const MAX_DEPTH = 64;

/** A graph, or why the text is none. */
export type ParseResult = { readonly ok: true; readonly graph: Graph } | { readonly ok: false; readonly error: string };

/**
 * Reads a Cincinnati graph as Fedora CoreOS serves it. A bad node or edge costs only itself, with a warning; nodes of
 * the other scheme are left out; nodes with one payload are one release. Not JSON, another shape, a nest of more than 64
 * levels, or more than 8 MiB, 20 000 nodes or 200 000 edges is an error.
 */
export function parseGraph(text: string, scheme: Scheme): ParseResult {
  const shape = readShape(text);
  if (typeof shape === 'string') return { ok: false, error: shape };
  const warnings = new Warnings();
  const { releases, places } = readNodes(shape.nodes, scheme, warnings);
  const edges = readEdges(shape.edges, places, releases, warnings);
  const unusable = releases.length === 0 && places.length > 0 ? { unusable: places.length } : {};
  return { ok: true, graph: { releases, edges, warnings: warnings.lines(), ...unusable } };
}

interface Shape {
  readonly nodes: readonly unknown[];
  readonly edges: readonly unknown[];
}

function readShape(text: string): Shape | string {
  if (text.length > MAX_GRAPH_SIZE) return `the graph is larger than ${MAX_GRAPH_SIZE} characters`;
  if (isNestedDeeper(text, MAX_DEPTH)) return `the graph is nested more than ${MAX_DEPTH} levels deep`;
  const value = parseJson(text);
  if (value === undefined) return `expected a graph in JSON, found "${oneLine(text.slice(0, 200), 60)}"`;
  if (!isFields(value)) return `expected an object with "nodes" and "edges", found ${describe(value)}`;
  const { nodes, edges } = value;
  if (!Array.isArray(nodes)) return `"nodes": expected a list, found ${describe(nodes)}`;
  if (!Array.isArray(edges)) return `"edges": expected a list, found ${describe(edges)}`;
  if (nodes.length > MAX_NODES) return `"nodes": ${nodes.length} entries, at most ${MAX_NODES} are taken`;
  if (edges.length > MAX_EDGES) return `"edges": ${edges.length} entries, at most ${MAX_EDGES} are taken`;
  return { nodes, edges };
}

/** Undefined when the text is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Marks a position in the received nodes whose release was left out; a reason was given or is not needed. */
const LEFT_OUT = -1;

/** The releases, and for each received node its place among them. */
function readNodes(
  nodes: readonly unknown[],
  scheme: Scheme,
  warnings: Warnings,
): { readonly releases: Release[]; readonly places: readonly number[] } {
  const releases: Release[] = [];
  const seen = new Map<string, number>();
  const places = nodes.map((node, position) => {
    const release = readRelease(node, scheme);
    if (release === null) return LEFT_OUT;
    if (typeof release === 'string') return warnings.add(() => `node ${position} left out: ${release}`);
    const key = payloadKey(release.payload);
    const first = seen.get(key);
    if (first !== undefined) {
      warnings.add(() => `node ${position}: an earlier release has its payload ${key}, and is taken for it`);
      return first;
    }
    seen.set(key, releases.length);
    return releases.push(release) - 1;
  });
  return { releases, places };
}

function readEdges(
  received: readonly unknown[],
  places: readonly number[],
  releases: readonly Release[],
  warnings: Warnings,
): number[][] {
  const edges: number[][] = releases.map(() => []);
  received.forEach((edge, position) => {
    const [from, to] = isPair(edge) ? [places[edge[0]], places[edge[1]]] : [];
    if (from === undefined || to === undefined) {
      warnings.add(() => `edge ${position} left out: expected the positions of two nodes, found ${describe(edge)}`);
    } else if (from !== LEFT_OUT && to !== LEFT_OUT) {
      if (from !== to) edges[from]?.push(to);
      else if (isLoop(edge)) warnings.add(() => `edge ${position} left out: it leads from a release to itself`);
    }
  });
  // Nodes that stand for one release may each have the same edge.
  return releases.length === places.length ? edges : edges.map((targets) => [...new Set(targets)]);
}

/** True for one node at both ends, rather than two that stand for one release. */
function isLoop(edge: unknown): boolean {
  return isPair(edge) && edge[0] === edge[1];
}

function isPair(edge: unknown): edge is [number, number] {
  return Array.isArray(edge) && edge.length === 2 && typeof edge[0] === 'number' && typeof edge[1] === 'number';
}

/** Keeps the first lines and counts the others: a hostile graph must not cost a line for each of its nodes. */
class Warnings {
  readonly #lines: string[] = [];
  #count = 0;

  add(line: () => string): typeof LEFT_OUT {
    this.#count += 1;
    if (this.#lines.length < MAX_WARNINGS) this.#lines.push(oneLine(line()));
    return LEFT_OUT;
  }

  lines(): readonly string[] {
    if (this.#count <= MAX_WARNINGS) return this.#lines;
    const rest = this.#count - MAX_WARNINGS + 1;
    return [...this.#lines.slice(0, MAX_WARNINGS - 1), `and ${rest} more nodes or edges left out`];
  }
}
