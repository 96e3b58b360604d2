import type { Io } from '../command.ts';

const ESC = '\u001b[';
/** The screen beside the scrolled one, without a cursor; and back. */
const [ENTER, LEAVE] = [`${ESC}?1049h${ESC}?25l`, `${ESC}?25h${ESC}?1049l`];

/** Where a status that changes is drawn over what was there. */
export class Screen {
  readonly #io: Pick<Io, 'stdout' | 'rows'>;
  #last: readonly string[] = [];
  #isEntered = false;

  constructor(io: Pick<Io, 'stdout' | 'rows'>) {
    this.#io = io;
  }

  /** Line by line over what is there, in one write: nothing is blank in between. */
  draw(lines: readonly string[]): void {
    const rows = this.#io.rows?.() ?? 24;
    this.#last = lines;
    const shown = lines.slice(0, Math.max(1, rows - 1)).map((line) => `${ESC}K${line}\r\n`);
    this.#io.stdout(`${this.#isEntered ? '' : ENTER}${ESC}H${shown.join('')}${ESC}J`);
    this.#isEntered = true;
  }

  /** Leaves what was shown last where it can be scrolled to. */
  close(): void {
    if (this.#isEntered) this.#io.stdout(`${LEAVE}${this.#last.join('\n')}\n`);
  }
}
