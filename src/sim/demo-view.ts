import { duration } from '../base/text.ts';
import type { ClimbEvent } from './climb.ts';

/** Where the demo is shown. */
export interface Screen {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly isTTY: boolean;
  /** Characters in a line of the terminal, as it is now; undefined where that is not known. */
  readonly columns: () => number | undefined;
}

/** Characters of a terminal that does not say its width. */
const NARROW = 80;
/** Characters before the state of the moment: as many as the clock of the other lines has. */
const MARGIN = 9;

/** Something that the demo shows. */
export type DemoEvent =
  | ClimbEvent
  | { readonly event: 'start'; readonly from: string }
  | { readonly event: 'end'; readonly ok: true; readonly from: string; readonly to: string; readonly reboots: number }
  | { readonly event: 'end'; readonly ok: false; readonly error: string };

/** Shows one event. */
export type View = (event: DemoEvent) => void;

/** One JSON object for each event, with the milliseconds since `started`, on the clock of `performance.now`. */
export function jsonView({ stdout }: Screen, started: number): View {
  return (event) => stdout(`${JSON.stringify({ ms: Math.round(performance.now() - started), ...event })}\n`);
}

/**
 * A line for each boot; on a terminal the state of the moment below them, in place. That line is cut to the width which
 * the terminal has at that moment: one that wraps could not be taken back.
 */
export function textView({ stdout, isTTY, columns }: Screen, started: number): View {
  const inPlace = (text: string): void => {
    const width = (columns() ?? NARROW) - MARGIN - 1;
    if (width < 1) return;
    stdout(`${clear}${' '.repeat(MARGIN)}${dim(text.length > width ? `${text.slice(0, width - 1)}…` : text)}`);
  };
  const dim = (text: string): string => (isTTY ? `\u001b[2m${text}\u001b[0m` : text);
  const clear = isTTY ? '\r\u001b[2K' : '';
  const clock = (): string => dim(`${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s `);
  return (event) => {
    switch (event.event) {
      case 'start':
        stdout(`A simulated host, booted from ${event.from}, follows a real update graph. Ctrl-C ends it.\n\n`);
        return;
      case 'boot':
        stdout(`${clear}${clock()} boot ${String(event.boot).padStart(2)}  ${event.version}\n`);
        return;
      case 'state':
        if (isTTY) inPlace(event.text);
        else stdout(`${clock()}          ${event.text}\n`);
        return;
      case 'reboot':
        if (isTTY) inPlace('rebooting …');
        return;
      case 'log':
        if (event.level !== 'info') stdout(`${clear}${clock()} ${event.level}: ${event.text}\n`);
        return;
      case 'end':
        stdout(`${clear}\n${summary(event, performance.now() - started)}\n`);
    }
  };
}

function summary(event: Extract<DemoEvent, { event: 'end' }>, ms: number): string {
  if (!event.ok) return `The demo ended early: ${event.error}.`;
  return `The host went from ${event.from} to ${event.to} in ${event.reboots} reboots and ${duration(ms)}.`;
}
