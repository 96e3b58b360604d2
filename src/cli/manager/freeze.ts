import { parseDuration, parseMoment } from '../../base/moment.ts';
import { defineCommand, EXIT, type Command } from '../command.ts';
import { administrator, ONE_OR_ALL, REASON, WHERE } from './options.ts';
import { giveOrder } from './order.ts';
import { complain, type OpenManager } from './reach.ts';

/** `holdpoint manager freeze`: no new grants. */
export function freezeCommand(open: OpenManager): Command {
  return defineCommand({
    name: 'manager freeze',
    summary: 'Grant no new slots, in one group or in all',
    details:
      'Who holds a slot keeps it, is confirmed, and can give it back. A new freeze takes the place of the one before.',
    options: {
      ...ONE_OR_ALL,
      until: { type: 'string', value: 'TIME', help: 'when it ends by itself: 2026-07-23T14:00Z, UTC without a zone' },
      for: { type: 'string', value: 'DURATION', help: 'how long: 30m, 2h, 1d (default: until it is thawed)' },
      reason: { ...REASON, help: 'why; hosts that ask are told. Needed' },
      ...WHERE,
    },
    exits: ['failure', 'configuration', 'notRunning', 'denied'],
    run: ({ options }, io) => {
      const call = { name: 'manager freeze', options, io };
      const { group, all, reason = '' } = options;
      const end = endOf(options.until, options.for, Date.now());
      const problem =
        scopeProblem(group, all) ?? (reason === '' ? '--reason is missing: hosts that ask are told' : end.problem);
      if (problem !== null) {
        complain(call, problem);
        return Promise.resolve(EXIT.usage);
      }
      const order = { by: administrator(io.env), reason };
      return giveOrder(call, open, group ?? null, (scope) => {
        return { operation: 'freeze', group: scope, until: end.until, ...order };
      });
    },
  });
}

/** What is wrong with the choice between one group and all, or null. */
export function scopeProblem(group: string | undefined, all: boolean): string | null {
  if (group === undefined && !all) return 'which group? --group GROUP, or --all';
  return group !== undefined && all ? '--group and --all exclude each other' : null;
}

interface End {
  /** Milliseconds since 1970; null: it has none. */
  readonly until: number | null;
  readonly problem: string | null;
}

function endOf(until: string | undefined, length: string | undefined, now: number): End {
  if (until !== undefined && length !== undefined) return bad('--until and --for exclude each other');
  if (until !== undefined) {
    const end = parseMoment(until);
    if (end === null) return bad('--until: expected a time such as 2026-07-23T14:00Z');
    return end <= now ? bad('--until lies in the past') : { until: end, problem: null };
  }
  if (length === undefined) return { until: null, problem: null };
  const ms = parseDuration(length);
  return ms === null ? bad('--for: expected a duration such as 30m, 2h or 1d') : { until: now + ms, problem: null };
}

function bad(problem: string): End {
  return { until: null, problem };
}
