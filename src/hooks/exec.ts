import { readCapped } from '../base/files.ts';
import { runHook } from './child-runner.ts';
import { type HookId, parseOrder } from './event.ts';
import { type HookEnd, NOT_NOW } from './outcome.ts';
import { orderFile } from './unit-runner.ts';

/** From where the unit of a hook takes what it needs. */
export interface ExecOptions {
  /** The folder of the hooks, as the unit has it: what the agent says is not followed. */
  readonly dir: string;
  /** The agent's run folder. */
  readonly runDir: string;
  /** Is given the beginning of the hook's output. */
  readonly onOutput: (chunk: Buffer) => void;
}

/** The exit status of the unit's process for each end of a hook. */
export const EXEC_STATUS: Readonly<Record<HookEnd['kind'], number>> = {
  passed: 0,
  'not-now': NOT_NOW,
  failed: 1,
  'not-run': 1,
};

/** Larger than any order. */
const LARGEST = 16_384;

/**
 * Runs one hook on behalf of the agent, which is less privileged: it chooses which hook is run, when, and the values of
 * the documented variables, and nothing else. Never rejects.
 */
export async function execHook(hook: HookId, { dir, runDir, onOutput }: ExecOptions): Promise<HookEnd> {
  const file = orderFile(runDir, hook.event);
  const text = readOwn(file);
  const order = text === null ? null : parseOrder(text);
  if (order === null) return { kind: 'failed', text: `${file}: cannot be read, or is not what the agent writes` };
  if (order.dir !== dir) {
    const advice = 'a drop-in for holdpoint-hook@.service says where they are';
    return { kind: 'failed', text: `the agent has its hooks in ${order.dir}, its unit in ${dir}: ${advice}` };
  }
  const { timeoutMs, context } = order;
  // Never called off from here: whoever wants that stops the unit.
  const { signal } = new AbortController();
  return runHook({ dir, event: hook.event, timeoutMs, context }, hook.name, signal, onOutput);
}

/** The text of a small regular file; null when it is anything else, or is made larger meanwhile. Follows no link. */
function readOwn(path: string): string | null {
  try {
    return readCapped(path, LARGEST, 'refuse');
  } catch {
    return null;
  }
}
