import { statfs } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { errorText } from '../../base/text.ts';
import type { AuditRecord } from '../document.ts';
import { encode, parseChunk } from './codec.ts';
import {
  AFTER_CHUNKS,
  chunkOfKey,
  type Contents,
  type Digests,
  encodeHead,
  KEYS,
  readContents,
  readSealed,
} from './contents.ts';
import { collectHistory } from './history.ts';
import { appendAudit, type AuditAppend, chunksOf } from './layout.ts';
import { damaged, type Database, databaseError, droppedAtOpening, openDatabase } from './leveldb.ts';
import { digestOf, sealed, unseal } from './seal.ts';
import { applied } from './state.ts';
import {
  type AuditBounds,
  type Change,
  type FleetState,
  type HistoryQuery,
  type Store,
  StoreError,
  type StoreHealth,
} from './store.ts';

/** Where an embedded store is, and how it is kept. */
export interface EmbeddedOptions {
  /** The folder of the database; made when it is missing. */
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly audit: AuditBounds;
  /** What of it is damaged is given up: an operator has seen to what that means. Default: it does not open then. */
  readonly acceptDamage?: boolean;
  /** Told what was given up, one line. */
  readonly onWarning?: (text: string) => void;
}

/** Bytes that should be free on the disk. */
const ENOUGH_FREE = 128 * 1024 * 1024;

/**
 * Opens a store in a folder of this machine, of which this process is then the only user. Rejects with a `StoreError`
 * when the folder is in use, not permitted, damaged, or cannot be made.
 */
export async function openEmbeddedStore(options: EmbeddedOptions): Promise<Store> {
  const { path, acceptDamage = false, onWarning = () => undefined } = options;
  const opened = await openAndRead(path, acceptDamage);
  for (const text of opened.warnings) onWarning(text);
  return new EmbeddedStore(options, opened);
}

/** A database that is open, and what is in it. */
interface Opened {
  readonly database: Database;
  readonly contents: Contents;
  /** What is lost, or may be. */
  readonly warnings: readonly string[];
}

async function openAndRead(path: string, acceptDamage: boolean): Promise<Opened> {
  const { database, damage } = await openDatabase(path, acceptDamage);
  try {
    const { problem, doubt, ...contents } = await readContents(database);
    const lost = [damage, problem].filter((text) => text !== null);
    if (problem !== null) {
      if (!acceptDamage) throw damaged(path, problem);
      await database.put(KEYS.head, encodeHead(contents.head, contents.digests.sum), { sync: true });
    }
    const accepted = lost.map((text) => `${path}: damage was accepted, and what was there is lost: ${text}`);
    return { database, contents, warnings: [...accepted, ...(doubt === null ? [] : [doubt])] };
  } catch (error) {
    await database.close();
    throw databaseError(path, 'the database cannot be read', error);
  }
}

type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'del'; readonly key: string };

