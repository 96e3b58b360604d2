import { errorText } from '../../base/text.ts';
import type { HistoryQuery } from '../../manager/store/store.ts';
import { defineCommand, EXIT, type Command } from '../command.ts';
import { JSON_OUTPUT, WHERE } from './options.ts';
import { complain, locate, type OpenManager, reach } from './reach.ts';

const USUAL_RECORDS = 50;

/** `holdpoint manager history`: what was changed, by whom and why. */
export function historyCommand(open: OpenManager): Command {
  return defineCommand({
    name: 'manager history',
    summary: 'Show what was changed when, by whom and why, the latest last',
    options: {
      group: { type: 'string', value: 'GROUP', help: 'only of this group, and of all groups at once' },
      id: { type: 'string', value: 'ID', help: 'only of this host' },
      most: { type: 'string', value: 'N', help: `the latest N records (default ${USUAL_RECORDS}, at most 10000)` },
      json: JSON_OUTPUT,
      ...WHERE,
    },
    exits: ['failure', 'configuration', 'notRunning', 'denied'],
    run: async ({ options }, io) => {
      const call = { name: 'manager history', options, io };
      const query = await queryOf(options);
      if (typeof query === 'string') {
        complain(call, `--${query}`);
        return EXIT.usage;
      }
      const reached = await reach(call, await locate(call), (admin) => admin.history(query), open);
      if ('exit' in reached) return reached.exit;
      const { historyText } = await import('./history-text.ts');
      const { HISTORY } = await import('../../manager/admin/wire.ts');
      const records = reached.value;
      io.stdout(
        options.json ? `${JSON.stringify(HISTORY.write({ records }), null, 2)}\n` : historyText(records, Date.now()),
      );
      return EXIT.ok;
    },
  });
}

/** What is asked for, or what is wrong with it, beginning with the name of an option. */
async function queryOf(options: {
  readonly group: string | undefined;
  readonly id: string | undefined;
  readonly most: string | undefined;
}): Promise<HistoryQuery | string> {
  const { parseHistoryQuery } = await import('../../manager/admin/orders.ts');
  const { group, id, most } = options;
  const given = Object.entries({ group, id, most }).filter((pair): pair is [string, string] => pair[1] !== undefined);
  try {
    return parseHistoryQuery(new URLSearchParams(given), USUAL_RECORDS);
  } catch (error) {
    return errorText(error);
  }
}
