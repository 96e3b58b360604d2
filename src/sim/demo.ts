import { errorText } from '../base/text.ts';
import { climb } from './climb.ts';
import { type Screen, jsonView, textView } from './demo-view.ts';
import { type SceneryOptions, loadScenery } from './scenery.ts';

/** What the demo is to show, and how. */
export interface DemoOptions extends SceneryOptions {
  /** One JSON object for each event, instead of lines for people. */
  readonly json: boolean;
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
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
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
