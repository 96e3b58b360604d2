import { CONFIG_DIR } from './config.ts';
import { type Command, defineCommand, EXIT } from './command.ts';

/** `holdpoint simulate`: what this host would do, in virtual time. */
export const simulateCommand: Command = defineCommand({
  name: 'simulate',
  summary: 'Show what this host would do, step by step, without touching anything',
  details:
    'Runs the decisions of the agent in virtual time, under the configuration of this host, until the graph has nothing more for it. The graph stays as it is; that of a file or document has its rollouts go on with the time, while a server has judged them for this moment. No hook is run, no lock server is asked, and every boot is healthy. The JSON is described by docs/simulate.schema.json.',
  options: {
    from: { type: 'string', value: 'VERSION', help: 'the release that runs at first; it must be in the graph' },
    graph: {
      type: 'string',
      value: 'FILE|URL',
      help: 'a file, an http(s) URL that ends in .json (one graph for everybody), or the address of an update server (default: as configured)',
    },
    raw: {
      type: 'boolean',
      help: 'the server of the graph leaves nothing out: rollouts are judged here, as in a file',
    },
    scheme: {
      type: 'string',
      choices: ['checksum', 'oci'],
      help: 'how the release was installed, where the graph has both',
    },
    'config-dir': CONFIG_DIR,
    root: { type: 'string', value: 'DIR', help: 'read the id of this host below DIR (default /)' },
    at: { type: 'string', value: 'TIME', help: 'when the agent starts: 2026-07-23T14:00Z (default now)' },
    until: { type: 'string', value: 'TIME', help: 'the last moment that is simulated' },
    for: { type: 'string', value: 'DURATION', help: 'the same, as a time from the start: 12h, 2w (default 90d)' },
    uptime: { type: 'string', value: 'DURATION', help: 'how long the host is up at the start (default 1d)' },
    'stage-time': { type: 'string', value: 'DURATION', help: 'how long a release takes to be staged (default 2m)' },
    'boot-time': { type: 'string', value: 'DURATION', help: 'from finalize until the agent starts again (default 2m)' },
    slot: {
      type: 'string',
      value: 'granted|refused|DURATION',
      help: 'what the lock server says; a slot is free so long after it is first asked for (default granted)',
    },
    people: { type: 'boolean', help: 'somebody is logged in all the time (default nobody)' },
    dice: {
      type: 'string',
      value: 'NUMBER',
      help: 'in place of chance, from 0 (looks at the graph as early as can be) to 0.999 (as late) (default 0.5)',
    },
    json: { type: 'boolean', help: 'print JSON' },
  },
  exits: ['failure', 'configuration'],
  run: async ({ options }, io) => {
    const complain = (text: string, exit: number): number => {
      io.stderr(`holdpoint simulate: ${text}\n`);
      return exit;
    };
    const { readGiven } = await import('./simulate-given.ts');
    const { systemClock } = await import('../base/clock.ts');
    const given = readGiven(options, systemClock().wall);
    if ('problem' in given) return complain(`${given.problem}\nSee 'holdpoint simulate --help'.`, EXIT.usage);
    const { prepare } = await import('./simulate-world.ts');
    const prepared = await prepare({ ...options, given, env: io.env });
    for (const problem of prepared.problems) io.stderr(`${problem}\n`);
    if (!prepared.ok)
      return prepared.text === null ? EXIT[prepared.exit] : complain(prepared.text, EXIT[prepared.exit]);
    const { simulate, simulationJson } = await import('../simulate/report.ts');
    const { world, source, assumed, timeZone } = prepared;
    const simulation = simulate(world, source, assumed);
    if (options.json) {
      io.stdout(simulationJson(simulation));
      return EXIT.ok;
    }
    const { simulationText } = await import('../simulate/text.ts');
    io.stdout(simulationText(simulation, timeZone));
    return EXIT.ok;
  },
});
