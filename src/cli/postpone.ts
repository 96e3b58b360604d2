import { callAgent } from './agent-call.ts';
import { defineCommand, EXIT, type Command } from './command.ts';
import type { Postponed } from './postponed.ts';

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
  exits: ['failure', 'notRunning', 'denied'],
  run: async ({ options }, io) => {
    const complain = (text: string, exit: number): number => {
      io.stderr(`holdpoint postpone: ${text}\n`);
      return exit;
    };
    const seconds = await secondsOf(options.for ?? DEFAULT);
    if (seconds === null) return complain('--for: expected a duration such as 30m or 2h, at most 7d', EXIT.usage);
    const call = { member: 'Postpone', signature: 't', body: [BigInt(seconds)], changes: true };
    const called = await callAgent({ address: options['bus-address'], env: io.env, ...call });
    if (!called.ok) return complain(called.text, called.exit);
    const { readPostponed, postponedJson } = await import('./postponed.ts');
    const answer = readPostponed(called.body);
    if (answer === null) return complain('the agent gave an answer that cannot be understood', EXIT.failure);
    const exit = answer.postponed ? EXIT.ok : EXIT.failure;
    if (options.json) io.stdout(postponedJson(answer));
    else if (answer.postponed) io.stdout(`${sentence(answer)}\n`);
    else complain(answer.text, exit);
    return exit;
  },
});

/** Null for what is no duration, or longer than can be asked for. */
async function secondsOf(written: string): Promise<number | null> {
  const { parseDuration } = await import('../base/moment.ts');
  const { POSTPONE_SECS } = await import('../agent/dbus/names.ts');
  const ms = parseDuration(written);
  return ms === null || ms > POSTPONE_SECS.most * 1000 ? null : ms / 1000;
}

function sentence({ text }: Postponed): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
