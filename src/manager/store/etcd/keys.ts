/** Below it airlock keeps one key for each group. */
export const AIRLOCK_PREFIX = 'com.coreos.airlock/groups/';
const AIRLOCK_REST = '/v1/semaphore';
/** Where our own keys are, unless configured. */
export const DEFAULT_PREFIX = 'io.github.holdpoint/';

/** What a group may be called; then airlock's query-escaping leaves its name as it is. */
const GROUP_NAME = /^[a-zA-Z0-9.-]+$/;

/** Digits of a record's number in a key, so that keys sort as numbers do. */
const DIGITS = 16;

/** The names of our keys below one prefix. */
export interface Keys {
  /** What all of them begin with; ends with a slash. */
  readonly prefix: string;
  /** By it our writers see each other: rewritten in every transaction, and compared. */
  readonly head: string;
  readonly fleet: string;
  /** What the keys of all groups begin with. */
  readonly groups: string;
  group(name: string): string;
  note(name: string): string;
  /** A chunk of the audit, by the number of its first record. */
  chunk(first: number): string;
}

/** The keys below a prefix, which gets a slash at its end if it has none. */
export function keysBelow(given: string): Keys {
  const prefix = given.endsWith('/') ? given : `${given}/`;
  const groups = `${prefix}groups/`;
  return {
    prefix,
    head: `${prefix}head`,
    fleet: `${prefix}fleet`,
    groups,
    group: (name) => groups + name,
    note: (name) => `${prefix}notes/${name}`,
    chunk: (first) => `${prefix}audit/${String(first).padStart(DIGITS, '0')}`,
  };
}

/** airlock's key for a group. */
export function airlockKey(group: string): string {
  return AIRLOCK_PREFIX + group + AIRLOCK_REST;
}

/** The group that one of airlock's keys belongs to; null: it is none of a group that we could have. */
export function groupOfAirlockKey(key: string): string | null {
  if (!key.endsWith(AIRLOCK_REST)) return null;
  return groupName(key.slice(AIRLOCK_PREFIX.length, -AIRLOCK_REST.length));
}

/** The group that one of our keys belongs to; null: it is none of a group. */
export function groupOfOwnKey(key: string, keys: Keys): string | null {
  return groupName(key.slice(keys.groups.length));
}

function groupName(text: string): string | null {
  return GROUP_NAME.test(text) ? text : null;
}

/** The first key after all that begin with this text, which must end with a character of ASCII. */
export function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
