import { oneLine } from '../base/text.ts';
import { defineCommand, EXIT, type Command } from './command.ts';

const MOST_HOSTS = 20;
const MOST_HOPS = 1000;
const [HOSTS, SLOTS, HOPS] = [3, 1, 4];

/** `holdpoint demo`: simulated hosts climb a real update graph, one slot at a time; or one host, all the way. */
export const demoCommand: Command = defineCommand({
  name: 'demo',
  summary: 'Show simulated hosts climb a real update graph to its newest release, one slot at a time',
  details: [
    'With --hosts 1 a single host climbs all the way, without a lock manager.',
    'Needs dbus-daemon, and etcd for --store etcd. Touches nothing outside a temporary folder, which is removed at the',
    'end. Fails when ever more hosts are down at once than there are slots.',
  ].join('\n'),
  options: {
    hosts: { type: 'string', value: 'N', help: `number of hosts, 1 to ${MOST_HOSTS} (default ${HOSTS})` },
    slots: { type: 'string', value: 'N', help: `how many may be down at the same time (default ${SLOTS})` },
    hops: { type: 'string', value: 'N', help: `how many hops below the newest release to begin (default ${HOPS})` },
    store: { type: 'string', choices: ['embedded', 'etcd'], help: 'store of the lock manager (default embedded)' },
    graph: { type: 'string', value: 'FILE', help: 'update graph (default: a real one of Fedora CoreOS stable)' },
    from: { type: 'string', value: 'VERSION', help: 'release to begin with, in place of --hops' },
    stream: { type: 'string', value: 'NAME', help: 'stream of the graph (default stable)' },
    basearch: { type: 'string', value: 'ARCH', help: 'architecture of the graph (default x86_64)' },
    json: { type: 'boolean', help: 'print one JSON object for each event' },
  },
  exits: ['failure'],
  run: async ({ options }, io) => {
    const size = readSize(options);
    if ('problem' in size) {
      io.stderr(`holdpoint demo: ${size.problem}\nSee 'holdpoint demo --help'.\n`);
      return EXIT.usage;
    }
    if (size.hosts === 1) {
      const { runDemo } = await import('../sim/demo.ts');
      return (await runDemo({ ...options, hops: size.hops }, io)) ? EXIT.ok : EXIT.failure;
    }
    const { runFleetDemo } = await import('../sim/fleet/demo.ts');
    const fleet = { ...options, ...size, store: options.store ?? 'embedded' } as const;
    return (await runFleetDemo(fleet, io)) ? EXIT.ok : EXIT.failure;
  },
});

interface Given {
  readonly hosts: string | undefined;
  readonly slots: string | undefined;
  readonly hops: string | undefined;
  readonly store: string | undefined;
  readonly from: string | undefined;
}

interface Size {
  readonly hosts: number;
  readonly slots: number;
  /** Undefined: all the way from where it begins. */
  readonly hops: number | undefined;
}

/** The numbers of the command line, or what is wrong with them. */
function readSize(given: Given): Size | { readonly problem: string } {
  const hosts = wholeNumber('hosts', given.hosts ?? `${HOSTS}`, MOST_HOSTS);
  if (typeof hosts === 'string') return { problem: hosts };
  const slots = wholeNumber('slots', given.slots ?? `${SLOTS}`, hosts);
  if (typeof slots === 'string') return { problem: slots };
  const hops = wholeNumber('hops', given.hops ?? `${HOPS}`, MOST_HOPS);
  if (typeof hops === 'string') return { problem: hops };
  const problem = clash(given, hosts);
  if (problem !== null) return { problem };
  const allTheWay = given.from !== undefined || (hosts === 1 && given.hops === undefined);
  return { hosts, slots, hops: allTheWay ? undefined : hops };
}

/** Options that make no sense together. */
function clash({ from, hops, slots, store }: Given, hosts: number): string | null {
  if (hops !== undefined && from !== undefined) return '--from and --hops exclude each other';
  if (hosts > 1 || (slots ?? store) === undefined) return null;
  return `--${slots === undefined ? 'store' : 'slots'}: a single host needs no lock manager`;
}

/** A number from 1 to `highest`, or what is wrong with it. */
function wholeNumber(name: string, text: string, highest: number): number | string {
  const number = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  const isGood = number >= 1 && number <= highest;
  return isGood ? number : `--${name}: expected a number from 1 to ${highest}, found '${oneLine(text)}'`;
}
