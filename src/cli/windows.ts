import type { LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { CONFIG_DIR } from './config.ts';
import { defineCommand, EXIT, type Command, type Io } from './command.ts';
import type { WindowsReport } from './windows/report.ts';

/** Windows that are listed at the most, and unless told otherwise. */
const [MOST, DEFAULT] = [1000, 10];

/** `holdpoint windows`: when this host may reboot, from its configuration alone. */
export const windowsCommand: Command = defineCommand({
  name: 'windows',
  summary: 'Show the coming windows in which this host may reboot',
  details: [
    'From the configuration alone: no agent need run. Each window is shown on the clocks of its own time zone and in local',
    'time, with what freezes take away of it and what a change of the clocks does to it.',
    'Exit status 77: there is no window to come. The JSON is described by docs/windows.schema.json.',
  ].join('\n'),
  options: {
    next: { type: 'string', value: 'COUNT', help: `how many, 1 to ${MOST} (default ${DEFAULT})` },
    from: {
      type: 'string',
      value: 'TIME',
      help: 'from this moment on: 2026-12-20T18:00Z, in UTC without a zone (default now)',
    },
    'config-dir': CONFIG_DIR,
    root: { type: 'string', value: 'DIR', help: 'read the id of this host below DIR (default /)' },
    json: { type: 'boolean', help: 'print JSON' },
  },
  exits: ['failure', 'configuration', 'nothingToDo'],
  run: async ({ options }, io) => {
    const complain = (text: string): number => {
      io.stderr(`holdpoint windows: ${text}\n`);
      return EXIT.usage;
    };
    const next = /^\d{1,4}$/.test(options.next ?? '1') ? Number(options.next ?? DEFAULT) : 0;
    if (next < 1 || next > MOST) return complain(`--next: expected a number, 1 to ${MOST}`);
    const { MOMENT_EXAMPLES, parseTime } = await import('./readers-moment.ts');
    const at = options.from === undefined ? Date.now() : parseTime(options.from, Date.now());
    if (at === null) return complain(`--from: expected ${MOMENT_EXAMPLES}`);
    const loaded = await loadAndWarn(options['config-dir'], io);
    if (loaded.config === null) return EXIT.configuration;
    const report = await reportOf(loaded, loaded.config, { at, next, root: options.root ?? '/' });
    io.stdout(options.json ? await asJson(report) : await asText(report, io));
    return report.windows.length === 0 && report.strategy.includes('periodic') ? EXIT.nothingToDo : EXIT.ok;
  },
});

/** Reads the configuration and prints what is wrong with it on stderr. */
export async function loadAndWarn(dirs: readonly string[], io: Io): Promise<LoadedConfig> {
  const { loadConfig } = await import('../config/load.ts');
  const { formatProblem } = await import('../config/problem.ts');
  const loaded = await (dirs.length === 0 ? loadConfig() : loadConfig(dirs));
  for (const problem of loaded.problems) io.stderr(`${formatProblem(problem)}\n`);
  return loaded;
}

interface Asked {
  readonly at: number;
  readonly next: number;
  readonly root: string;
}

async function reportOf({ values }: LoadedConfig, config: Config, { at, next, root }: Asked): Promise<WindowsReport> {
  const { formatOrigin } = await import('../config/problem.ts');
  const { resolveTimeZone } = await import('../base/time-zone.ts');
  const { workOut } = await import('./windows/work-out.ts');
  const originsOf = (key: string): readonly string[] => (values.get(key)?.from ?? []).map(formatOrigin);
  return workOut({
    config,
    nodeId: await nodeIdBelow(root, config),
    at,
    next,
    hostZone: resolveTimeZone('localtime'),
    windowOrigins: originsOf('updates.periodic.window'),
    freezeOrigins: originsOf('updates.freeze'),
  });
}

/** Read only where the place of this host depends on it. */
async function nodeIdBelow(root: string, config: Config): Promise<string | null> {
  const { strategy, periodic } = config.updates;
  if (!strategy.includes('periodic') || !periodic.randomPlace) return null;
  if (config.identity.nodeUuid !== null) return config.identity.nodeUuid;
  const { readHostFiles } = await import('../host/identity/read.ts');
  const { nodeIdOf } = await import('../agent/settings.ts');
  return nodeIdOf({ config, files: readHostFiles(root) });
}

async function asJson(report: WindowsReport): Promise<string> {
  const { windowsJson } = await import('./windows/wire.ts');
  return windowsJson(report);
}

async function asText(report: WindowsReport, io: Io): Promise<string> {
  const { windowsText } = await import('./windows/text.ts');
  const { markerFor } = await import('./colours.ts');
  return windowsText(report, markerFor(io));
}
