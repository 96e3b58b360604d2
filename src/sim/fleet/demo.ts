import { errorText } from '../../base/text.ts';
import { interruptible } from '../interrupt.ts';
import { type SceneryOptions, loadScenery } from '../scenery.ts';
import { climbTogether } from './climb.ts';
import type { FleetPlan } from './events.ts';
import { type FleetWish, planFleet } from './plan.ts';
import { TableView, type View, jsonView, textView } from './views.ts';

/** What the demo of a fleet is to show, and how. */
export interface FleetDemoOptions extends SceneryOptions, FleetWish {
  /** One JSON object for each event, instead of lines for people. */
  readonly json: boolean;
}

/** Where it is shown. */
interface Screen {
  readonly stdout: (text: string) => void;
  readonly isTTY: boolean;
}

/**
 * Lets simulated hosts climb an update graph together, shown live. Resolves with whether all arrived and never more of
 * them were down than there are slots; Ctrl-C ends it, and nothing of it is left in either case.
 */
export async function runFleetDemo(options: FleetDemoOptions, screen: Screen): Promise<boolean> {
  const scenery = loadScenery(options);
  const plan = planFleet(scenery, options);
  const view = createView(options.json, screen, plan);
  const command = [process.execPath, process.argv[1] ?? ''] as const;
  return interruptible(async (signal) => {
    try {
      view.show({ event: 'start', ...plan });
      const onEvent = view.show.bind(view);
      const result = await climbTogether({ scenery, plan, command, onEvent, signal });
      view.show({ event: 'end', ok: true, from: plan.from, ...result });
      return true;
    } catch (error) {
      view.show({ event: 'end', ok: false, error: signal.aborted ? 'interrupted' : errorText(error, 1000) });
      return false;
    } finally {
      view.end();
    }
  });
}

function createView(json: boolean, { stdout, isTTY }: Screen, plan: FleetPlan): View {
  const started = performance.now();
  const elapsed = (): number => performance.now() - started;
  if (json) return jsonView(stdout, elapsed);
  if (!isTTY) return textView(stdout, elapsed, plan);
  // A terminal that was just made may not know its measures, and say 0.
  const size = (): { columns: number; rows: number } => ({
    columns: process.stdout.columns || 80,
    rows: process.stdout.rows || 24,
  });
  return new TableView({ write: stdout, size }, elapsed, plan);
}
