import { errorText, oneLine } from '../../base/text.ts';
import type { AdminOrder } from '../../manager/admin/orders.ts';
import type { Answer } from '../../manager/answer.ts';
import { EXIT } from '../command.ts';
import { type Call, complain, locate, type OpenManager, reach, unusable, type Where } from './reach.ts';

/**
 * Gives an order and prints what came of it; resolves with the exit status. `make` is given the group that is meant where
 * the command line names none.
 */
export async function giveOrder(
  call: Call,
  open: OpenManager,
  group: string | null | undefined,
  make: (group: string | null) => AdminOrder,
): Promise<number> {
  const where = await locate(call);
  if (group === undefined && where.loaded.config === null) {
    complain(call, `${unusable(where.loaded)}, so that the default group is not known: name it with --group`);
    return EXIT.configuration;
  }
  const order = make(group === undefined ? where.defaultGroup : group);
  const problem = await orderProblem(order);
  if (problem !== null) {
    complain(call, `${problem}\nSee 'holdpoint ${call.name} --help'.`);
    return EXIT.usage;
  }
  return send(call, where, order, open);
}

async function send(call: Call, where: Where, order: AdminOrder, open: OpenManager): Promise<number> {
  const reached = await reach(call, where, (admin) => admin.order(order), open);
  return 'exit' in reached ? reached.exit : printed(call, reached.value);
}

/** The manager would say the same; it is the command line's fault all the same. */
async function orderProblem(order: AdminOrder): Promise<string | null> {
  const { orderBody, parseOrder } = await import('../../manager/admin/orders.ts');
  try {
    parseOrder(order.operation, orderBody(order), Date.now());
    return null;
  } catch (error) {
    return errorText(error);
  }
}

function printed(call: Call, answer: Answer): number {
  if (!answer.ok) {
    complain(call, `refused (${answer.kind}): ${oneLine(answer.value, 2000)}`);
    return EXIT.failure;
  }
  call.io.stdout(`${oneLine(answer.text, 2000)}\n`);
  return answer.outcome === 'not-held' || answer.outcome === 'unchanged' ? EXIT.nothingToDo : EXIT.ok;
}
