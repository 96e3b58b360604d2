import { zoneClock } from '../local-time.ts';
import type { GraphView } from './view.ts';
import { headline, type Kind, kindOf, remarks } from './words.ts';

const FILLS: Readonly<Record<Kind, string>> = {
  start: '#cfe3ff',
  deadEnd: '#ffd6d6',
  barrier: '#ffe9b8',
  rollout: '#e9dcff',
  plain: '#ffffff',
};

/** A graph in the language of Graphviz; `zone` is the IANA name of the reader's time zone. */
export function graphDot(view: GraphView, zone: string): string {
  const clock = zoneClock(zone);
  const { nodes, edges, path, booted, end } = view;
  const onPath = new Set(path.slice(1).map((to, hop) => `${path[hop] ?? -1} ${to}`));
  const lines = [
    ...nodes.map((node, place) => {
      const text = [node.version, ...remarks(node, booted, clock)].map(quotable).join('\\n');
      return `n${place} [label="${text}", fillcolor="${FILLS[kindOf(node)]}"];`;
    }),
    ...edges.map(([from, to]) => {
      const skips = nodes[to]?.skips.length ?? 0;
      const isPath = onPath.has(`${from} ${to}`);
      const label = isPath && skips > 0 ? `, label="skips ${skips}"` : '';
      return `n${from} -> n${to}${isPath ? ` [penwidth=2.5, color="#1f6feb"${label}]` : ''};`;
    }),
  ];
  const title = quotable([headline(view), ...(end === null ? [] : [end])].join('; '));
  const head = [
    `label="${title}"; labelloc=t; rankdir=TB;`,
    'node [shape=box, style="filled,rounded", fontname="sans-serif", fontsize=10];',
    'edge [color="#888888", fontname="sans-serif", fontsize=9];',
  ];
  return `digraph updates {\n${[...head, ...lines].map((line) => `  ${line}\n`).join('')}}\n`;
}

/** Text within quotes: Graphviz takes backslashes for its own, and entities as HTML has them. */
function quotable(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}
