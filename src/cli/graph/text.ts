import { oneLine } from '../../base/text.ts';
import { columns } from '../manager/columns.ts';
import { zoneClock, type ZoneClock } from '../local-time.ts';
import type { Standing } from '../colours.ts';
import { branchesOf, type GraphView, type NodeView } from './view.ts';
import { headline, type Kind, kindOf, remarks, skipsText } from './words.ts';

/** How what matters about a release is drawn, and stands out. */
const MARKS: Readonly<Record<Kind, readonly [string, Standing | null]>> = {
  start: ['●', 'good'],
  deadEnd: ['✗', 'wrong'],
  barrier: ['◆', 'notable'],
  rollout: ['◌', 'notable'],
  plain: ['○', null],
};
/** Targets of a release that are named. */
const MOST_TARGETS = 3;

/** A graph for people at a terminal; `zone` is the IANA name of their time zone. */
export function graphText(view: GraphView, zone: string, mark: (text: string, as: Standing) => string): string {
  const clock = zoneClock(zone);
  const lines = view.all ? listing(view, clock, mark) : drawing(view, clock, mark);
  const end = view.end === null ? [] : ['', `${sentence(view.end)}.`];
  const warnings = view.warnings.map((warning) => mark(`Left out of the graph: ${oneLine(warning)}.`, 'notable'));
  const paragraphs = [`${headline(view)}.`, '', ...lines, ...end, ...(warnings.length === 0 ? [] : ['', ...warnings])];
  return `${paragraphs.join('\n')}\n`;
}

type MarkText = (text: string, as: Standing) => string;

/** The path from top to bottom, dead ends beside it. */
function drawing({ nodes, path, edges, booted }: GraphView, clock: ZoneClock, mark: MarkText): readonly string[] {
  const shown = path.flatMap((place) => nodes[place] ?? []);
  const beside = branchesOf({ nodes, edges });
  const width = nodes.reduce((most, { version }) => Math.max(most, version.length), 0);
  const line = (node: NodeView): string => nodeLine(node, width, remarks(node, booted, clock), mark);
  return shown.flatMap((node, hop) => {
    const dead = (beside[path[hop - 1] ?? -1] ?? []).flatMap((to) => nodes[to] ?? []);
    const skips = skipsText(node.skips);
    return [
      ...dead.map((branch) => `  ├─${line(branch).trimStart()}`),
      ...(hop === 0 ? [] : [skips === '' ? '  │' : `  │     ${mark(skips, 'dim')}`]),
      line(node),
    ];
  });
}

function nodeLine(node: NodeView, width: number, words: readonly string[], mark: MarkText): string {
  const [sign, standing] = MARKS[kindOf(node)];
  const drawn = standing === null ? sign : mark(sign, standing);
  return `  ${drawn}  ${node.version.padEnd(width)}  ${words.join('; ')}`.trimEnd();
}

/** All releases, oldest first, with what each leads to. */
function listing({ nodes, edges, booted }: GraphView, clock: ZoneClock, mark: MarkText): readonly string[] {
  const targets = nodes.map((): string[] => []);
  for (const [from, to] of edges) targets[from]?.push(nodes[to]?.version ?? '');
  const rows = nodes.map((node, place) => [
    `${node.role === 'other' ? ' ' : '┃'} ${MARKS[kindOf(node)][0]}  ${node.version}`,
    targetsText(targets[place] ?? []),
    remarks(node, booted, clock).join('; '),
  ]);
  return columns(rows).map((text, place) => {
    const standing = nodes[place] === undefined ? null : MARKS[kindOf(nodes[place])][1];
    return `  ${standing === null ? text : mark(text, standing)}`;
  });
}

function targetsText(targets: readonly string[]): string {
  if (targets.length === 0) return '';
  const more = targets.length - MOST_TARGETS;
  return `→ ${targets.slice(0, MOST_TARGETS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function sentence(clause: string): string {
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1)}`;
}
