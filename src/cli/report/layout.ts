import type { Standing } from '../colours.ts';

/** How a report is shown. */
export interface Look {
  /** Columns of a line, 40 or more. */
  readonly width: number;
  /** Makes something stand out. */
  readonly mark: (text: string, as: Standing) => string;
}

/**
 * Words in lines of at most `width` columns, the first of which has only `first`. A word that no line has room for is
 * broken: a terminal would do so as well, and then show more lines than there are.
 */
export function wrapped(text: string, width: number, first = width): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const room = lines.length === 0 ? first : width;
    const needed = line === '' ? word.length : line.length + 1 + word.length;
    if (needed > room && (line !== '' || room < width)) {
      lines.push(line);
      line = '';
    }
    const [last = '', ...full] = pieces(word, width).toReversed();
    lines.push(...full.toReversed());
    line = line === '' ? last : `${line} ${last}`;
  }
  return [...lines, line];
}

/** A word in parts of at most `width` columns, none of which begins with the second half of a character. */
function pieces(word: string, width: number): readonly string[] {
  if (word.length <= width || width < 2) return [word];
  return word.match(new RegExp(`[^]{1,${width}}(?![\\udc00-\\udfff])`, 'g')) ?? [word];
}

/** A label, and text beside it, wrapped below itself, or further left where a word is too long. Empty text gives nothing. */
export function labelled(label: string, text: string, column: number, look: Look, as?: Standing): readonly string[] {
  if (text === '') return [];
  const longest = Math.max(...text.split(' ').map((word) => word.length));
  const indent = Math.max(2, Math.min(column, look.width - longest));
  const lines = wrapped(text, look.width - indent, look.width - column);
  const head = label.padEnd(column - 1);
  return lines.map(
    (line, index) => `${index === 0 ? `${as === undefined ? head : look.mark(head, as)} ` : ' '.repeat(indent)}${line}`,
  );
}

/** A point of a list, wrapped. */
export function point(text: string, { width }: Look): readonly string[] {
  return wrapped(text, width - 4).map((line, index) => `${index === 0 ? '  - ' : '    '}${line}`);
}
