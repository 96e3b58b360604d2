import { duration, utc } from '../base/text.ts';
import type { FleetStatus, GroupStatus } from './api.ts';
import { inForce } from './document.ts';

/** Something about the fleet that a person should hear of. */
export interface Notice {
  readonly event: 'stale' | 'returned' | 'halted' | 'resumed' | 'frozen' | 'thawed' | 'unreadable';
  /** Null: all groups. */
  readonly group: string | null;
  readonly id: string | null;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** One sentence: what, since when, and what would change it. */
  readonly text: string;
  readonly level: 'warn' | 'info';
}

/** What is new in a status against the one before. Null: nothing was known before, and all that is wrong is new. */
export function noticesBetween(before: FleetStatus | null, after: FleetStatus): readonly Notice[] {
  const old = new Map((before?.groups ?? []).map((group) => [group.name, group]));
  return [
    ...freezeNotices(
      null,
      before === null ? null : activeFreeze(before, before.at),
      activeFreeze(after, after.at),
      after.at,
    ),
    ...after.groups.flatMap((group) => groupNotices(old.get(group.name), group, before?.at ?? after.at, after.at)),
  ];
}

function groupNotices(
  before: GroupStatus | undefined,
  after: GroupStatus,
  then: number,
  at: number,
): readonly Notice[] {
  const was = before === undefined ? null : activeFreeze(before, then);
  return [
    ...staleNotices(before, after, at),
    ...haltNotices(before?.halted ?? false, after, at),
    ...freezeNotices(after.name, was, activeFreeze(after, at), at),
    ...(after.problem !== null && before?.problem !== after.problem
      ? [notice('unreadable', after.name, null, at, 'warn', `what is stored for it cannot be read: ${after.problem}`)]
      : []),
  ];
}

function staleNotices(before: GroupStatus | undefined, after: GroupStatus, at: number): readonly Notice[] {
  const known = new Set((before?.holders ?? []).filter(({ stale }) => stale).map(({ id }) => id));
  const stale = after.holders.filter((holder) => holder.stale);
  const still = new Set(stale.map(({ id }) => id));
  const news = stale
    .filter(({ id }) => !known.has(id))
    .map(({ id, since }) => {
      const text = `${id} holds a slot since ${utc(since)} (${duration(at - since)}) and has not come back; it keeps the slot until it reports, or until somebody runs: holdpoint manager unlock --force --reason TEXT --group ${after.name} ${id}`;
      return notice('stale', after.name, id, at, 'warn', text);
    });
  const back = [...known]
    .filter((id) => !still.has(id))
    .map((id) =>
      notice('returned', after.name, id, at, 'info', `${id}, which had held a slot for long, has come back`),
    );
  return [...news, ...back];
}

function haltNotices(was: boolean, { halted, name }: GroupStatus, at: number): readonly Notice[] {
  if (was === halted) return [];
  if (!halted) return [notice('resumed', name, null, at, 'info', 'grants go on: fewer holders are stale')];
  const text = 'no new grants, since too many holders did not come back; a release may be bad';
  return [notice('halted', name, null, at, 'warn', text)];
}

type Active = FleetStatus['freeze'];

function activeFreeze({ freeze }: Pick<FleetStatus, 'freeze'>, at: number): Active {
  return inForce(freeze, at);
}

function freezeNotices(group: string | null, was: Active, is: Active, at: number): readonly Notice[] {
  if (is === null)
    return was === null ? [] : [notice('thawed', group, null, at, 'info', 'grants go on: the freeze is over')];
  if (was?.since === is.since && was.until === is.until) return [];
  const until = is.until === null ? 'until it is thawed' : `until ${utc(is.until)}`;
  const why = is.reason === '' ? '' : ` (${is.reason})`;
  return [notice('frozen', group, null, at, 'warn', `no new grants, by the word of ${is.by}, ${until}${why}`)];
}

function notice(
  event: Notice['event'],
  group: string | null,
  id: string | null,
  at: number,
  level: Notice['level'],
  said: string,
): Notice {
  return { event, group, id, at, level, text: `${group === null ? 'all groups' : `group ${group}`}: ${said}` };
}
