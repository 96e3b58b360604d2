import { defineCommand, EXIT, type Command } from './command.ts';

/** `holdpoint status`: what the agent does, and what it waits for. */
export const statusCommand: Command = defineCommand({
  name: 'status',
  summary: 'Show what the agent of this host does, and what it waits for',
  details:
    "All moments are shown in the time of this host. 'holdpoint explain' says more about each gate. The JSON is described by docs/status.schema.json; with --watch it is one object on a line for each change.",
  options: {
    watch: { type: 'boolean', short: 'w', help: 'show every change, until Ctrl-C' },
    json: { type: 'boolean', help: 'print JSON' },
    'bus-address': { type: 'string', value: 'ADDRESS', help: 'D-Bus address in place of the system bus' },
  },
  exits: ['failure', 'notRunning', 'denied'],
  run: async ({ options }, io) => {
    const address = options['bus-address'];
    if (options.watch) {
      const { watchStatus } = await import('./report/watch.ts');
      return watchStatus(io, address, options.json);
    }
    const { askForReport, lookOf, readersTime } = await import('./report/ask.ts');
    const answer = await askForReport(io, address, null);
    if (!answer.ok) {
      io.stderr(`holdpoint status: ${answer.text}\n`);
      return answer.exit;
    }
    const { report } = answer;
    if (options.json) {
      const { printReport } = await import('../agent/report/report.ts');
      io.stdout(printReport(report));
      return EXIT.ok;
    }
    const { statusLines } = await import('./report/status-text.ts');
    io.stdout(`${statusLines(report, readersTime(report.now), lookOf(io)).join('\n')}\n`);
    return EXIT.ok;
  },
});
