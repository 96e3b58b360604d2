import { defineCommand, EXIT, type Command } from '../command.ts';
import { administrator, GROUP, REASON, WHERE } from './options.ts';
import { giveOrder } from './order.ts';
import { complain, type OpenManager } from './reach.ts';

/** `holdpoint manager unlock`: a slot taken back by hand. */
export function unlockCommand(open: OpenManager): Command {
  return defineCommand({
    name: 'manager unlock',
    summary: 'Give the slot of a host back',
    details:
      'As the host itself would when it is steady, with the soak of its group; with --force at once. Be sure that the host is not just rebooting.',
    options: {
      group: GROUP,
      force: { type: 'boolean', help: 'free the slot at once, without a soak; needs --reason' },
      reason: REASON,
      ...WHERE,
    },
    positionals: [{ name: 'ID', help: 'the id of the host', required: true }],
    exits: ['failure', 'configuration', 'notRunning', 'denied', 'nothingToDo'],
    run: ({ options, positionals: [id = ''] }, io) => {
      const call = { name: 'manager unlock', options, io };
      const { force, reason = '' } = options;
      if (force && reason === '') {
        complain(call, '--force needs --reason: it is kept with the record of this');
        return Promise.resolve(EXIT.usage);
      }
      const order = { by: administrator(io.env), reason };
      return giveOrder(call, open, options.group, (group) => {
        return { operation: 'unlock', group: group ?? '', id, force, ...order };
      });
    },
  });
}
