import { oneLine } from '../base/text.ts';

/** Columns of the narrowest terminal that is usual. */
const COLUMNS = 79;
/** A terminal that nobody reads from holds 4 KiB. */
const MOST_LINES = 40;
const MOST_CHARACTERS = 2_000;
/** Characters that show nothing, or not the same everywhere: joiners, marks of direction, halves of others. */
const UNSEEN = /[\p{Cf}\p{Cs}\p{Co}\p{Cn}]/gu;

/**
 * A message as it is written to a terminal: a bell, then lines of at most 79 characters where words allow it, apart from what was there
 * before and after. Of `text` its line breaks are kept; control characters are taken out, since a terminal would obey.
 * At most 2000 characters and 40 lines of it are shown.
 */
export function terminalText(text: string): string {
  const paragraphs = text.slice(0, MOST_CHARACTERS).split(/\r\n|[\r\n]/);
  const lines = paragraphs.flatMap((paragraph) => wrap(visible(paragraph, MOST_CHARACTERS)));
  // A program may have turned off what makes a line feed begin a new line.
  return ['\r\n\u0007', ...lines.slice(0, MOST_LINES).map((line) => `${line}\r\n`), '\r\n'].join('');
}

/** True for the name of a terminal below /dev: virtual and serial terminals, pseudo-terminals, consoles of hypervisors. */
export function isTerminalName(name: string): boolean {
  return /^(?:pts\/\d{1,7}|console|(?:tty[A-Za-z]{0,8}|hvc|xvc|sclp_line)\d{1,5})$/.test(name);
}

/** Text from outside as one line for a terminal, of at most `max` characters: as `oneLine`, and stricter. */
export function visible(text: string, max: number): string {
  return oneLine(text.replace(UNSEEN, ''), max);
}

/**
 * Lines of at most 79 characters. A word that is longer than a line stays whole: the terminal wraps it, and an address
 * can be copied.
 */
export function wrap(paragraph: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of paragraph.split(/\s+/u)) {
    if (line !== '' && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
