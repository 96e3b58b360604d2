import { oneLine } from '../../base/text.ts';
import type { Dict } from '../../bus/dict.ts';
import type { AgentLink, NotCalled } from '../agent-call.ts';
import { EXIT } from '../command.ts';
import type { OrderRun } from './give.ts';
import type { CheckedGraph } from './ordered.ts';

/** Milliseconds for the answer of the update server; the agent gives it 60 s, unless configured. */
const PATIENCE_MS = 90_000;
/** Milliseconds between two looks, in case that nothing is heard. */
const LOOK_MS = 1_000;

/** What the update graph has said, and what the agent does after it; or why that is not known. */
export type GraphAnswer =
  { readonly ok: true; readonly checked: CheckedGraph; readonly status: string | null } | NotCalled;

/** Waits until the update graph has answered, if it is being asked; `isLate`: it has not in time. */
export async function graphAnswer(
  run: OrderRun,
  link: AgentLink,
): Promise<GraphAnswer & { readonly isLate?: boolean }> {
  const read = await answered(run, link);
  return read.ok ? { ok: true, ...(await checkedOf(read.values)) } : read;
}

type Read = { readonly ok: true; readonly values: Dict } | (NotCalled & { readonly isLate?: boolean });

/** Waits for the answer of the graph: looks at once, whenever something changes, and from time to time. */
async function answered({ io, options }: OrderRun, link: AgentLink): Promise<Read> {
  const { flag } = await import('../../bus/dict.ts');
  const begun = Date.now();
  let changed: () => void = () => undefined;
  const stop = link.watch(() => changed());
  try {
    for (;;) {
      const next = new Promise<void>((resolve) => (changed = resolve));
      const read = await link.properties();
      if (!read.ok || !flag(read.values, 'Checking')) return read;
      const passed = Date.now() - begun;
      if (passed > PATIENCE_MS) return { ok: false, exit: EXIT.failure, text: LATE, isLate: true };
      if (io.isTTY && !options.json) io.stderr(`\rAsking the update graph … ${Math.floor(passed / 1000)} s`);
      await Promise.race([next, pause(LOOK_MS)]);
    }
  } finally {
    stop();
    if (io.isTTY && !options.json) io.stderr('\r\u001b[K');
  }
}

const LATE = `the update graph has not answered within ${PATIENCE_MS / 1000} s; the agent goes on asking (systemctl status holdpoint-agent)`;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

async function checkedOf(values: Dict): Promise<{ readonly checked: CheckedGraph; readonly status: string | null }> {
  const { number, text } = await import('../../bus/dict.ts');
  const clean = (name: string): string => oneLine(text(values, name) ?? '', 500);
  const orNull = (found: string): string | null => (found === '' ? null : found);
  const at = number(values, 'LastCheck') ?? 0;
  const checked: CheckedGraph = {
    at: at === 0 ? null : at * 1000,
    result: clean('LastCheckResult'),
    text: clean('LastCheckText'),
    booted: orNull(clean('Booted')),
    target: orNull(clean('Target')),
  };
  return { checked, status: orNull(oneLine(text(values, 'Status') ?? '', 1000)) };
}
