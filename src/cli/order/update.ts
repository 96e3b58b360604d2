import type { AgentLink } from '../agent-call.ts';
import { type Command, defineCommand, EXIT } from '../command.ts';
import {
  complain,
  EXITS,
  order,
  ORDER_EXITS,
  ORDER_OPTIONS,
  type OrderRun,
  printOrdered,
  WHO_MAY,
  withAgent,
} from './give.ts';
import { graphAnswer } from './graph-answer.ts';
import type { CheckedGraph, Ordered } from './ordered.ts';

const DEFAULT = '1h';

/** `holdpoint update --now`: an administrator's consent. */
export const updateCommand: Command = defineCommand({
  name: 'update',
  summary: 'Let this host reboot into its update as soon as nothing but time holds it back',
  details:
    'The agent updates this host by itself, when it may; --now is your consent to do it now: windows, freezes, the minimum uptime, postponements and the time that people get to finish are not waited for. Everything else is: a pause, inhibitors, holds, power, hooks, an unhealthy boot, the slot of the fleet. People get their last notice. The update graph is asked at once, and its answer waited for. ' +
    `The consent ends with the reboot, with 'holdpoint cancel', when its time is over, or when the graph has nothing to update to (status 77). ${WHO_MAY}`,
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
    return withAgent(run, (link) => update(run, link, BigInt(ms / 1000)));
  },
});

const WITHOUT =
  '--now is missing: the agent fetches updates and reboots by itself, when it may. With --now you consent that this host reboots as soon as nothing but time holds it back';

/** Orders it, and waits for the answer of the graph: where it has nothing, the agent takes the order back. */
async function update(run: OrderRun, link: AgentLink, seconds: bigint): Promise<number> {
  const given = await order(run, link, { member: 'UpdateNow', signature: 't', body: [seconds] });
  if ('exit' in given) return complain(run, given.text, given.exit);
  const base = { version: 1, order: 'update', ...given } as const;
  const read = await graphAnswer(run, link);
  if (!read.ok) {
    // It has been ordered all the same.
    const text = read.isLate === true ? `${given.text}; ${read.text}` : given.text;
    return printOrdered(run, { ...base, text, status: null, check: null }, EXITS[given.outcome]);
  }
  const { checked, status } = read;
  const isDone = given.outcome === 'done';
  const ordered: Ordered = {
    ...base,
    ...(isDone ? outcomeOf(given, checked) : {}),
    status,
    check: isDone ? checked : null,
  };
  return printOrdered(run, ordered, EXITS[ordered.outcome]);
}

function outcomeOf(given: Pick<Ordered, 'outcome' | 'text'>, checked: CheckedGraph): Pick<Ordered, 'outcome' | 'text'> {
  const { result, target, text } = checked;
  // An empty result: the graph is not asked, or the agent has only been started.
  if (target !== null || result === 'update' || result === '') return given;
  if (result === 'failed') return { ...given, text: `${given.text}; the graph could not be read so far: ${text}` };
  return { outcome: 'nothing', text: `there is nothing to update to, so that the consent is over: ${text}` };
}
