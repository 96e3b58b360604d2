import { printCheck } from '../check.ts';
import { defineCommand, type Command } from '../command.ts';
import { CONFIG, JSON_OUTPUT } from './options.ts';

/** `holdpoint manager check-config`. */
export const checkConfigCommand: Command = defineCommand({
  name: 'manager check-config',
  summary: 'Check the configuration of the lock manager and print every problem in it',
  options: { config: CONFIG, json: JSON_OUTPUT },
  exits: ['configuration'],
  run: async ({ options }, io) => {
    const { loadManagerConfig } = await import('../../manager/config/load.ts');
    const { config, problems, path, found } = loadManagerConfig(options.config ?? null);
    return printCheck({ usable: config !== null, problems, files: found ? [path] : [] }, options.json, io);
  },
});
