import { dayText, offsetText } from '../base/clock-text.ts';
import { duration, oneLine } from '../base/text.ts';
import { offsetsOf } from '../strategy/zone.ts';
import type { Simulation } from './report.ts';
import type { SimulatedStep } from './step.ts';

/** A moment as `utc` writes it. */
const MOMENT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;

/** The same for people, with the times of a zone (an IANA name). Ends with a line end. */
export function simulationText(simulation: Simulation, timeZone: string): string {
  const { from, nodeId, graph, at, assumed, steps } = simulation;
  const times = new Times(timeZone, [at, ...steps.map((step) => step.at)]);
  const rows = steps.map((step) => [times.exact(step.at), `+${duration(step.at - at)}`, lineOf(step, times)] as const);
  const width = Math.max(...rows.map(([, after]) => after.length));
  return [
    `What node ${nodeId} would do, running ${from.version} (${from.scheme}), by the graph ${oneLine(graph.source)}`,
    `(${graph.releases} ${graph.releases === 1 ? 'release' : 'releases'}). Times are those of ${timeZone}. Nothing is touched.`,
    '',
    'Assumed:',
    ...assumed.map((text) => `- ${times.within(text)}`),
    '',
    ...rows.map(([when, after, text]) => `${when}  ${after.padEnd(width)}  ${text}`),
    '',
    ...summaryOf(simulation, times),
    '',
  ].join('\n');
}

function lineOf({ text, times, last }: SimulatedStep, moments: Times): string {
  const again = times === 1 ? '' : ` (${times} times, the last ${moments.short(last)})`;
  return oneLine(moments.within(text), 500) + again;
}

function summaryOf({ at, end, summary }: Simulation, times: Times): readonly string[] {
  const { updates, runs, since, newest, left } = summary;
  const how = updates === 1 ? '1 update' : `${updates} updates`;
  if (newest) {
    if (updates === 0) return [`This host runs the newest release, ${runs}: there is nothing to do.`];
    return [`The newest release, ${runs}, runs from ${times.short(since)} on: ${how} in ${duration(since - at)}.`];
  }
  const way = left === '' ? '' : ` Left: ${left}.`;
  return [
    `Ends ${times.short(end.at)}: ${oneLine(times.within(end.text), 500)}.`,
    `After ${how} this host runs ${runs}.${way}`,
  ];
}

/** Moments for people. */
class Times {
  readonly #offsetAt: (wall: number) => number;
  /** The clock shifts in between: each moment says by how much it is ahead of UTC. */
  readonly #shifts: boolean;

  constructor(timeZone: string, moments: readonly number[]) {
    this.#offsetAt = offsetsOf(timeZone);
    this.#shifts = new Set(moments.map((wall) => this.#offsetAt(wall))).size > 1;
  }

  /** `Sat 2026-07-25 02:00:30`. */
  exact(wall: number): string {
    const local = wall + this.#offsetAt(wall);
    const text = `${dayText(local)} ${new Date(local).toISOString().slice(11, 19)}`;
    return this.#shifts ? `${text} ${offsetText(this.#offsetAt(wall))}` : text;
  }

  /** The same without seconds that are none: `Sat 2026-07-25 02:00`. */
  short(wall: number): string {
    return this.exact(wall).replace(/(\d\d:\d\d):00\b/, '$1');
  }

  /** A text whose moments are in UTC. */
  within(text: string): string {
    return text.replace(MOMENT, (moment) => this.short(Date.parse(moment)));
  }
}
