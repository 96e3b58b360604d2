import { type AgentLink, openAgent } from './agent-call.ts';
import { defineCommand, EXIT, type Command } from './command.ts';
import type { Postponed } from './postponed.ts';
import type { LocalTime } from './report/local-time.ts';

const DEFAULT = '1h';

/** `holdpoint postpone`: for whoever is logged in and not done yet. */
export const postponeCommand: Command = defineCommand({
  name: 'postpone',
  summary: 'Let the reboot that is waiting wait for longer',
  details:
    'For people who are logged in, and root, as far as the policy of this host allows (updates.sessions.postpone_secs): where less is left of that, it is what is left. Postponing it again adds to it. The JSON is described by docs/postpone.schema.json.',
  options: {
    for: { type: 'string', value: 'DURATION', help: `how long: 30m, 2h, at most 7d (default ${DEFAULT})` },
    json: { type: 'boolean', help: 'print JSON' },
    'bus-address': { type: 'string', value: 'ADDRESS', help: 'D-Bus address in place of the system bus' },
  },
  exits: ['failure', 'notRunning', 'denied', 'nothingToDo'],
  run: async ({ options }, io) => {
    const complain = (text: string, exit: number): number => {
      io.stderr(`holdpoint postpone: ${text}\n`);
      return exit;
    };
    const seconds = await secondsOf(options.for ?? DEFAULT);
    if (seconds === null) return complain('--for: expected a duration such as 30m or 2h, at most 7d', EXIT.usage);
    const link = await openAgent({ address: options['bus-address'], env: io.env });
    if ('ok' in link) return complain(link.text, link.exit);
    try {
      const body = [BigInt(seconds)];
      const called = await link.call({ member: 'Postpone', signature: 't', body, changes: true });
      if (!called.ok) return complain(called.text, called.exit);
      const { readersTime } = await import('./report/ask.ts');
      const { readPostponed, postponedJson } = await import('./postponed.ts');
      const answer = readPostponed(called.body);
      if (answer === null) return complain('the agent gave an answer that cannot be understood', EXIT.failure);
      const exit = answer.postponed ? EXIT.ok : (await isAnyWaiting(link)) ? EXIT.failure : EXIT.nothingToDo;
      if (options.json) io.stdout(postponedJson(answer));
      else if (exit === EXIT.failure) complain(answer.text, exit);
      else io.stdout(`${sentence(answer, readersTime(Date.now()))}\n`);
      return exit;
    } finally {
      link.close();
    }
  },
});

/** States in which there is no reboot that could wait for longer. */
const IDLE: ReadonlySet<string> = new Set(['starting', 'disabled', 'watching', 'staging']);

/** False where a reboot could be postponed if there were one: then nothing was refused. */
async function isAnyWaiting(link: AgentLink): Promise<boolean> {
  const read = await link.properties();
  if (!read.ok) return true;
  const { number, text } = await import('../bus/dict.ts');
  return !IDLE.has(text(read.values, 'State') ?? '') || (number(read.values, 'PostponeAllowed') ?? 0) === 0;
}

/** Null for what is no duration, or longer than can be asked for. */
async function secondsOf(written: string): Promise<number | null> {
  const { parseDuration } = await import('../base/moment.ts');
  const { POSTPONE_SECS } = await import('../agent/dbus/names.ts');
  const ms = parseDuration(written);
  return ms === null || ms > POSTPONE_SECS.most * 1000 ? null : ms / 1000;
}

function sentence({ text }: Postponed, time: LocalTime): string {
  return `${time.text(`${text.charAt(0).toUpperCase()}${text.slice(1)}`)}.`;
}
