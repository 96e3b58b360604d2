import { type Command, defineCommand, EXIT } from '../command.ts';
import { complain, giveOrder, ORDER_EXITS, ORDER_OPTIONS, type OrderRun, WHO_MAY } from './give.ts';

const DEFAULT = '1h';

/** `holdpoint update --now`: an administrator's consent. */
export const updateCommand: Command = defineCommand({
  name: 'update',
  summary: 'Let this host reboot into its update as soon as nothing but time holds it back',
  details:
    'The agent updates this host by itself, when it may; --now is your consent to do it now: windows, freezes, the minimum uptime, postponements and the time that people get to finish are not waited for. Everything else is: a pause, inhibitors, holds, power, hooks, an unhealthy boot, the slot of the fleet. People get their last notice. The update graph is asked at once. ' +
    `The consent ends with the reboot, with 'holdpoint cancel', or when its time is over. ${WHO_MAY}`,
  options: {
    now: { type: 'boolean', help: 'needed: without it the agent does it by itself, when it may' },
    for: {
      type: 'string',
      value: 'DURATION',
      help: `how long the consent holds: 30m, 2h, at most 7d (default ${DEFAULT})`,
    },
    ...ORDER_OPTIONS,
  },
  exits: ORDER_EXITS,
  run: async ({ options }, io) => {
    const run: OrderRun = { name: 'update', options, io };
    if (!options.now) return complain(run, WITHOUT, EXIT.usage);
    const { parseDuration } = await import('../../base/moment.ts');
    const { UPDATE_SECS } = await import('../../agent/dbus/names.ts');
    const ms = parseDuration(options.for ?? DEFAULT);
    if (ms === null || ms > UPDATE_SECS.most * 1000) {
      return complain(run, '--for: expected a duration such as 30m or 2h, at most 7d', EXIT.usage);
    }
    return giveOrder(run, { member: 'UpdateNow', signature: 't', body: [BigInt(ms / 1000)] });
  },
});

const WITHOUT =
  '--now is missing: the agent fetches updates and reboots by itself, when it may. With --now you consent that this host reboots as soon as nothing but time holds it back';
