import { defineCommand, type Command } from '../command.ts';
import { administrator, GROUP, REASON, WHERE } from './options.ts';
import { giveOrder } from './order.ts';
import type { OpenManager } from './reach.ts';

/** `holdpoint manager lock`: a slot given by hand. */
export function lockCommand(open: OpenManager): Command {
  return defineCommand({
    name: 'manager lock',
    summary: 'Give a host a slot by hand',
    details:
      'All the rules hold as they do for the host itself: a group that is full, frozen, halted or closed refuses. A host that has a slot keeps it.',
    options: { group: GROUP, reason: REASON, ...WHERE },
    positionals: [{ name: 'ID', help: 'the id of the host', required: true }],
    exits: ['failure', 'configuration', 'notRunning', 'denied'],
    run: ({ options, positionals: [id = ''] }, io) => {
      const order = { by: administrator(io.env), reason: options.reason ?? '' };
      return giveOrder({ name: 'manager lock', options, io }, open, options.group, (group) => {
        return { operation: 'lock', group: group ?? '', id, ...order };
      });
    },
  });
}
