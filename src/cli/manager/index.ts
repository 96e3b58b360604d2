import type { Command } from '../command.ts';
import { checkConfigCommand } from './check-config.ts';
import { freezeCommand } from './freeze.ts';
import { historyCommand } from './history.ts';
import { lockCommand } from './lock.ts';
import type { OpenManager } from './reach.ts';
import { resizeCommand } from './resize.ts';
import { serveCommand } from './serve.ts';
import { statusCommand } from './status.ts';
import { thawCommand } from './thaw.ts';
import { unlockCommand } from './unlock.ts';

const openStore: OpenManager = async (config, log, acceptDamage) => {
  const { openManager } = await import('../../manager/open.ts');
  return openManager(config, log, { acceptDamage, onlyOrders: true });
};

/** `holdpoint manager …`. `open` opens the store where no manager runs. */
export function managerCommands(open: OpenManager = openStore): readonly Command[] {
  const administration = [
    statusCommand,
    lockCommand,
    unlockCommand,
    resizeCommand,
    freezeCommand,
    thawCommand,
    historyCommand,
  ];
  return [serveCommand, ...administration.map((command) => command(open)), checkConfigCommand];
}
