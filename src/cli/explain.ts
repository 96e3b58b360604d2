import { defineCommand, EXIT, type Command } from './command.ts';

/** `holdpoint explain`: why this host does not reboot. */
export const explainCommand: Command = defineCommand({
  name: 'explain',
  summary: 'Explain why this host does not reboot, and when it will',
  details:
    'One sentence first, then every gate with its reason, what would open it and where it was configured, then the update graph, and what would change it. TIME is a moment (2026-07-24T02:30, or with a zone: 2026-07-24T02:30Z, 2026-07-24T02:30+02:00) or a duration from now (2h, 1d12h); without a zone it is in the time of this host, as all moments are shown. For another moment the gates that go by the time alone are exact, the others are shown as they are now. The JSON is described by docs/status.schema.json.',
  options: {
    at: { type: 'string', value: 'TIME', help: 'what the gates say at another moment: 2h, 2026-07-24T02:30' },
    json: { type: 'boolean', help: 'print JSON' },
    'bus-address': { type: 'string', value: 'ADDRESS', help: 'D-Bus address in place of the system bus' },
  },
  exits: ['failure', 'notRunning', 'denied'],
  run: async ({ options }, io) => {
    const complain = (text: string, exit: number): number => {
      io.stderr(`holdpoint explain: ${text}\n`);
      return exit;
    };
    const { MOMENT_EXAMPLES, parseTime } = await import('./readers-moment.ts');
    const wall = options.at === undefined ? null : parseTime(options.at, Date.now());
    if (wall === null && options.at !== undefined) return complain(`--at: expected ${MOMENT_EXAMPLES}`, EXIT.usage);
    const { askForReport, lookOf, readersTime } = await import('./report/ask.ts');
    const answer = await askForReport(io, options['bus-address'], wall);
    if (!answer.ok) return complain(answer.text, answer.exit);
    const { report } = answer;
    const booted = report.lastBoot?.at ?? null;
    if (wall !== null && booted !== null && wall < booted) {
      const { utc } = await import('../base/text.ts');
      return complain(`--at: this host was booted at ${utc(booted)}, and nothing is known of before`, EXIT.usage);
    }
    if (options.json) {
      const { printReport } = await import('../agent/report/report.ts');
      io.stdout(printReport(report));
      return EXIT.ok;
    }
    const { explainLines } = await import('./report/explain-text.ts');
    io.stdout(`${explainLines(report, readersTime(report.now), lookOf(io)).join('\n')}\n`);
    return EXIT.ok;
  },
});
