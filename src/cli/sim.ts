import { defineCommand, EXIT, type Command } from './command.ts';

/** `holdpoint sim rpm-ostreed`: the rpm-ostree of a simulated host, started by that host's private bus. */
const rpmOstreed = defineCommand({
  name: 'sim rpm-ostreed',
  summary: 'Run the rpm-ostree daemon of a simulated host',
  details: 'Started by the private bus of a simulated host. The bus is taken from DBUS_SYSTEM_BUS_ADDRESS.',
  options: { host: { type: 'string', value: 'DIR', help: 'folder of the simulated host' } },
  exits: ['failure'],
  run: async ({ options }, io) => {
    if (options.host === undefined) {
      io.stderr('holdpoint sim rpm-ostreed: --host DIR is needed\n');
      return EXIT.usage;
    }
    const { runRpmOstreed } = await import('../sim/rpm-ostreed/index.ts');
    await runRpmOstreed({ host: options.host });
    return EXIT.ok;
  },
});

const STREAM = { type: 'string', value: 'NAME', help: 'stream of the graph (default stable)' } as const;

/** `holdpoint sim host`: a simulated host to try configurations on. */
const host = defineCommand({
  name: 'sim host',
  summary: 'Run a simulated host with its update server, to try configurations on',
  details: [
    'Prints the command that runs an agent on it, and goes on until it is interrupted.',
    'A file faults/NAME.json in the folder of the host sets a fault; hooks go below its root, and run as units do.',
  ].join('\n'),
  options: {
    graph: { type: 'string', value: 'FILE', help: 'update graph (default: a real one of Fedora CoreOS stable)' },
    from: { type: 'string', value: 'VERSION', help: 'release that it is booted from (default: the oldest)' },
    stream: STREAM,
    basearch: { type: 'string', value: 'ARCH', help: 'architecture of the graph (default x86_64)' },
    dir: { type: 'string', value: 'DIR', help: 'folder of the host, kept at the end (default: a temporary one)' },
  },
  exits: ['failure'],
  run: async ({ options }, io) => {
    const { runSimulatedHost } = await import('../sim/playground.ts');
    await runSimulatedHost(options, io.stdout);
    return EXIT.ok;
  },
});

/** `holdpoint sim …` */
export const simCommands: readonly Command[] = [host, rpmOstreed];
