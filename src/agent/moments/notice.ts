import { oneLine, utc } from '../../base/text.ts';
import type { TEXT_VARIABLES } from '../../config/moment-names.ts';
import { fillIn } from '../../config/template.ts';
import type { Teller } from './entry.ts';
import type { Moment } from './moment.ts';

/** The version of what is sent. Fields may be added to it; when one changes its meaning or goes, it becomes another. */
export const NOTICE_VERSION = 1;

/** A moment as it is sent to a webhook: JSON. `template`: what `text` is made of. */
export function noticeOf(moment: Moment, teller: Teller, template: string): string {
  const { event, at, since, booted, target, from, cause, reason } = moment;
  const { host, group, nodeId } = teller;
  const values: Readonly<Record<(typeof TEXT_VARIABLES)[number], string>> = {
    host,
    event,
    booted: booted ?? '',
    target: target ?? '',
    group,
    reason: reason ?? '',
    text: moment.text,
  };
  return JSON.stringify({
    version: NOTICE_VERSION,
    source: 'holdpoint-agent',
    event,
    node: nodeId,
    host,
    group,
    at: utc(at),
    since: since === null ? null : utc(since),
    booted,
    target,
    from,
    cause,
    reason,
    text: oneLine(fillIn(template, values), LONGEST),
  });
}

const LONGEST = 2_000;
