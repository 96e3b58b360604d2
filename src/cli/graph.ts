import { CONFIG_DIR } from './config.ts';
import { defineCommand, EXIT, type Command, type Io } from './command.ts';
import type { Place } from './graph/source.ts';
import type { GraphView } from './graph/view.ts';
import { loadAndWarn } from './windows.ts';

const FORMATS = ['text', 'dot', 'svg', 'json'] as const;

/** `holdpoint graph`: the way to the newest release. */
export const graphCommand: Command = defineCommand({
  name: 'graph',
  summary: 'Show the way through the update graph to the newest release',
  details: [
    'From the release that this host runs, or another one, over every barrier; no agent need run. --graph names a file, an',
    'http(s) URL that ends in .json (one graph for everybody), or the address of an update server; without it the server',
    'of the configuration is asked. SVG and dot are for a file: holdpoint graph --format svg > way.svg',
    'Exit status 77: there is no way on (newest already, a dead end, a rollout that is not here yet), which is told all the',
    'same; --all never ends so. The JSON is described by docs/graph.schema.json.',
  ].join('\n'),
  options: {
    from: { type: 'string', value: 'VERSION', help: 'start here (default: the release that this host runs)' },
    graph: { type: 'string', value: 'FILE|URL', help: 'the graph (default: as configured)' },
    all: { type: 'boolean', help: 'the whole graph, not the way alone' },
    format: { type: 'string', choices: FORMATS, help: 'how to print (default text)' },
    json: { type: 'boolean', help: 'the same as --format json' },
    at: { type: 'string', value: 'TIME', help: 'judge rollouts as of this moment: 2026-12-20T18:00Z (default now)' },
    'config-dir': CONFIG_DIR,
    root: { type: 'string', value: 'DIR', help: 'read what belongs to this host below DIR (default /)' },
    'bus-address': { type: 'string', value: 'ADDRESS', help: 'D-Bus address in place of the system bus' },
  },
  exits: ['failure', 'configuration', 'nothingToDo'],
  run: async ({ options }, io) => {
    const asked = await readAsked(options);
    if (typeof asked === 'string') return complain(asked, EXIT.usage, io);
    const loaded = await loadAndWarn(options['config-dir'], io);
    if (loaded.config === null) return EXIT.configuration;
    const { from, all, root = '/', 'bus-address': address } = options;
    const { place, at, format } = asked;
    const { makeView } = await import('./graph/make.ts');
    const note = (text: string): void => io.stderr(`holdpoint graph: ${text}\n`);
    const { env } = io;
    const made = await makeView({ config: loaded.config, from, place, all, at, root, address, env, note });
    if (typeof made === 'string') return complain(made, EXIT.failure, io);
    io.stdout(await printed(made, format, io));
    return made.path.length === 1 && !all ? EXIT.nothingToDo : EXIT.ok;
  },
});

interface Asked {
  /** Null: as configured. */
  readonly place: Place | null;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly format: (typeof FORMATS)[number];
}

/** What is asked for, or what is wrong with the command line. */
async function readAsked(options: {
  readonly graph: string | undefined;
  readonly at: string | undefined;
  readonly format: Asked['format'] | undefined;
  readonly json: boolean;
}): Promise<Asked | string> {
  const { MOMENT_EXAMPLES, parseTime } = await import('./readers-moment.ts');
  const { placeOf, PLACES } = await import('./graph/source.ts');
  const at = options.at === undefined ? Date.now() : parseTime(options.at, Date.now());
  if (at === null) return `--at: expected ${MOMENT_EXAMPLES}`;
  const place = options.graph === undefined ? null : placeOf(options.graph);
  if (options.graph !== undefined && place === null) return PLACES;
  const format = options.format ?? (options.json ? 'json' : 'text');
  if (options.json && format !== 'json') return `--json: --format ${format} says otherwise`;
  return { place, at, format };
}

function complain(text: string, exit: number, io: Io): number {
  io.stderr(`holdpoint graph: ${text}\n`);
  return exit;
}

async function printed(view: GraphView, format: (typeof FORMATS)[number], io: Io): Promise<string> {
  const { resolveTimeZone } = await import('../base/time-zone.ts');
  const zone = (): string => resolveTimeZone('localtime');
  switch (format) {
    case 'json':
      return (await import('./graph/wire.ts')).graphJson(view);
    case 'dot':
      return (await import('./graph/dot.ts')).graphDot(view, zone());
    case 'svg':
      return (await import('./graph/svg.ts')).graphSvg(view, zone());
    case 'text': {
      const { markerFor } = await import('./colours.ts');
      return (await import('./graph/text.ts')).graphText(view, zone(), markerFor(io));
    }
  }
}
