import { AGENT_NAME, AGENT_PATH } from '../../agent/dbus/names.ts';
import { type Report, writeReport } from '../../agent/report/report.ts';
import { parseAddress, systemBusAddress } from '../../bus/address.ts';
import { type Bus, BusClosedError } from '../../bus/api.ts';
import { openBus } from '../../bus/bus.ts';
import { noAnswer } from '../agent-failure.ts';
import { EXIT, type Io } from '../command.ts';
import { type Answered, askForReport, lookOf, readAnswer, readersTime } from './ask.ts';
import { wrapped } from './layout.ts';
import { isNews } from './news.ts';
import { Screen } from './screen.ts';
import { statusLines } from './status-text.ts';

/** Milliseconds between two questions when nothing was heard: what is told of the time moves on. */
const AGAIN_MS = 2_000;
/** Milliseconds that changes which follow each other closely are put together for. */
const TOGETHER_MS = 50;
/** Milliseconds for an answer of the agent. */
const ANSWER_MS = 3_000;

/** Shows the status and every change of it, also over a restart of the agent or the bus, until SIGINT or SIGTERM. */
export async function watchStatus(io: Io, address: string | undefined, json: boolean): Promise<number> {
  const at = address ?? systemBusAddress(io.env);
  parseAddress(at);
  const bus = openBus({ address: at, random: Math.random });
  const screen = new Screen(io);
  const show = io.isTTY && !json ? drawing(screen, io) : printing(io, json);
  const loop = new Loop(bus, () => ask(bus, io, address), show);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  loop.stop();
  screen.close();
  bus.close();
  return EXIT.ok;
}

type Show = (answered: Answered) => void;

function drawing(screen: Screen, io: Io): Show {
  return (answered) => {
    const look = lookOf(io);
    screen.draw(answered.ok ? linesOf(answered.report, io, true) : wrapped(failureText(answered), look.width));
  };
}

/** Where nothing can be drawn over only what is news is printed: distances in time would be old at once. */
function printing(io: Io, json: boolean): Show {
  let last: Answered | null = null;
  return (answered) => {
    if (last !== null && !isOther(last, answered)) return;
    last = answered;
    if (!answered.ok) (json ? io.stderr : io.stdout)(`${failureText(answered)}\n`);
    else if (json) io.stdout(`${writeReport(answered.report)}\n`);
    else io.stdout(`${linesOf(answered.report, io, false).join('\n')}\n\n`);
  };
}

function isOther(last: Answered, answered: Answered): boolean {
  if (last.ok && answered.ok) return isNews(last.report, answered.report);
  return last.ok || answered.ok || last.text !== answered.text;
}

function linesOf(report: Report, io: Io, relative: boolean): readonly string[] {
  return statusLines(report, readersTime(report.now, relative), lookOf(io));
}

function failureText({ text, exit }: Extract<Answered, { readonly ok: false }>): string {
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  return `${sentence} ${exit === EXIT.notRunning ? 'Waiting for it' : 'Asking again'}.`;
}

async function ask(bus: Bus, io: Io, address: string | undefined): Promise<Answered> {
  const agent = { destination: AGENT_NAME, path: AGENT_PATH, interface: AGENT_NAME };
  const question = { member: 'Explain', signature: 'x', body: [0n], timeoutMs: ANSWER_MS, noAutoStart: true };
  try {
    return await readAnswer(await bus.call({ ...agent, ...question }));
  } catch (error) {
    // The bus comes back by itself, but does not say what is wrong with it.
    if (error instanceof BusClosedError) return askForReport(io, address, null);
    return noAnswer(bus, error, { changes: false, timeoutMs: ANSWER_MS });
  }
}

/** Asks again whenever something was heard, or after a while. One question at a time. */
class Loop {
  readonly #ask: () => Promise<Answered>;
  readonly #show: Show;
  readonly #undo: readonly (() => void)[];
  #timer: NodeJS.Timeout | null = null;
  #isAsking = false;
  #isOver = false;
  /** Something was heard while the answer was awaited. */
  #again = false;

  constructor(bus: Bus, question: () => Promise<Answered>, show: Show) {
    this.#ask = question;
    this.#show = show;
    const properties = { path: AGENT_PATH, interface: 'org.freedesktop.DBus.Properties', member: 'PropertiesChanged' };
    this.#undo = [
      bus.watch({ sender: AGENT_NAME, ...properties }, () => this.#soon(TOGETHER_MS)),
      bus.watchOwner(AGENT_NAME, () => this.#soon(0)),
    ];
    this.#soon(TOGETHER_MS);
  }

  stop(): void {
    this.#isOver = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const undo of this.#undo) undo();
  }

  #soon(ms: number): void {
    if (this.#isOver) return;
    if (this.#isAsking) {
      this.#again = true;
      return;
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#again = false;
      void this.#look();
    }, ms);
  }

  async #look(): Promise<void> {
    this.#isAsking = true;
    const answered = await this.#ask();
    this.#isAsking = false;
    if (!this.#isOver) this.#show(answered);
    this.#soon(this.#again ? TOGETHER_MS : AGAIN_MS);
  }
}
