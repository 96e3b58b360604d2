import { type Command, defineCommand, EXIT } from '../command.ts';
import { complain, giveOrder, ORDER_EXITS, ORDER_OPTIONS, type OrderRun, WHO_MAY } from './give.ts';

/** `holdpoint pause`: no reboots for a while. */
export const pauseCommand: Command = defineCommand({
  name: 'pause',
  summary: 'Keep this host from rebooting into updates, for a while or until it is resumed',
  details: `Releases are still fetched and staged. A new pause takes the place of the one before; it outlives reboots. ${WHO_MAY}`,
  options: {
    until: {
      type: 'string',
      value: 'TIME',
      help: 'when it ends by itself: 2026-07-23T14:00, in the time of this host without a zone',
    },
    for: { type: 'string', value: 'DURATION', help: "how long: 30m, 2h, 1d (default: until 'holdpoint resume')" },
    reason: { type: 'string', value: 'TEXT', help: 'why; whoever looks is told' },
    ...ORDER_OPTIONS,
  },
  exits: ORDER_EXITS,
  run: async ({ options }, io) => {
    const run: OrderRun = { name: 'pause', options, io };
    const end = await endOf(options.until, options.for, Date.now());
    if ('problem' in end) return complain(run, end.problem, EXIT.usage);
    const body = [BigInt(end.until), options.reason ?? ''];
    return giveOrder(run, { member: 'Pause', signature: 'xs', body });
  },
});

/** The end in seconds since 1970, as the agent takes it. `now`: ms since 1970. */
async function endOf(
  until: string | undefined,
  length: string | undefined,
  now: number,
): Promise<{ readonly until: number } | { readonly problem: string }> {
  const { parseDuration } = await import('../../base/moment.ts');
  const { MOMENT_EXAMPLES, parseTime } = await import('../readers-moment.ts');
  const { NO_END } = await import('../../agent/dbus/names.ts');
  if (until !== undefined && length !== undefined) return { problem: '--until and --for exclude each other' };
  if (until !== undefined) {
    const end = parseTime(until, now);
    if (end === null) return { problem: `--until: expected ${MOMENT_EXAMPLES}` };
    return end <= now ? { problem: '--until lies in the past' } : { until: Math.ceil(end / 1000) };
  }
  if (length === undefined) return { until: NO_END };
  const ms = parseDuration(length);
  if (ms === null) return { problem: '--for: expected a duration such as 30m, 2h or 1d' };
  return { until: Math.ceil((now + ms) / 1000) };
}
