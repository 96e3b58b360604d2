import type { Clock } from '../../../base/clock.ts';
import type { AuditRecord } from '../../document.ts';
import { collectHistory } from '../history.ts';
import { FIRST_HEAD } from '../layout.ts';
import {
  type AuditBounds,
  type Change,
  type FleetState,
  type HistoryQuery,
  type Store,
  StoreError,
  type StoreHealth,
} from '../store.ts';
import { chunksBackwards, headOfAudit } from './audit.ts';
import { storeError } from './failure.ts';
import type { Gateway } from './gateway.ts';
import { healthOf } from './health.ts';
import { AIRLOCK_PREFIX, type Keys } from './keys.ts';
import {
  all,
  bytes,
  one,
  type RangeAnswer,
  type RangeRequest,
  readRange,
  readTxn,
  type TxnAnswer,
  type TxnRequest,
} from './messages.ts';
import { OwnWrites } from './own-writes.ts';
import { MOST_GROUPS, planWrite } from './plan.ts';
import { View } from './view.ts';
import { watchKeys } from './watch.ts';

/** Bytes that a note may have. */
const LONGEST_NOTE = 512 * 1024;

/** What a store in etcd needs beside its keys. */
export interface EtcdStoreOptions {
  /** Milliseconds for one transaction. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly audit: AuditBounds;
  readonly onWarning: (text: string) => void;
}

/** A fleet in etcd, beside what airlock has there. */
export class EtcdStore implements Store {
  readonly mostGroups = MOST_GROUPS;
  readonly #gateway: Gateway;
  readonly #keys: Keys;
  readonly #options: EtcdStoreOptions;
  readonly #view: View;
  readonly #own = new OwnWrites();
  readonly #watches = new Set<() => void>();

  /** Empty until `load`. */
  constructor(gateway: Gateway, keys: Keys, options: EtcdStoreOptions) {
    this.#gateway = gateway;
    this.#keys = keys;
    this.#options = options;
    this.#view = new View(keys, options.onWarning);
  }

  get state(): FleetState {
    return this.#view.state;
  }

  /** Reads everything. Rejects with a `StoreError`. */
  async load(): Promise<void> {
    try {
      const answer = await this.#read(this.#view.everything());
      const isHeadless = answer.ranges[0]?.keys.length === 0;
      const headless = isHeadless ? await headOfAudit(this.#readRanges, this.#keys) : FIRST_HEAD;
      this.#view.load(answer, headless, this.#options.clock().wall);
    } catch (error) {
      throw storeError(error, false);
    }
  }

  async refresh(groups: readonly string[]): Promise<void> {
    const failure = this.#view.changes().map((range) => ({ request_range: range }));
    const answer = await this.#transact({ compare: this.#view.compares(groups), success: [], failure }, false);
    if (!answer.succeeded || this.#view.isForeign(answer)) await this.#takeChanges(answer);
  }

  async commit(change: Change, groups: readonly string[]): Promise<'committed' | 'conflict'> {
    const { clock, audit } = this.#options;
    const plan = planWrite(this.#view, this.#keys, change, groups, clock().wall, audit);
    const done = this.#own.begin();
    try {
      const answer = await this.#transact(plan.request, true);
      if (!answer.succeeded) {
        await this.#takeChanges(answer);
        return 'conflict';
      }
      this.#own.add(answer.revision);
      if (this.#view.isForeign(answer)) {
        // Revisions are all that is compared, and other data may have the same ones: what was decided rests on nothing.
        await this.load();
        throw new StoreError('ambiguous', 'etcd has other data than before; what was written was decided from those');
      }
      this.#view.written(plan, answer.revision);
      return 'committed';
    } finally {
      done();
    }
  }

  async history(query: HistoryQuery): Promise<readonly AuditRecord[]> {
    try {
      return await collectHistory(chunksBackwards(this.#readRanges, this.#keys, this.#options.onWarning), query);
    } catch (error) {
      throw storeError(error, false);
    }
  }

  watch(handler: () => void): () => void {
    let told = 0;
    const stop = watchKeys(this.#gateway, [one(this.#keys.head), all(AIRLOCK_PREFIX)], {
      begun: handler,
      // An event can be here before the answer to the write that caused it.
      changed: (revision) =>
        void this.#own.settled().then(() => {
          const isNews = revision > Math.max(told, this.#view.revision) && !this.#own.has(revision);
          if (!isNews || !this.#watches.has(stop)) return;
          told = revision;
          handler();
        }),
      failed: this.#options.onWarning,
    });
    this.#watches.add(stop);
    return () => {
      stop();
      this.#watches.delete(stop);
    };
  }

  async readNote(name: string): Promise<string | null> {
    const { timeoutMs } = this.#options;
    try {
      const answer = await this.#gateway.call('/v3/kv/range', one(this.#keys.note(name)), { timeoutMs });
      return readRange(answer, 'range').keys[0]?.value ?? null;
    } catch (error) {
      throw storeError(error, false);
    }
  }

  async writeNote(name: string, text: string): Promise<void> {
    if (Buffer.byteLength(text) > LONGEST_NOTE) {
      throw new StoreError('too-large', `a note may have ${LONGEST_NOTE} bytes`);
    }
    const { timeoutMs } = this.#options;
    try {
      // Twice the same note is no harm.
      await this.#gateway.call('/v3/kv/put', { key: bytes(this.#keys.note(name)), value: bytes(text) }, { timeoutMs });
    } catch (error) {
      throw storeError(error, false);
    }
  }

  health(): Promise<StoreHealth> {
    return healthOf(this.#gateway, one(this.#keys.head), this.#options.timeoutMs);
  }

  async close(): Promise<void> {
    for (const stop of this.#watches) stop();
    this.#watches.clear();
    await this.#gateway.close();
  }

  async #takeChanges(answer: TxnAnswer): Promise<void> {
    try {
      if (!answer.succeeded && this.#view.update(answer, this.#options.clock().wall)) return;
    } catch (error) {
      throw storeError(error, false);
    }
    await this.load();
  }

  readonly #readRanges = async (ranges: readonly RangeRequest[]): Promise<readonly RangeAnswer[]> => {
    return (await this.#read(ranges)).ranges;
  };

  #read(ranges: readonly RangeRequest[]): Promise<TxnAnswer> {
    return this.#transact(
      { compare: [], success: ranges.map((range) => ({ request_range: range })), failure: [] },
      false,
    );
  }

  async #transact(request: TxnRequest, isWrite: boolean): Promise<TxnAnswer> {
    const { timeoutMs } = this.#options;
    try {
      return readTxn(await this.#gateway.call('/v3/kv/txn', request, { once: isWrite, timeoutMs }), 'txn');
    } catch (error) {
      throw storeError(error, isWrite);
    }
  }
}
