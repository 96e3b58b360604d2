import type { FleetEvent, FleetPlan } from './events.ts';
import { LiveLines, type Terminal } from './live.ts';
import { type Row, cut, lineOf, newRow, rowAfter, tableLines } from './table.ts';
import { closing, opening } from './words.ts';

/** Somebody to show a fleet to. */
export interface View {
  show(event: FleetEvent): void;
  /** Puts a terminal right again. */
  end(): void;
}

/** Milliseconds since the demo began. */
type Elapsed = () => number;

/** One JSON object for each event. */
export function jsonView(write: (text: string) => void, elapsed: Elapsed): View {
  return {
    show: (event) => write(`${JSON.stringify({ ms: Math.round(elapsed()), ...event })}\n`),
    end: () => undefined,
  };
}

/** A line for each event. */
export function textView(write: (text: string) => void, elapsed: Elapsed, plan: FleetPlan): View {
  return {
    show: (event) => {
      if (event.event === 'start') write(`${opening(event)}\n\n`);
      if (event.event === 'end') write(`\n${closing(event, plan, elapsed())}\n`);
      const line = lineOf(event);
      if (line !== null) write(`${clock(elapsed)}  ${line}\n`);
    },
    end: () => undefined,
  };
}

/** Milliseconds between two drawings. */
const FRAME_MS = 100;
/** Lines of a terminal that are kept for what stands around the table. */
const AROUND = 4;

/** A table with a line for each host, drawn in place. */
export class TableView implements View {
  readonly #terminal: Terminal;
  readonly #elapsed: Elapsed;
  readonly #plan: FleetPlan;
  readonly #live: LiveLines;
  readonly #rows: Map<string, Row>;
  #down = 0;
  #most = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(terminal: Terminal, elapsed: Elapsed, plan: FleetPlan) {
    this.#terminal = terminal;
    this.#elapsed = elapsed;
    this.#plan = plan;
    this.#live = new LiveLines(terminal);
    this.#rows = new Map(plan.hosts.map((name) => [name, newRow(name, plan.from)]));
  }

  show(event: FleetEvent): void {
    if (event.event === 'start') {
      this.#terminal.write(`${opening(event)}\n\n`);
      this.#timer = setInterval(() => this.#draw(), FRAME_MS);
    } else if (event.event === 'end') {
      this.#draw();
      this.end();
      this.#terminal.write(`\n${closing(event, this.#plan, this.#elapsed())}\n`);
    } else {
      const row = this.#rows.get(event.host);
      if (row !== undefined) this.#rows.set(event.host, rowAfter(row, event));
      if (event.event === 'down' || event.event === 'steady') this.#down = event.down;
      this.#most = Math.max(this.#most, this.#down);
      const line = event.event === 'log' ? lineOf(event) : null;
      if (line !== null) this.#live.print(cut(`${clock(this.#elapsed)}  ${line}`, this.#terminal.size().columns));
    }
  }

  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#live.end();
  }

  #draw(): void {
    const { columns, rows } = this.#terminal.size();
    const table = tableLines([...this.#rows.values()], this.#plan.hops, columns, Math.max(1, rows - AROUND));
    const foot = `${clock(this.#elapsed)}   ${this.#down} of ${this.#plan.slots} down now, at most ${this.#most} so far`;
    this.#live.draw([...table, cut(foot, columns)]);
  }
}

function clock(elapsed: Elapsed): string {
  return `${(elapsed() / 1000).toFixed(1).padStart(5)} s`;
}
