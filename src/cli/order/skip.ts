import { type Command, defineCommand } from '../command.ts';
import { ORDER_EXITS, ORDER_OPTIONS, WHO_MAY } from './give.ts';
import { giveVersionOrder, VERSION_ARGUMENT } from './version.ts';

/** `holdpoint skip`: not this release. */
export const skipCommand: Command = defineCommand({
  name: 'skip',
  summary: 'Keep a version away from this host',
  details: `If the agent has staged it, it is removed. Where it is a barrier, nothing behind it can be reached. It ends with 'holdpoint unskip'. ${WHO_MAY}`,
  positionals: VERSION_ARGUMENT,
  options: ORDER_OPTIONS,
  exits: ORDER_EXITS,
  run: (args, io) => giveVersionOrder('skip', args, args.options, io),
});
