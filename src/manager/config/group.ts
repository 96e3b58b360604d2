import { checkTable } from '../../config/check.ts';
import { key, list, optional, type Key } from '../../config/keys.ts';
import { merge, valueReader, type Merged, type ValueReader } from '../../config/merge.ts';
import { tableType } from '../../config/table.ts';
import { arrayOf, boolean, groupName, integer, text, type Plain, type Type } from '../../config/types.ts';
import { webUrl } from '../../config/url.ts';
import { windowType, type Window } from '../../config/window.ts';
import { timeZone } from '../../config/zone.ts';
import { absolutePath, nodeId, slots } from './types.ts';

/** Seconds after steady-state, 0 to a week. */
export const SOAK_SECS: Type<number> = integer(0, 604_800);
/** Seconds, a minute to a year. */
export const STALE_SECS: Type<number> = integer(60, 31_536_000);
/** Stale holders; 0 for never. */
export const HALT_AFTER: Type<number> = integer(0, 10_000);
/** Seconds, one poll of a stock client to 30 days. */
export const OVERDUE_SECS: Type<number> = integer(330, 2_592_000);
/** The most that a percentage may give. */
export const MAX_SLOTS: Type<number> = integer(1, 100_000);

/** Keys of a table `[[lock.groups]]`. What is unset there is as the key of the same name in `[lock]` says. */
export const GROUP_KEYS = {
  name: optional(groupName, 'Name of the group, as hosts send it. Required.'),
  slots: optional(
    slots,
    'How many hosts of the group may reboot at the same time; 0 grants nothing. A percentage is of the hosts seen in 90 days, rounded down, at least 1, and needs `max_slots`. Unset: `lock.default_slots`.',
  ),
  max_slots: optional(MAX_SLOTS, 'The most that a percentage may give. Unset: `lock.max_slots`.'),
  soak_secs: optional(SOAK_SECS, 'As `lock.soak_secs`, for this group.'),
  stale_after_secs: optional(STALE_SECS, 'As `lock.stale_after_secs`, for this group.'),
  halt_after: optional(HALT_AFTER, 'As `lock.halt_after`, for this group.'),
  overdue_secs: optional(OVERDUE_SECS, 'As `lock.overdue_secs`, for this group.'),
  show_holders: optional(boolean, 'As `lock.show_holders`, for this group.'),
  first: key(
    arrayOf(nodeId, 'an array of ids'),
    [],
    'Ids of hosts that are served before all others of the group (canaries), in any order among themselves.',
  ),
  token_path: optional(
    absolutePath,
    'File with the tokens that are accepted for this group, one in a line, beside those of `service.token_path`.',
  ),
  time_zone: key(
    timeZone,
    'UTC',
    'Time zone of the windows of this group: an IANA name, or `localtime` for that of the server.',
  ),
  window: list(
    windowType,
    'A weekly window in which new slots are granted, written `[[lock.groups.window]]` below its group: `days` (English names, in full or three letters), `start_time` (`"hh:mm"`) and `length_minutes` (1 to 10080). Without any, slots are granted at any time.',
  ),
  gate_url: optional(
    webUrl({ use: 'whole', hide: 'query' }),
    'Asked before a new slot is granted: the gate is open when the answer is 2xx, and closed on any other answer, error or timeout.',
  ),
  gate_prometheus_url: optional(
    webUrl({ use: 'base', hide: 'nothing' }),
    'Prometheus server that is asked `gate_query` before a new slot is granted. A group has this or `gate_url`, not both.',
  ),
  gate_query: optional(
    text('a query of Prometheus', /\S/),
    'The gate is open while this query has no result, such as `ALERTS{alertstate="firing"}`, and closed on any error or timeout.',
  ),
  gate_cache_secs: key(integer(1, 3600), 30, 'Seconds for which an answer of the gate is used again.'),
  gate_timeout_secs: key(integer(1, 60), 5, 'Seconds in which the whole answer of the gate must arrive.'),
  gate_token_path: optional(absolutePath, 'File with the token that is sent to the gate as `Authorization: Bearer`.'),
} satisfies Readonly<Record<string, Key<unknown>>>;

/** What may be granted at the same time; `max` caps the percentage, which is of the ids seen in 90 days. */
export type Slots =
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'percent'; readonly percent: number; readonly max: number };

/** Asked before a new slot is granted. Anything but a good answer in time closes it. */
export type Gate = GateRequest &
  (
    | { readonly kind: 'http' }
    /** Open while `query` has no result; `url` is the base URL of the server. */
    | { readonly kind: 'prometheus'; readonly query: string }
  );

interface GateRequest {
  /** http or https; may hold a password or token, so it is not printed. */
  readonly url: string;
  /** 1 000..3 600 000 */
  readonly cacheMs: number;
  /** For the whole request, 1 000..60 000. */
  readonly timeoutMs: number;
  /** File with a token for `Authorization: Bearer`. */
  readonly tokenPath: string | null;
}

/** One group, with everything that it has from the defaults. */
export interface GroupConfig {
  /** `^[a-zA-Z0-9.-]+$` */
  readonly name: string;
  readonly slots: Slots;
  /** How long a slot stays taken after steady-state, 0..604 800 000. */
  readonly soakMs: number;
  /** How long a slot is held before its holder counts as stale, 60 000..31 536 000 000. */
  readonly staleAfterMs: number;
  /** No new grants while so many holders are stale, 0..10 000; 0 for never. */
  readonly haltAfter: number;
  /** How long somebody waits before a slot is kept for them, 330 000..2 592 000 000. */
  readonly overdueMs: number;
  /** Whether refusals name the holders. */
  readonly showHolders: boolean;
  /** Ids that are served first; none twice. */
  readonly first: readonly string[];
  /** File with the tokens of this group. */
  readonly tokenPath: string | null;
  /** An IANA name or `localtime`; known to this Node when there are windows. */
  readonly timeZone: string;
  /** None: at any time. */
  readonly windows: readonly Window[];
  readonly gate: Gate | null;
}

/** One table `[[lock.groups]]`, as it was read. */
export interface GroupTable {
  readonly name: string;
  readonly get: ValueReader<typeof GROUP_KEYS>;
  readonly values: Merged;
}

/**
 * One table `[[lock.groups]]`. Any table with a good name has a value, even where others of its keys were reported, so
 * that it can be compared with the other groups.
 */
export const groupType: Type<GroupTable> = tableType('a table with at least a name', (table, report) => {
  const values = merge([checkTable(table, GROUP_KEYS, report, 'lock.groups')], GROUP_KEYS);
  const get = valueReader(GROUP_KEYS, values);
  const name = get('name');
  if (name !== null) return { value: { name, get, values }, plain: shown(values) };
  if (!table.entries.has('name')) report(table.at, 'name is missing');
  return null;
});

/** What the table sets, and not what it has from elsewhere. */
function shown(values: Merged): Plain {
  return Object.fromEntries(
    [...values].flatMap(([path, { plain, from }]): [string, Plain][] => {
      return plain === null || from.length === 0 ? [] : [[path, plain]];
    }),
  );
}
