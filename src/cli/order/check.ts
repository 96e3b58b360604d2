import type { AgentLink } from '../agent-call.ts';
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
import { graphAnswer } from './graph-answer.ts';
import type { CheckedGraph, Ordered, Outcome } from './ordered.ts';

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
  const read = await graphAnswer(run, link);
  if (!read.ok) return complain(run, read.text, read.exit);
  const { checked, status } = read;
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
