import { oneLine } from '../../base/text.ts';
import { MESSAGE_IDS } from './message-ids.ts';
import type { Moment } from './moment.ts';

/** Who it is that tells of a moment. */
export interface Teller {
  readonly nodeId: string;
  /** The name of this host. */
  readonly host: string;
  readonly group: string;
}

/** The name under which moments are in the journal; the log of the agent has another. */
const IDENTIFIER = 'holdpoint-moment';

const PRIORITIES = { error: '3', warn: '4', info: '6' } as const;
const LONGEST = 2_000;

/**
 * A moment as an entry of the journal: `NAME=value` lines. A value never has a second line, which would be a field of
 * its own; fields without a value are left out.
 */
export function entryOf(moment: Moment, { nodeId, group }: Teller): string {
  const { event, level, text, booted, target, from, cause, reason, since } = moment;
  const fields: Readonly<Record<string, string | null>> = {
    MESSAGE_ID: MESSAGE_IDS[event],
    MESSAGE: text,
    PRIORITY: PRIORITIES[level],
    SYSLOG_IDENTIFIER: IDENTIFIER,
    HOLDPOINT_EVENT: event,
    HOLDPOINT_NODE: nodeId,
    HOLDPOINT_GROUP: group,
    HOLDPOINT_BOOTED: booted,
    HOLDPOINT_TARGET: target,
    HOLDPOINT_FROM: from,
    HOLDPOINT_CAUSE: cause,
    HOLDPOINT_REASON: reason,
    HOLDPOINT_SINCE: since === null ? null : String(Math.floor(since / 1000)),
  };
  const lines = Object.entries(fields).flatMap(([name, value]) => {
    const clean = oneLine(value ?? '', LONGEST);
    return clean === '' ? [] : `${name}=${clean}\n`;
  });
  return lines.join('');
}
