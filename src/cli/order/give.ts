import { type AgentLink, type AgentMethod, type NotCalled, openAgent } from '../agent-call.ts';
import { EXIT, type Exit, type Io } from '../command.ts';
import type { Ordered, OrderName, Outcome } from './ordered.ts';

/** Options of every command that orders something. */
export const ORDER_OPTIONS = {
  json: { type: 'boolean', help: 'print JSON' },
  'bus-address': { type: 'string', value: 'ADDRESS', help: 'D-Bus address in place of the system bus' },
} as const;

/** Exit statuses of every command that orders something. */
export const ORDER_EXITS: readonly Exit[] = ['failure', 'notRunning', 'denied', 'nothingToDo'];

/** For the details of a help text. */
export const WHO_MAY =
  'For root, and whoever polkit lets. The JSON is described by docs/order.schema.json. It is the agent that does it: docs/dbus.md.';

/** The run of a command that orders something. */
export interface OrderRun {
  readonly name: OrderName;
  readonly options: { readonly json: boolean; readonly 'bus-address': string | undefined };
  readonly io: Io;
}

/** Says on stderr what is wrong; gives the exit status. */
export function complain({ name, io }: Pick<OrderRun, 'name' | 'io'>, text: string, exit: number): number {
  io.stderr(`holdpoint ${name}: ${text}\n`);
  return exit;
}

/** Orders something of the agent and prints what came of it, and what comes next; resolves with the exit status. */
export async function giveOrder(run: OrderRun, method: Omit<AgentMethod, 'changes'>): Promise<number> {
  return withAgent(run, async (link) => {
    const given = await order(run, link, method);
    if ('exit' in given) return complain(run, given.text, given.exit);
    const ordered: Ordered = { version: 1, order: run.name, ...given, status: await statusOf(link), check: null };
    return printOrdered(run, ordered, EXITS[given.outcome]);
  });
}

/** Does something over a connection to the agent, and closes it; complains where there is none. */
export async function withAgent(run: OrderRun, work: (link: AgentLink) => Promise<number>): Promise<number> {
  const link = await openAgent({ address: run.options['bus-address'], env: run.io.env });
  if ('ok' in link) return complain(run, link.text, link.exit);
  try {
    return await work(link);
  } finally {
    link.close();
  }
}

/** Orders something of the agent. On a terminal a password is asked for where one is needed. */
export async function order(
  { io }: OrderRun,
  link: AgentLink,
  method: Omit<AgentMethod, 'changes'>,
): Promise<Pick<Ordered, 'outcome' | 'text'> | Pick<NotCalled, 'exit' | 'text'>> {
  let called = await link.call({ ...method, changes: true });
  if (!called.ok && called.passwordNeeded === true && io.isTTY) {
    io.stderr('An administrator must confirm this with a password (polkit).\n');
    called = await link.call({ ...method, changes: true, interactive: true });
  }
  if (!called.ok) return called;
  const { readOutcome } = await import('./ordered.ts');
  const answer = readOutcome(called.body);
  return answer ?? { exit: EXIT.failure, text: 'the agent gave an answer that cannot be understood' };
}

/** Exit statuses of what becomes of an order. */
export const EXITS: Readonly<Record<Outcome, number>> = {
  done: EXIT.ok,
  nothing: EXIT.nothingToDo,
  refused: EXIT.failure,
};

/** Prints what came of an order, for people or as JSON. */
export async function printOrdered(run: OrderRun, ordered: Ordered, exit: number): Promise<number> {
  const { orderedJson, sentence } = await import('./ordered.ts');
  if (run.options.json) {
    run.io.stdout(orderedJson(ordered));
    return exit;
  }
  const { readersTime } = await import('../report/ask.ts');
  const time = readersTime(Date.now());
  const isFailure = exit === EXIT.failure;
  if (isFailure) complain(run, time.text(ordered.text), exit);
  else run.io.stdout(`${sentence(time.text(ordered.text))}\n`);
  if (ordered.status !== null) (isFailure ? run.io.stderr : run.io.stdout)(`Now: ${time.text(ordered.status)}\n`);
  return exit;
}

async function statusOf(link: AgentLink): Promise<string | null> {
  const read = await link.properties();
  if (!read.ok) return null;
  const { text } = await import('../../bus/dict.ts');
  const { oneLine } = await import('../../base/text.ts');
  const status = text(read.values, 'Status') ?? '';
  return status === '' ? null : oneLine(status, 1000);
}
