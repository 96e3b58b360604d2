import type { Io } from '../command.ts';
import { wrapped } from './layout.ts';

const ESC = '\u001b[';
/** The screen beside the scrolled one, without a cursor; and back. */
const [ENTER, LEAVE] = [`${ESC}?1049h${ESC}?25l`, `${ESC}?25h${ESC}?1049l`];

/** Where a status that changes is shown: drawn over on a terminal, else printed anew when it differs. */
export class Screen {
  readonly isLive: boolean;
  readonly #io: Pick<Io, 'stdout' | 'rows' | 'columns'>;
  #last: readonly string[] = [];
  #key = '';
  #isEntered = false;

  constructor(io: Pick<Io, 'stdout' | 'rows' | 'columns'>, isLive: boolean) {
    this.#io = io;
    this.isLive = isLive;
  }

  /** Line by line over what is there, in one write: nothing is blank in between. */
  draw(lines: readonly string[]): void {
    const rows = this.#io.rows?.() ?? 24;
    this.#last = lines;
    const columns = this.#io.columns() ?? Infinity;
    // A line that the terminal breaks takes the place of two. One that stands out has been laid out already.
    const fitting = lines.flatMap((line) =>
      line.length <= columns || line.includes(ESC) ? [line] : wrapped(line, columns),
    );
    const shown = fitting.slice(0, Math.max(1, rows - 1)).map((line) => `${line}${ESC}K\r\n`);
    this.#io.stdout(`${this.#isEntered ? '' : ENTER}${ESC}H${shown.join('')}${ESC}J`);
    this.#isEntered = true;
  }

  /** Prints a text when its key is another than that of the last one; null: nothing, but what comes next is printed. */
  changed(block: { readonly key: string; readonly text: string } | null): void {
    const key = block?.key ?? '';
    if (block !== null && key !== this.#key) this.#io.stdout(block.text);
    this.#key = key;
  }

  /** Leaves what was shown last where it can be scrolled to. */
  close(): void {
    if (this.#isEntered) this.#io.stdout(`${LEAVE}${this.#last.join('\n')}\n`);
  }
}
