import type { LoadedConfig } from '../config/load.ts';
import { printCheck } from './check.ts';
import { defineCommand, EXIT, type Command, type Io } from './command.ts';

/** The option that replaces the configuration folders, for every command that reads the configuration. */
export const CONFIG_DIR = {
  type: 'string',
  multiple: true,
  value: 'DIR',
  help: 'read drop-ins from DIR instead of the usual folders; later ones win',
} as const;

const JSON_OPTION = { type: 'boolean', help: 'print JSON' } as const;

const check = defineCommand({
  name: 'config check',
  summary: 'Check the configuration and print every problem in it',
  options: { 'config-dir': CONFIG_DIR, json: JSON_OPTION },
  exits: ['configuration'],
  run: async ({ options }, io) => {
    const { config, problems, files, values } = await load(options['config-dir']);
    const [{ pastFreezes }, { sortProblems }] = await Promise.all([
      import('../config/together-freezes.ts'),
      import('../config/problem.ts'),
    ]);
    // For whoever looks at the configuration; an agent has no use for it at each start.
    const places = values.get('updates.freeze')?.from ?? [];
    const past = pastFreezes(config?.updates.freezes ?? [], places, Date.now());
    return printCheck(
      { usable: config !== null, problems: sortProblems([...problems, ...past]), files },
      options.json,
      io,
    );
  },
});

const show = defineCommand({
  name: 'config show',
  summary: 'Print the effective configuration',
  details: 'Passwords and tokens in URLs are shown as ***.',
  options: {
    'config-dir': CONFIG_DIR,
    origins: { type: 'boolean', help: 'say for each value which file and line it comes from' },
    json: JSON_OPTION,
  },
  exits: ['configuration'],
  run: async ({ options }, io) => {
    const { config, problems, values } = await load(options['config-dir']);
    await printProblems(problems, io);
    if (config === null) return EXIT.configuration;
    const { toData, toOrigins, toToml } = await import('../config/show.ts');
    const data = { config: toData(values), ...(options.origins ? { origins: toOrigins(values) } : {}) };
    io.stdout(options.json ? json(data) : toToml(values, options.origins));
    return EXIT.ok;
  },
});

/** `holdpoint config …` */
export const configCommands: readonly Command[] = [check, show];

async function load(dirs: readonly string[]): Promise<LoadedConfig> {
  const { loadConfig } = await import('../config/load.ts');
  return dirs.length === 0 ? loadConfig() : loadConfig(dirs);
}

async function printProblems(problems: LoadedConfig['problems'], io: Io): Promise<void> {
  const { formatProblem } = await import('../config/problem.ts');
  for (const problem of problems) io.stderr(`${formatProblem(problem)}\n`);
}

function json(data: unknown): string {
  return `${JSON.stringify(data, null, 2)}\n`;
}