class EmbeddedStore implements Store {
  readonly mostGroups = 1024;
  readonly #options: EmbeddedOptions;
  /** Null after a write that failed: what is on disk must be read anew before anything else is done. */
  #database: Database | null;
  #contents: Contents;
  /** Why there is no database. */
  #problem = '';
  #closed = false;
  readonly #warnings: readonly string[];
  /** Where the chunks of the audit begin, ascending. Null: to be read when it is first needed. */
  #chunks: number[] | null = null;
  /** Writes, one after another: what follows a failed one must not be appended to what that left in the log. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: EmbeddedOptions, { database, contents, warnings }: Opened) {
    this.#options = options;
    this.#database = database;
    this.#contents = contents;
    const dropped = droppedAtOpening(options.path);
    const lost = `${options.path}: a part of what had been written was damaged and is lost`;
    this.#warnings = [...warnings, ...(dropped === null ? [] : [`${lost}: ${dropped}`])];
  }

  get state(): FleetState {
    return this.#contents.state;
  }

  async refresh(): Promise<void> {
    // Nobody else writes.
    if (this.#database === null) await this.#alone(() => this.#opened());
  }

  commit(change: Change): Promise<'committed' | 'conflict'> {
    const decidedFrom = this.state;
    return this.#alone(async () => {
      const database = await this.#opened();
      if (this.state !== decidedFrom) return 'conflict';
      const append = appendAudit(this.#contents.head, change.audit, this.#options.clock(), this.#options.audit);
      const { digests } = this.#contents;
      const { operations, changed } = written(change, append, digests);
      const all = [...operations, ...(await this.#dropped(append.dropBelow))];
      if ((await this.#write(database, all, true)) === 'written') {
        digests.take(changed);
        this.#contents = { state: applied(this.state, change), head: append.head, digests };
        this.#noteChunks(append);
      }
      return 'committed';
    });
  }

  async history(query: HistoryQuery): Promise<readonly AuditRecord[]> {
    return this.#read((database) => collectHistory(chunksNewestFirst(database), query));
  }

  watch(): () => void {
    // Nobody else can write.
    return () => undefined;
  }

  async readNote(name: string): Promise<string | null> {
    const key = KEYS.note(name);
    const value = await this.#read((database) => database.get(key));
    if (value === undefined) return null;
    const { text, stated, actual } = unseal(key, value);
    // One that is damaged is lost, as notes may be.
    return stated === actual ? text : null;
  }

  writeNote(name: string, text: string): Promise<void> {
    return this.#alone(async () => {
      await this.#write(await this.#opened(), [put(KEYS.note(name), text)], false);
    });
  }

  async health(): Promise<StoreHealth> {
    const { path } = this.#options;
    const problem = this.#database === null ? this.#problem : null;
    const free = await statfs(path).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => Infinity,
    );
    const full = free < ENOUGH_FREE ? [`${path}: only ${Math.floor(free / 1024 / 1024)} MiB are free on its disk`] : [];
    return { problem, warnings: [...this.#warnings, ...full] };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
    const database = this.#database;
    this.#database = null;
    this.#problem = `${this.#options.path}: the store is closed`;
    await database?.close();
  }

  /** Does something when all that was begun before is done. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(unavailable(`${this.#options.path}: the store is closed`));
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #read<T>(work: (database: Database) => Promise<T>): Promise<T> {
    if (this.#database === null) throw unavailable(this.#problem);
    try {
      return await work(this.#database);
    } catch (error) {
      throw databaseError(this.#options.path, 'the database cannot be read', error);
    }
  }

  /** The database; opened again, and read, when it was given up. */
  async #opened(): Promise<Database> {
    if (this.#database !== null) return this.#database;
    const { database, contents } = await openAndRead(this.#options.path, false).catch((error: unknown) => {
      this.#problem = errorText(error);
      throw error;
    });
    // The same object as before when nothing has changed.
    const { state } = isDeepStrictEqual(contents.state, this.state) ? this : contents;
    this.#contents = { ...contents, state };
    this.#chunks = null;
    this.#database = database;
    return database;
  }

  /** Deletes the chunks of the audit that begin below a number. */
  async #dropped(below: number): Promise<readonly Operation[]> {
    if (below <= 1) return [];
    // Once the audit is full this is asked for with every write: the database is not.
    this.#chunks ??= await this.#readChunks();
    const over = this.#chunks.slice(0, countBelow(this.#chunks, below));
    return over.map((first) => ({ type: 'del', key: KEYS.chunk(first) }));
  }

  async #readChunks(): Promise<number[]> {
    const keys = await this.#read((database) => database.keys({ gte: KEYS.chunk(0), lt: AFTER_CHUNKS }).all());
    return keys.map(chunkOfKey);
  }

  /** What was written was appended, and what was too old is gone. */
  #noteChunks({ records, dropBelow }: AuditAppend): void {
    if (this.#chunks === null) return;
    this.#chunks.splice(0, countBelow(this.#chunks, dropBelow));
    for (const chunk of chunksOf(records)) this.#chunks.push(chunk[0]?.number ?? 0);
  }

  /** `found`: the write failed, but it was there when the database was read anew. */
  async #write(database: Database, operations: readonly Operation[], sync: boolean): Promise<'written' | 'found'> {
    try {
      // An array of operations costs three times as much: each of them is copied.
      const batch = database.batch();
      for (const operation of operations) {
        if (operation.type === 'put') batch.put(operation.key, operation.value);
        else batch.del(operation.key);
      }
      await batch.write({ sync });
      return 'written';
    } catch (error) {
      await this.#afterFailure(database, operations, error);
      return 'found';
    }
  }

  /**
   * LevelDB goes on after a write that failed half way, but what it appends then can be lost when the log is read again.
   * So the database is opened anew; that also tells whether the write is there. Returns when it is.
   */
  async #afterFailure(database: Database, operations: readonly Operation[], failure: unknown): Promise<void> {
    const text = `${this.#options.path}: the database could not be written (${errorText(failure)})`;
    this.#database = null;
    this.#problem = text;
    await database.close().catch(() => undefined);
    const isThere = await this.#opened()
      .then((again) => holds(again, operations))
      .catch((error: unknown) => {
        const unknown = `${text}, nor be opened again: ${errorText(error)}`;
        throw new StoreError('ambiguous', unknown, { cause: failure });
      });
    if (!isThere) throw new StoreError('unavailable', `${text}; nothing was changed`, { cause: failure });
  }
}

/** How many of some ascending numbers are below another. */
function countBelow(numbers: readonly number[], bound: number): number {
  const index = numbers.findIndex((number) => number >= bound);
  return index === -1 ? numbers.length : index;
}

function put(key: string, text: string): Operation {
  return { type: 'put', key, value: sealed(text, digestOf(key, text)) };
}

/** What is written for a change, and the digests of the documents in it. */
function written(
  { groups, fleet }: Change,
  { head, records }: AuditAppend,
  digests: Digests,
): { readonly operations: readonly Operation[]; readonly changed: readonly (readonly [string, number])[] } {
  const documents = [
    ...[...groups].map(([name, document]): [string, string] => [KEYS.group(name), encode(document)]),
    ...(fleet === undefined ? [] : [[KEYS.fleet, encode(fleet)] as const]),
  ];
  const changed = documents.map(([key, text]) => [key, digestOf(key, text)] as const);
  const operations = [
    ...documents.map(([key, text]) => put(key, text)),
    ...chunksOf(records).map((chunk) => put(KEYS.chunk(chunk[0]?.number ?? 0), encode({ records: chunk }))),
    { type: 'put', key: KEYS.head, value: encodeHead(head, digests.sumWith(changed)) } as const,
  ];
  return { operations, changed };
}

async function holds(database: Database, operations: readonly Operation[]): Promise<boolean> {
  const puts = operations.filter((operation) => operation.type === 'put');
  const found = await database.getMany(puts.map(({ key }) => key));
  return puts.every(({ value }, index) => found[index] === value);
}

async function* chunksNewestFirst(database: Database): AsyncGenerator<readonly AuditRecord[]> {
  const range = { gte: KEYS.chunk(0), lt: AFTER_CHUNKS, reverse: true };
  for await (const [key, text] of database.iterator(range))
    yield readSealed(`${database.location}: ${key}`, key, text, parseChunk);
}

function unavailable(text: string): StoreError {
  return new StoreError('unavailable', text);
}
