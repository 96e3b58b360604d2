import { type Command, defineCommand } from '../command.ts';
import { giveOrder, ORDER_EXITS, ORDER_OPTIONS, WHO_MAY } from './give.ts';

/** `holdpoint cancel`: not now after all. */
export const cancelCommand: Command = defineCommand({
  name: 'cancel',
  summary: "Take back 'holdpoint update --now', and call off a reboot that is about to come",
  details: `A reboot can be called off until the agent has asked for it ('rebooting'). The slot of the fleet goes back, what hooks did is undone, and the reboot is not tried again for an hour. To keep it away for longer: 'holdpoint pause'. ${WHO_MAY}`,
  options: ORDER_OPTIONS,
  exits: ORDER_EXITS,
  run: ({ options }, io) => giveOrder({ name: 'cancel', options, io }, { member: 'Cancel', signature: '', body: [] }),
});
