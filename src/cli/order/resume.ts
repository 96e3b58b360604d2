import { type Command, defineCommand } from '../command.ts';
import { giveOrder, ORDER_EXITS, ORDER_OPTIONS, WHO_MAY } from './give.ts';

/** `holdpoint resume`: the end of a pause. */
export const resumeCommand: Command = defineCommand({
  name: 'resume',
  summary: "End a pause ('holdpoint pause')",
  details: WHO_MAY,
  options: ORDER_OPTIONS,
  exits: ORDER_EXITS,
  run: ({ options }, io) => giveOrder({ name: 'resume', options, io }, { member: 'Resume', signature: '', body: [] }),
});
