/** A small terminal that understands what we write to one. */
export interface FakeTerminal {
  readonly write: (text: string) => void;
  readonly size: () => { readonly columns: number; readonly rows: number };
  /** All lines that were ever scrolled or are on the screen, without spaces at their ends. */
  readonly lines: () => readonly string[];
  readonly isCursorShown: () => boolean;
  /** How often something was written. */
  readonly writes: () => number;
  /** Lines that were longer than the terminal is wide. */
  readonly wrapped: () => readonly string[];
}

const SEQUENCE = /\r|\n|\p{Cc}\[(\??)(\d*)([A-Za-z])|[^\p{Cc}]+/gu;

/** Makes one of some size. */
export function fakeTerminal(columns: number, rows: number): FakeTerminal {
  let screen: string[] = [''];
  let [x, y, writes, shown] = [0, 0, 0, true];
  const wrapped: string[] = [];
  const put = (text: string): void => {
    const line = (screen[y] ?? '').padEnd(x);
    screen[y] = line.slice(0, x) + text + line.slice(x + text.length);
    x += text.length;
    if (x > columns) wrapped.push(screen[y] ?? '');
  };
  const control = (count: number, letter: string): void => {
    // What has scrolled away cannot be reached any more.
    if (letter === 'A') y = Math.max(0, screen.length - rows, y - count);
    if (letter === 'K' || letter === 'J') screen[y] = (screen[y] ?? '').slice(0, x);
    if (letter === 'J') screen = screen.slice(0, y + 1);
  };
  const newLine = (): void => {
    [x, y] = [0, y + 1];
    screen[y] ??= '';
  };
  return {
    write: (text) => {
      writes += 1;
      for (const [all, mark, count, letter] of text.matchAll(SEQUENCE)) {
        if (all === '\r') x = 0;
        else if (all === '\n') newLine();
        else if (letter === undefined) put(all);
        else if (mark === '?') shown = letter === 'h';
        else control(Number(count === '' ? 1 : count), letter);
      }
    },
    size: () => ({ columns, rows }),
    lines: () => screen.map((line) => line.trimEnd()),
    isCursorShown: () => shown,
    writes: () => writes,
    wrapped: () => wrapped,
  };
}
