import { oneLine } from '../../base/text.ts';
import { zoneClock, type ZoneClock } from '../local-time.ts';
import { layoutAll } from './layout-all.ts';
import { layoutPath } from './layout-path.ts';
import type { Arrow, Box, Frame, Picture } from './picture.ts';
import type { GraphView, NodeView } from './view.ts';
import { headline, type Kind, kindOf, remarks } from './words.ts';

const STYLES: Readonly<Record<Kind, { readonly fill: string; readonly line: string; readonly name: string }>> = {
  start: { fill: '#cfe3ff', line: '#1f5fbf', name: 'start' },
  barrier: { fill: '#ffedc2', line: '#b07a00', name: 'barrier' },
  rollout: { fill: '#ecdfff', line: '#7a44c9', name: 'rollout, not here yet' },
  deadEnd: { fill: '#ffd9d9', line: '#c02525', name: 'dead end' },
  plain: { fill: '#ffffff', line: '#8a8a8a', name: 'other' },
};
const ARROWS: Readonly<Record<Arrow['kind'], string>> = {
  path: 'stroke="#1f6feb" stroke-width="3" marker-end="url(#tip-path)"',
  edge: 'stroke="#8a8a8a" stroke-width="1.3" marker-end="url(#tip-edge)"',
  back: 'stroke="#8a8a8a" stroke-width="1.3" stroke-dasharray="5 4" marker-end="url(#tip-edge)"',
};
/** Pixels: of the text above the picture, and of the legend below that. */
const HEAD = { line: 20, top: 14, legend: 30 };
/** What a character is wide, as a part of the size of the font. */
const ADVANCE = 0.605;
const FONT = { version: 13, small: 11, remark: 10.5 };
const PADDING = 9;
const NARROWEST = 720;

/** A graph as a picture; `zone` is the IANA name of the reader's time zone. */
export function graphSvg(view: GraphView, zone: string): string {
  const clock = zoneClock(zone);
  const picture = view.all ? layoutAll(view) : layoutPath(view);
  const width = Math.max(NARROWEST, picture.width);
  const words = [headline(view), ...(view.end === null ? [] : [view.end]), `Graph: ${view.source}`];
  const head = words.flatMap((text) => wrapped(text, width - 28, FONT.version, 3));
  const top = HEAD.top + head.length * HEAD.line + HEAD.legend;
  const height = top + picture.height;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="'DejaVu Sans Mono', Menlo, Consolas, monospace">`,
    `<title>${escaped(headline(view))}</title>`,
    `<defs>${tip('path', '#1f6feb', 3.2)}${tip('edge', '#8a8a8a', 6.5)}</defs>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...head.map((text, line) => textAt(14, HEAD.top + (line + 0.7) * HEAD.line, FONT.version, text, line === 0)),
    legend(HEAD.top + head.length * HEAD.line + 4),
    `<g transform="translate(0 ${top})">`,
    ...drawn(picture, view, clock),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function drawn({ frames, arrows, boxes }: Picture, view: GraphView, clock: ZoneClock): readonly string[] {
  return [
    ...frames.map(frameSvg),
    ...arrows.map(arrowSvg),
    ...boxes.flatMap((box) => {
      const node = view.nodes[box.node];
      return node === undefined ? [] : boxSvg(box, node, remarks(node, view.booted, clock));
    }),
  ];
}

function boxSvg({ x, y, width, height, lines }: Box, node: NodeView, words: readonly string[]): string {
  const { fill, line } = STYLES[kindOf(node)];
  const thick = node.role === 'start' || node.role === 'path' ? 2.5 : 1;
  const room = width - 2 * PADDING;
  const size = lines === 0 ? FONT.small : FONT.version;
  const first = lines === 0 ? y + height / 2 + size * 0.36 : y + 17;
  const rest = words.flatMap((word) => wrapped(word, room, FONT.remark, Math.min(lines, 3))).slice(0, lines);
  return [
    `<g class="release"><title>${escaped([node.version, ...words].join('\n'))}</title>`,
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="5" fill="${fill}" stroke="${line}" stroke-width="${thick}"/>`,
    textAt(x + PADDING, first, size, cut(node.version, room, size), lines > 0),
    ...rest.map((text, index) => textAt(x + PADDING, first + 15 * (index + 1), FONT.remark, text, false)),
    '</g>',
  ].join('');
}

function frameSvg({ x, y, width, height }: Frame): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" fill="#f4f4f4" stroke="#c4c4c4"/>`;
}

function arrowSvg({ points, kind, label }: Arrow): string {
  const line = points.map(({ x, y }) => `${x},${y}`).join(' ');
  const text = label === null ? '' : textAt(label.x, label.y, FONT.remark, cut(label.text, 82, FONT.remark), false);
  return `<polyline points="${line}" fill="none" ${ARROWS[kind]}/>${text}`;
}

function tip(name: string, colour: string, size: number): string {
  return `<marker id="tip-${name}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="${size}" markerHeight="${size}" orient="auto"><path d="M0 0 8 4 0 8Z" fill="${colour}"/></marker>`;
}

function legend(y: number): string {
  let x = 14;
  const parts = Object.values(STYLES).map(({ fill, line, name }) => {
    const part = `<rect x="${x}" y="${y}" width="14" height="12" rx="2" fill="${fill}" stroke="${line}"/>${textAt(x + 20, y + 10, FONT.remark, name, false)}`;
    x += 20 + (name.length + 3) * FONT.remark * ADVANCE;
    return part;
  });
  return parts.join('');
}

function textAt(x: number, y: number, size: number, text: string, bold: boolean): string {
  const weight = bold ? ' font-weight="bold"' : '';
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}"${weight} fill="#1a1a1a">${escaped(text)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Columns of a character: those beyond Latin may be as wide as two. */
function columnsOf(character: string): number {
  return (character.codePointAt(0) ?? 0) < 0x250 ? 1 : 2;
}

/** As much of a text as has room. */
function cut(text: string, width: number, size: number): string {
  return wrapped(text, width, size, 1)[0] ?? '';
}

/** A text as lines that have room: broken at spaces, else anywhere, for links have none. The last one may be cut. */
function wrapped(text: string, width: number, size: number, most: number): readonly string[] {
  const room = Math.max(2, Math.floor(width / (size * ADVANCE)));
  const lines: string[] = [];
  let line = '';
  for (const character of oneLine(text, 1000)) {
    if (widthOf(line) + columnsOf(character) <= room) line += character;
    else if (lines.length === most - 1) return [...lines, shortened(line, room)];
    else {
      const space = line.lastIndexOf(' ');
      // A word that is most of a line, as a link is, begins here all the same.
      const end = space > room / 3 ? space : line.length;
      lines.push(line.slice(0, end));
      line = `${line.slice(end)}${character}`.trimStart();
    }
  }
  return [...lines, line];
}

function widthOf(line: string): number {
  return Array.from(line).reduce((sum, character) => sum + columnsOf(character), 0);
}

function shortened(line: string, room: number): string {
  const characters = Array.from(line);
  while (widthOf(characters.join('')) + 2 > room) characters.pop();
  return `${characters.join('')}…`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Text within an element or attribute. What XML cannot hold is left out. */
export function escaped(text: string): string {
  return text
    .replace(/[^\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
