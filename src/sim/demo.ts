import { duration, errorText } from '../base/text.ts';
import { type ClimbEvent, climb } from './climb.ts';
import { type SceneryOptions, loadScenery } from './scenery.ts';

/** What the demo is to show, and how. */
export interface DemoOptions extends SceneryOptions {
  /** One JSON object for each event, instead of lines for people. */
  readonly json: boolean;
}

/** Where it is shown. */
interface Screen {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly isTTY: boolean;
}

/**
 * Lets a simulated host climb an update graph, shown live. Resolves with whether it arrived; Ctrl-C ends it, and
 * nothing of it is left in either case.
 */
export async function runDemo(options: DemoOptions, screen: Screen): Promise<boolean> {
  const scenery = loadScenery(options);
  const started = performance.now();
  const show = options.json ? jsonView(screen, started) : textView(screen, started);
  const interrupt = new AbortController();
  const onSignal = (): void => interrupt.abort();
  // However often they come: what is being put away must not be cut short.
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    show({ event: 'start', from: scenery.from });
    const command = [process.execPath, process.argv[1] ?? ''] as const;
    const top = await climb({ ...scenery, command, onEvent: show, signal: interrupt.signal });
    show({ event: 'end', ok: true, from: scenery.from, to: top.version, reboots: top.reboots });
    return true;
  } catch (error) {
    show({ event: 'end', ok: false, error: interrupt.signal.aborted ? 'interrupted' : errorText(error) });
    return false;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

type DemoEvent =
  | ClimbEvent
  | { readonly event: 'start'; readonly from: string }
  | { readonly event: 'end'; readonly ok: true; readonly from: string; readonly to: string; readonly reboots: number }
  | { readonly event: 'end'; readonly ok: false; readonly error: string };

type View = (event: DemoEvent) => void;

function jsonView({ stdout }: Screen, started: number): View {
  return (event) => stdout(`${JSON.stringify({ ms: Math.round(performance.now() - started), ...event })}\n`);
}

/** A line for each boot; on a terminal the state of the moment below them, in place. */
function textView({ stdout, isTTY }: Screen, started: number): View {
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
        if (isTTY) stdout(`${clear}${' '.repeat(9)}${dim(event.text.slice(0, 100))}`);
        else stdout(`${clock()}          ${event.text}\n`);
        return;
      case 'reboot':
        if (isTTY) stdout(`${clear}${' '.repeat(9)}${dim('rebooting …')}`);
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
