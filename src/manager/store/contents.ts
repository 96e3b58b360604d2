import { errorText, oneLine } from '../../base/text.ts';
import { EMPTY_FLEET } from '../document.ts';
import { parseFleet, parseGroup, parseHead } from './codec.ts';
import { FIRST_HEAD, type Head } from './layout.ts';
import type { Database } from './leveldb.ts';
import { goodEntry } from './state.ts';
import { type FleetState, type GroupEntry, StoreError } from './store.ts';

/** What an embedded database holds, apart from audit and notes. */
export interface Contents {
  readonly state: FleetState;
  readonly head: Head;
}

/** Where things are kept. */
export const KEYS = {
  fleet: 'fleet',
  head: 'head',
  group: (name: string) => `group/${name}`,
  note: (name: string) => `note/${name}`,
  /** The chunk of the audit whose first record has this number. In the order of the numbers. */
  chunk: (first: number) => `audit/${String(first).padStart(16, '0')}`,
} as const;

/** All chunks are before this key. */
export const AFTER_CHUNKS = 'audit0';

/** The number of the first record in the chunk of the audit with this key. */
export function chunkOfKey(key: string): number {
  return Number(key.slice(key.indexOf('/') + 1));
}

const GROUPS = { gte: 'group/', lt: 'group0' } as const;

/**
 * Reads all but audit and notes. A group that cannot be read is `corrupt`; rejects with a `StoreError` when that is so of
 * what concerns all.
 */
export async function readContents(database: Database): Promise<Contents> {
  const place = database.location;
  const groups = new Map<string, GroupEntry>();
  for await (const [key, text] of database.iterator(GROUPS)) {
    const name = key.slice(GROUPS.gte.length);
    groups.set(name, readEntry(`${place}: the document of group ${oneLine(name)}`, text));
  }
  const [head, fleet] = await database.getMany([KEYS.head, KEYS.fleet]);
  return {
    head:
      head === undefined
        ? firstHead(place, groups.size > 0 || fleet !== undefined)
        : readOrBroken(`${place}: the head`, head, parseHead),
    state: {
      groups,
      fleet: fleet === undefined ? EMPTY_FLEET : readOrBroken(`${place}: the fleet`, fleet, parseFleet),
    },
  };
}

function readEntry(what: string, text: string): GroupEntry {
  try {
    return goodEntry(parseGroup(text));
  } catch (error) {
    return { kind: 'corrupt', problem: `${what} cannot be read: ${errorText(error)}` };
  }
}

function firstHead(place: string, isUsed: boolean): Head {
  if (isUsed) throw new StoreError('broken', `${place}: the head is missing, though there are documents`);
  return FIRST_HEAD;
}

/** Reads one text; throws a `StoreError` that says what cannot be read. */
export function readOrBroken<T>(what: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (error) {
    throw new StoreError('broken', `${what} cannot be read: ${errorText(error)}`, { cause: error });
  }
}
