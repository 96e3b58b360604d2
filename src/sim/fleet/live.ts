/** A terminal, as far as it is drawn on. */
export interface Terminal {
  readonly write: (text: string) => void;
  /** Its measures at this moment. */
  readonly size: () => { readonly columns: number; readonly rows: number };
}

const [HIDE_CURSOR, SHOW_CURSOR] = ['\u001b[?25l', '\u001b[?25h'];
const [CLEAR_LINE, CLEAR_BELOW] = ['\u001b[K', '\u001b[J'];

/** Lines at the end of what is printed that are drawn again and again in place. */
export class LiveLines {
  readonly #terminal: Terminal;
  #drawn: readonly string[] = [];
  #isHidden = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Draws lines in the place of those before. None may be wider than the terminal. */
  draw(lines: readonly string[]): void {
    if (lines.length === this.#drawn.length && lines.every((line, index) => line === this.#drawn[index])) return;
    const hide = this.#isHidden ? '' : HIDE_CURSOR;
    this.#isHidden = true;
    const body = lines.map((line) => `${line}${CLEAR_LINE}\n`).join('');
    this.#terminal.write(`${hide}${this.#home()}${body}${CLEAR_BELOW}`);
    this.#drawn = lines;
  }

  /** Prints text above the lines, which are drawn again below it. */
  print(text: string): void {
    const lines = this.#drawn;
    this.#terminal.write(`${this.#home()}${CLEAR_BELOW}${text}\n`);
    this.#drawn = [];
    this.draw(lines);
  }

  /** Leaves the lines as they are, and the cursor below them as it was. */
  end(): void {
    if (this.#isHidden) this.#terminal.write(SHOW_CURSOR);
    this.#isHidden = false;
    this.#drawn = [];
  }

  #home(): string {
    return this.#drawn.length === 0 ? '' : `\r\u001b[${this.#drawn.length}A`;
  }
}
