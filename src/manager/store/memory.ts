import { type AuditRecord, EMPTY_FLEET } from '../document.ts';
import { collectHistory } from './history.ts';
import { appendAudit, chunksOf, FIRST_HEAD, type Head } from './layout.ts';
import { applied } from './state.ts';
import type { AuditBounds, Change, FleetState, HistoryQuery, Store } from './store.ts';

/** What stores share that live in one process and are gone with it. */
export interface MemoryData {
  /** Replaced with every change, so that it is also the mark by which stores see that something has changed. */
  state: FleetState;
  head: Head;
  /** Of the audit, oldest first. */
  readonly chunks: (readonly AuditRecord[])[];
  readonly notes: Map<string, string>;
  readonly watchers: Set<{ readonly owner: Store; readonly handler: () => void }>;
}

/** Data of a fleet in which nothing was written yet. */
export function emptyMemory(): MemoryData {
  const state = { groups: new Map(), fleet: EMPTY_FLEET };
  return { state, head: FIRST_HEAD, chunks: [], notes: new Map(), watchers: new Set() };
}

/**
 * A store that keeps nothing beyond the process, for tests and simulations. Several over the same data are like replicas
 * of a manager. `clock` gives ms since 1970.
 */
export function openMemoryStore(data: MemoryData, clock: () => number, bounds: AuditBounds): Store {
  const store = {
    state: data.state,
    mostGroups: 1024,
    refresh(): Promise<void> {
      store.state = data.state;
      return Promise.resolve();
    },
    commit(change: Change): Promise<'committed' | 'conflict'> {
      const isCurrent = store.state === data.state;
      if (isCurrent) write(data, change, clock(), bounds);
      store.state = data.state;
      if (isCurrent) for (const { owner, handler } of data.watchers) if (owner !== store) handler();
      return Promise.resolve(isCurrent ? 'committed' : 'conflict');
    },
    history: (query: HistoryQuery) => collectHistory(data.chunks.toReversed(), query),
    watch(handler: () => void): () => void {
      const watcher = { owner: store, handler };
      data.watchers.add(watcher);
      return () => void data.watchers.delete(watcher);
    },
    readNote: (name: string) => Promise.resolve(data.notes.get(name) ?? null),
    writeNote(name: string, text: string): Promise<void> {
      data.notes.set(name, text);
      return Promise.resolve();
    },
    health: () => Promise.resolve({ problem: null, warnings: [] }),
    close: () => Promise.resolve(),
  };
  return store;
}

function write(data: MemoryData, change: Change, now: number, bounds: AuditBounds): void {
  const { head, records, dropBelow } = appendAudit(data.head, change.audit, now, bounds);
  data.state = applied(data.state, change);
  data.head = head;
  while ((data.chunks[0]?.[0]?.number ?? Infinity) < dropBelow) data.chunks.shift();
  data.chunks.push(...chunksOf(records));
}
