import { oneLine } from '../../base/text.ts';
import type { Dict } from '../../bus/dict.ts';
import type { AgentLink, NotCalled } from '../agent-call.ts';
import { type Command, defineCommand, EXIT } from '../command.ts';
import {
  complain,
  EXITS,
  order,
  ORDER_EXITS,
  ORDER_OPTIONS,
  type OrderRun,
  printOrdered,
  WHO_MAY,
  withAgent,
} from './give.ts';
import type { CheckedGraph, Ordered, Outcome } from './ordered.ts';

/** Milliseconds for the answer of the update server; the agent gives it 60 s, unless configured. */
const PATIENCE_MS = 90_000;
/** Milliseconds between two looks, in case that nothing is heard. */
const LOOK_MS = 1_000;

/** `holdpoint check`: looks at the update graph now. */
export const checkCommand: Command = defineCommand({
  name: 'check',
  summary: 'Ask the update graph now, and say what it answers',
  details: `Status 0: there is an update, or one is on its way; 77: there is none; 1: the graph could not be read. ${WHO_MAY}`,
  options: ORDER_OPTIONS,
  exits: ORDER_EXITS,
  run: ({ options }, io) => {
    const run: OrderRun = { name: 'check', options, io };
    return withAgent(run, (link) => check(run, link));
  },
});

async function check(run: OrderRun, link: AgentLink): Promise<number> {
  const given = await order(run, link, { member: 'CheckNow', signature: '', body: [] });
  if ('exit' in given) return complain(run, given.text, given.exit);
  const read = await answered(run, link);
  if (!read.ok) return complain(run, read.text, read.exit);
  const { checked, status } = await checkedOf(read.values);
  const isDone = given.outcome === 'done';
  const ordered: Ordered = {
    version: 1,
    order: 'check',
    outcome: given.outcome,
    text: isDone && checked.text !== '' ? checked.text : given.text,
    status,
    check: checked,
  };
  return printOrdered(run, ordered, isDone ? exitOf(checked) : exitUnasked(given.outcome, checked));
}

function exitOf({ result, target }: CheckedGraph): number {
  if (result === 'failed') return EXIT.failure;
  return result === 'update' || target !== null ? EXIT.ok : EXIT.nothingToDo;
}

/** Of a graph that was not asked: an update that is on its way (the host is rebooting, say) is there all the same. */
function exitUnasked(outcome: Outcome, { target }: CheckedGraph): number {
  return outcome === 'nothing' && target !== null ? EXIT.ok : EXITS[outcome];
}

type Read = { readonly ok: true; readonly values: Dict } | NotCalled;

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
      if (passed > PATIENCE_MS) return { ok: false, exit: EXIT.failure, text: LATE };
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
