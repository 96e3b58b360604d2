import type { Standing } from '../colours.ts';

/** How a report is shown. */
export interface Look {
  /** Columns of a line, 40 or more. */
  readonly width: number;
  /** Makes something stand out. */
  readonly mark: (text: string, as: Standing) => string;
}

/** Words in lines of at most `width` columns, the first of which has only `first`. A longer word keeps a line for itself. */
export function wrapped(text: string, width: number, first = width): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const room = lines.length === 0 ? first : width;
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
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
