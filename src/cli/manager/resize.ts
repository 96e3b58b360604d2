import { defineCommand, type Command } from '../command.ts';
import { administrator, GROUP, REASON, WHERE } from './options.ts';
import { giveOrder } from './order.ts';
import type { OpenManager } from './reach.ts';

/** `holdpoint manager resize`: another number of slots. */
export function resizeCommand(open: OpenManager): Command {
  return defineCommand({
    name: 'manager resize',
    summary: 'Change the number of slots of a group',
    details:
      'It stays so until the configuration says something else than it does now. Fewer slots evict nobody; 0 grants nothing.',
    options: { group: GROUP, reason: REASON, ...WHERE },
    positionals: [{ name: 'SLOTS', help: 'how many hosts may reboot at the same time', required: true }],
    exits: ['failure', 'configuration', 'notRunning', 'denied', 'nothingToDo'],
    run: ({ options, positionals: [given = ''] }, io) => {
      const slots = /^\d{1,9}$/.test(given) ? Number(given) : -1;
      const order = { by: administrator(io.env), reason: options.reason ?? '' };
      return giveOrder({ name: 'manager resize', options, io }, open, options.group, (group) => {
        return { operation: 'resize', group: group ?? '', slots, ...order };
      });
    },
  });
}
