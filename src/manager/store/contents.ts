import { errorText, oneLine } from '../../base/text.ts';
import { EMPTY_FLEET } from '../document.ts';
import { encode, parseFleet, parseGroup, parseHead } from './codec.ts';
import { FIRST_HEAD, type Head } from './layout.ts';
import type { Database } from './leveldb.ts';
import { digestOf, sealed, unseal, type Unsealed } from './seal.ts';
import { goodEntry } from './state.ts';
import { type FleetState, type GroupEntry, StoreError } from './store.ts';

/** What an embedded database holds, apart from audit and notes. */
export interface Contents {
  readonly state: FleetState;
  readonly head: Head;
  readonly digests: Digests;
}

/** The digests of the documents in a state, by their keys, and their sum modulo 2³². */
export class Digests {
  readonly #byKey: Map<string, number>;
  #sum = 0;

  constructor(byKey: Iterable<readonly [string, number]>) {
    this.#byKey = new Map(byKey);
    for (const digest of this.#byKey.values()) this.#sum = (this.#sum + digest) >>> 0;
  }

  get sum(): number {
    return this.#sum;
  }

  /** What the sum is once these documents are written. */
  sumWith(changed: Iterable<readonly [string, number]>): number {
    let sum = this.#sum;
    for (const [key, digest] of changed) sum = (sum - (this.#byKey.get(key) ?? 0) + digest) >>> 0;
    return sum;
  }

  /** These documents were written. */
  take(changed: Iterable<readonly [string, number]>): void {
    for (const [key, digest] of changed) {
      this.#sum = this.sumWith([[key, digest]]);
      this.#byKey.set(key, digest);
    }
  }
}

/** What was read, and what is wrong with it as a whole. */
export interface Read extends Contents {
  /** Documents are missing or old, and nobody knows which; null: all are as they were written. */
  readonly problem: string | null;
  /** There are documents that cannot be read, and what others there are cannot be told; null: it can. */
  readonly doubt: string | null;
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
export async function readContents(database: Database): Promise<Read> {
  const place = database.location;
  const groups = new Map<string, GroupEntry>();
  const documents = new Map<string, Unsealed>();
  for await (const [key, value] of database.iterator(GROUPS)) {
    const name = key.slice(GROUPS.gte.length);
    const document = unseal(key, value);
    documents.set(key, document);
    groups.set(name, readEntry(`${place}: the document of group ${oneLine(name)}`, document));
  }
  const [head, fleet] = await database.getMany([KEYS.head, KEYS.fleet]);
  if (fleet !== undefined) documents.set(KEYS.fleet, unseal(KEYS.fleet, fleet));
  const state: FleetState = {
    groups,
    fleet: fleet === undefined ? EMPTY_FLEET : readSealed(`${place}: the fleet`, KEYS.fleet, fleet, parseFleet),
  };
  const digests = new Digests([...documents].map(([key, { stated }]) => [key, stated] as const));
  if (head === undefined) {
    return { head: firstHead(place, documents.size > 0), state, digests, problem: null, doubt: null };
  }
  const isFit = fits(readSealed(`${place}: the head`, KEYS.head, head, parseSum), digests.sum, documents.values());
  const isCorrupt = [...groups.values()].some(({ kind }) => kind === 'corrupt');
  return {
    head: readSealed(`${place}: the head`, KEYS.head, head, parseHead),
    state,
    digests,
    problem: isFit || isCorrupt ? null : 'documents are missing from it, or are older than they should be',
    doubt: isFit || !isCorrupt ? null : `${place}: documents are damaged; others may be missing or old`,
  };
}

/** The head as it is kept: with the sum of the digests of all documents, so that one that is missing or old is missed. */
export function encodeHead(head: Head, sum: number): string {
  const withSum = { ...head, sum };
  const text = encode(withSum);
  return sealed(text, digestOf(KEYS.head, text));
}

/** Null: it was written without one. */
function parseSum(text: string): number | null {
  const { sum } = JSON.parse(text) as { readonly sum?: unknown };
  return typeof sum === 'number' ? sum : null;
}

function fits(sum: number | null, found: number, documents: Iterable<Unsealed>): boolean {
  if (sum === null || sum === found) return true;
  // It may be the digest that was damaged, and not the document.
  return [...documents].some(({ stated, actual }) => (found - stated + actual) >>> 0 === sum);
}

function readEntry(what: string, { text, problem }: Unsealed): GroupEntry {
  try {
    if (problem !== null) throw new Error(problem);
    return goodEntry(parseGroup(text));
  } catch (error) {
    return { kind: 'corrupt', problem: `${what} cannot be read: ${errorText(error)}` };
  }
}

function firstHead(place: string, isUsed: boolean): Head {
  if (isUsed) throw new StoreError('broken', `${place}: the head is missing, though there are documents`);
  return FIRST_HEAD;
}

/** Reads what was kept under a key; throws a `StoreError` that says what cannot be read. */
export function readSealed<T>(what: string, key: string, value: string, parse: (text: string) => T): T {
  try {
    const { text, problem } = unseal(key, value);
    if (problem !== null) throw new Error(problem);
    return parse(text);
  } catch (error) {
    throw new StoreError('broken', `${what} cannot be read: ${errorText(error)}`, { cause: error });
  }
}
