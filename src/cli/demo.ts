import { defineCommand, EXIT, type Command } from './command.ts';

/** `holdpoint demo`: a simulated host climbs a real update graph. */
export const demoCommand: Command = defineCommand({
  name: 'demo',
  summary: 'Show a simulated host climb a real update graph to its newest release',
  details: 'Needs dbus-daemon. Touches nothing outside a temporary folder, which is removed at the end.',
  options: {
    graph: { type: 'string', value: 'FILE', help: 'update graph (default: a real one of Fedora CoreOS stable)' },
    from: { type: 'string', value: 'VERSION', help: 'release to begin with (default: the oldest)' },
    stream: { type: 'string', value: 'NAME', help: 'stream of the graph (default stable)' },
    basearch: { type: 'string', value: 'ARCH', help: 'architecture of the graph (default x86_64)' },
    json: { type: 'boolean', help: 'print one JSON object for each event' },
  },
  exits: ['failure'],
  run: async ({ options }, io) => {
    const { runDemo } = await import('../sim/demo.ts');
    return (await runDemo(options, io)) ? EXIT.ok : EXIT.failure;
  },
});
