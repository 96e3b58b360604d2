import type { Io } from '../command.ts';
import { wrapped } from './layout.ts';

const ESC = '\u001b[';
/** The screen beside the scrolled one, without a cursor; and back. */
const [ENTER, LEAVE] = [`${ESC}?1049h${ESC}?25l`, `${ESC}?25h${ESC}?1049l`];

/** Where a status that changes is drawn over what was there. */
export class Screen {
  readonly #io: Pick<Io, 'stdout' | 'rows' | 'columns'>;
  #last: readonly string[] = [];
  #isEntered = false;
  #isFollowed = false;
  readonly #halt: () => void;

  /** `halt` stops the process until SIGCONT. */
  constructor(io: Pick<Io, 'stdout' | 'rows' | 'columns'>, halt = stopProcess) {
    this.#io = io;
    this.#halt = halt;
  }

  /** Line by line over what is there, in one write: nothing is blank in between. */
  draw(lines: readonly string[]): void {
    const rows = this.#io.rows?.() ?? 24;
    this.#last = lines;
    // Some terminals say 0 where they do not know it.
    const told = this.#io.columns() ?? 0;
    const columns = told > 0 ? told : Infinity;
    // A line that the terminal breaks takes the place of two. One that stands out has been laid out already.
    const fitting = lines.flatMap((line) =>
      line.length <= columns || line.includes(ESC) ? [line] : wrapped(line, columns),
    );
    const shown = fitting.slice(0, Math.max(1, rows - 1)).map((line) => `${ESC}K${line}\r\n`);
    this.#io.stdout(`${this.#isEntered ? '' : ENTER}${ESC}H${shown.join('')}${ESC}J`);
    this.#isEntered = true;
    if (!this.#isFollowed) process.on('SIGTSTP', this.#suspend).on('SIGCONT', this.#resume);
    this.#isFollowed = true;
  }

  /** Ctrl-Z: the shell that comes next gets its own screen and a cursor. */
  readonly #suspend = (): void => {
    this.#leave();
    this.#halt();
  };

  readonly #resume = (): void => {
    this.#leave();
    this.draw(this.#last);
  };

  #leave(): void {
    if (this.#isEntered) this.#io.stdout(LEAVE);
    this.#isEntered = false;
  }

  /** Leaves what was shown last where it can be scrolled to. */
  close(): void {
    if (!this.#isFollowed) return;
    process.off('SIGTSTP', this.#suspend).off('SIGCONT', this.#resume);
    this.#leave();
    this.#io.stdout(`${this.#last.join('\n')}\n`);
  }
}

/** SIGTSTP has a handler here and so stops nothing by itself; this one cannot be handled. */
function stopProcess(): void {
  process.kill(process.pid, 'SIGSTOP');
}
