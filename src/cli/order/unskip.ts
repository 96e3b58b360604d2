import { type Command, defineCommand } from '../command.ts';
import { ORDER_EXITS, ORDER_OPTIONS, WHO_MAY } from './give.ts';
import { giveVersionOrder, VERSION_ARGUMENT } from './version.ts';

/** `holdpoint unskip`: this release after all. */
export const unskipCommand: Command = defineCommand({
  name: 'unskip',
  summary: 'Let this host take a version that was skipped, or that is in quarantine',
  details: WHO_MAY,
  positionals: VERSION_ARGUMENT,
  options: ORDER_OPTIONS,
  exits: ORDER_EXITS,
  run: (args, io) => giveVersionOrder('unskip', args, args.options, io),
});
