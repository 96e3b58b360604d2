import { oneLine } from '../../base/text.ts';
import type { FleetStatus } from '../../manager/api.ts';
import { defineCommand, EXIT, type Command, type Io } from '../command.ts';
import { JSON_OUTPUT, WHERE } from './options.ts';
import { type Call, complain, locate, type OpenManager, reach } from './reach.ts';
import { commandLine } from './shell.ts';
import type { Look } from './status-text.ts';

/** `holdpoint manager status`: who holds, who waits, and what is wrong. */
export function statusCommand(open: OpenManager): Command {
  return defineCommand({
    name: 'manager status',
    summary: 'Show who holds slots since when, who waits, and what can be done',
    details: 'All times are in UTC. The JSON is described by docs/manager-status.schema.json.',
    options: {
      group: { type: 'string', value: 'GROUP', help: 'only this group' },
      json: JSON_OUTPUT,
      ...WHERE,
    },
    exits: ['failure', 'configuration', 'notRunning', 'denied'],
    run: async ({ options }, io) => {
      const call = { name: 'manager status', options, io };
      const reached = await reach(call, await locate(call), (admin) => admin.status(), open);
      if ('exit' in reached) return reached.exit;
      const status = only(reached.value, options.group);
      if (status === null) {
        complain(call, noGroup(reached.value, options.group ?? ''));
        return EXIT.failure;
      }
      io.stdout(options.json ? await statusJson(status) : await readable(status, call));
      return EXIT.ok;
    },
  });
}

function only(status: FleetStatus, name: string | undefined): FleetStatus | null {
  if (name === undefined) return status;
  const groups = status.groups.filter((group) => group.name === name);
  return groups.length === 0 ? null : { ...status, groups };
}

function noGroup({ groups }: FleetStatus, name: string): string {
  const names = groups.map((group) => oneLine(group.name)).join(', ');
  return `there is no group '${oneLine(name, 80)}', but ${oneLine(names, 500)}`;
}

async function statusJson(status: FleetStatus): Promise<string> {
  const { STATUS } = await import('../../manager/admin/wire.ts');
  return `${JSON.stringify(STATUS.write(status), null, 2)}\n`;
}

async function readable(status: FleetStatus, call: Call): Promise<string> {
  const { statusText } = await import('./status-text.ts');
  return statusText(status, lookOf(call));
}

/** Commands that are shown find the manager as this one did. */
function lookOf({ options, io }: Call): Look {
  const where = [
    ...(options.config === undefined ? [] : ['--config', options.config]),
    ...(options.socket === undefined ? [] : ['--socket', options.socket]),
  ];
  return {
    command: (words, operands) => commandLine(['holdpoint', 'manager', ...words, ...where], operands),
    mark: hasColours(io) ? (text, as) => `\u001b[${as === 'wrong' ? '1;31' : '33'}m${text}\u001b[0m` : (text) => text,
  };
}

function hasColours({ isTTY, env }: Io): boolean {
  return isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}
