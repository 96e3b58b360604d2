import { AGENT_NAME, AGENT_PATH } from '../../agent/dbus/names.ts';
import { type Report, writeReport } from '../../agent/report/report.ts';
import { parseAddress, systemBusAddress } from '../../bus/address.ts';
import { type Bus, BusError } from '../../bus/api.ts';
import { openBus } from '../../bus/bus.ts';
import { EXIT, type Io } from '../command.ts';
import { lookOf, readAnswer, readersTime } from './ask.ts';
import { Screen } from './screen.ts';
import { statusLines } from './status-text.ts';

/** Milliseconds between two questions when nothing was heard: what is told of the time moves on. */
const AGAIN_MS = 2_000;
/** Milliseconds that changes which follow each other closely are put together for. */
const TOGETHER_MS = 50;
const ANSWER_MS = 10_000;

const GONE =
  'The agent is not running, or cannot be reached on the bus (systemctl status holdpoint-agent). Waiting for it.';

const OLDER = 'The agent that is running does not know this: it is an older one.';

/** Shows the status and every change of it, also over a restart of the agent or the bus, until SIGINT or SIGTERM. */
export async function watchStatus(io: Io, address: string | undefined, json: boolean): Promise<number> {
  const at = address ?? systemBusAddress(io.env);
  parseAddress(at);
  const bus = openBus({ address: at, random: Math.random });
  const screen = new Screen(io, !json && io.isTTY);
  let isOver = false;
  const show = (report: Report | string): void => {
    if (isOver) return;
    if (json)
      screen.changed(typeof report === 'string' ? null : { key: keyOf(report), text: `${writeReport(report)}\n` });
    else if (screen.isLive) screen.draw(typeof report === 'string' ? [report] : linesOf(report, io, true));
    else screen.changed(block(report, io));
  };
  const loop = new Loop(bus, show);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  isOver = true;
  loop.stop();
  screen.close();
  bus.close();
  return EXIT.ok;
}

function linesOf(report: Report, io: Io, relative: boolean): readonly string[] {
  return statusLines(report, readersTime(report.now, relative), lookOf(io));
}

/** What is printed where nothing can be drawn over: only what does not change with the time alone. */
function block(report: Report | string, io: Io): { readonly key: string; readonly text: string } {
  if (typeof report === 'string') return { key: report, text: `${report}\n` };
  const lines = linesOf(report, io, false);
  return { key: keyOf(report), text: `${lines.join('\n')}\n\n` };
}

/** Changes with what is worth a word, and not with the time. */
function keyOf(report: Report): string {
  return JSON.stringify({ ...report, now: 0, at: 0 });
}

/** Asks again whenever something was heard, or after a while. One question at a time. */
class Loop {
  readonly #bus: Bus;
  readonly #show: (report: Report | string) => void;
  readonly #undo: readonly (() => void)[];
  #timer: NodeJS.Timeout | null = null;
  #isAsking = false;
  #isOver = false;
  /** Something was heard while the answer was awaited. */
  #again = false;

  constructor(bus: Bus, show: (report: Report | string) => void) {
    this.#bus = bus;
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
      void this.#ask();
    }, ms);
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    this.#show(await this.#answer());
    this.#isAsking = false;
    this.#soon(this.#again ? TOGETHER_MS : AGAIN_MS);
  }

  async #answer(): Promise<Report | string> {
    const agent = { destination: AGENT_NAME, path: AGENT_PATH, interface: AGENT_NAME };
    const question = { member: 'Explain', signature: 'x', body: [0n], timeoutMs: ANSWER_MS, noAutoStart: true };
    try {
      const answer = await readAnswer(await this.#bus.call({ ...agent, ...question }));
      return answer.ok ? answer.report : answer.text;
    } catch (error) {
      const isOlder = error instanceof BusError && error.errorName.endsWith('.UnknownMethod');
      return isOlder ? OLDER : GONE;
    }
  }
}
