import { defineCommand, EXIT, type Command } from '../command.ts';
import { scopeProblem } from './freeze.ts';
import { administrator, ONE_OR_ALL, REASON, WHERE } from './options.ts';
import { giveOrder } from './order.ts';
import { complain, type OpenManager } from './reach.ts';

/** `holdpoint manager thaw`: the end of a freeze. */
export function thawCommand(open: OpenManager): Command {
  return defineCommand({
    name: 'manager thaw',
    summary: 'End a freeze, of one group or of all',
    details: 'With --all the freeze of all groups ends; those that were frozen one by one stay so.',
    options: { ...ONE_OR_ALL, reason: REASON, ...WHERE },
    exits: ['failure', 'configuration', 'notRunning', 'denied', 'nothingToDo'],
    run: ({ options }, io) => {
      const call = { name: 'manager thaw', options, io };
      const problem = scopeProblem(options.group, options.all);
      if (problem !== null) {
        complain(call, problem);
        return Promise.resolve(EXIT.usage);
      }
      const order = { by: administrator(io.env), reason: options.reason ?? '' };
      return giveOrder(call, open, options.group ?? null, (group) => ({ operation: 'thaw', group, ...order }));
    },
  });
}
