import type { Answer } from '../../src/manager/answer.ts';
import type { LockOptions } from '../../src/manager/api.ts';
import type { AuditDraft } from '../../src/manager/document.ts';
import type { GroupPolicy } from '../../src/manager/policy.ts';
import type { Policies, Witness } from '../../src/manager/parts.ts';
import { Service } from '../../src/manager/service.ts';
import { emptyMemory, type MemoryData, openMemoryStore } from '../../src/manager/store/memory.ts';
import type { Store, StoreError } from '../../src/manager/store/store.ts';
import { VirtualTime } from './virtual-time.ts';

/** Bounds of the audit that no test reaches by accident. */
export const AUDIT = { mostRecords: 100_000, longestMs: 365 * 24 * 3_600_000 };

/** The rules of a group, with changes. */
export function policyOf(
  group: string,
  change: Partial<GroupPolicy['rules']> & { first?: readonly string[]; overdueMs?: number } & {
    slots?: GroupPolicy['slots'];
  } = {},
): GroupPolicy {
  const { first = [], overdueMs = 21_600_000, slots = { kind: 'count', count: 1 }, ...rules } = change;
  return {
    rules: { group, soakMs: 0, staleAfterMs: 3_600_000, haltAfter: 0, showHolders: true, ...rules },
    precedence: { first: new Set(first), overdueMs },
    slots,
  };
}

/** Policies of groups that do not change, always open. */
export function policies(groups: readonly GroupPolicy[], change: Partial<Policies> = {}): Policies {
  const byName = new Map(groups.map((group) => [group.rules.group, group]));
  const all: Policies = {
    of: (group) => byName.get(group) ?? null,
    onDemand: () => null,
    configured: () => [...byName.keys()],
    closed: () => null,
    changesAt: () => null,
    prepare: () => null,
    shown: (group, now) => ({ closed: all.closed(group, now), gate: null }),
    ...change,
  };
  return all;
}

/** A service on a store in memory, in virtual time. */
export interface Bench {
  readonly service: Service;
  readonly store: Store;
  readonly time: VirtualTime;
  readonly data: MemoryData;
  readonly audit: readonly AuditDraft[];
  readonly failures: readonly StoreError[];
  /** Asks for a slot and waits for the answer as long as that takes no time. */
  readonly lock: (id: string, group?: string) => Promise<Answer>;
  readonly unlock: (id: string, group?: string) => Promise<Answer>;
  /** Asks for a slot and may wait for it. */
  readonly wait: (id: string, ms?: number, group?: string) => Waiting;
}

/** A request that may wait. */
export interface Waiting {
  /** Undefined while it waits. */
  answer: Answer | undefined;
  /** The connection goes away. */
  readonly abort: () => void;
}

/** Starts a service. Several on the same `data` and `time` are replicas. */
export async function startBench(
  rules: Policies,
  {
    data = emptyMemory(),
    time = new VirtualTime(),
    wrap = (store: Store): Store => store,
    notReady = (): void => undefined,
    start = (service: Service): Promise<void> => service.start(),
  }: {
    data?: MemoryData;
    time?: VirtualTime;
    wrap?: (store: Store) => Store;
    notReady?: (problem: string) => void;
    start?: (service: Service) => Promise<void>;
  } = {},
): Promise<Bench> {
  const store = wrap(openMemoryStore(data, time.now, AUDIT));
  const audit: AuditDraft[] = [];
  const failures: StoreError[] = [];
  const witness: Witness = {
    changed: (drafts) => audit.push(...drafts),
    decided: () => undefined,
    outgrown: () => undefined,
    stored: () => undefined,
    storeFailed: (error) => failures.push(error),
    storeRecovered: () => undefined,
    notReady,
  };
  const service = new Service({ store, storeKind: 'embedded', time, policies: rules, witness, decisionMs: 10_000 });
  await start(service);
  const ask = (id: string, group: string, options: LockOptions): Promise<Answer> =>
    service.lock({ id, group }, options);
  return {
    service,
    store,
    time,
    data,
    audit,
    failures,
    lock: (id, group = 'g') => ask(id, group, { waitMs: 0, signal: new AbortController().signal }),
    unlock: (id, group = 'g') => service.unlock({ id, group }),
    wait: (id, ms = 50_000, group = 'g') => {
      const controller = new AbortController();
      const waiting: Waiting = { answer: undefined, abort: () => controller.abort() };
      void ask(id, group, { waitMs: ms, signal: controller.signal }).then((answer) => (waiting.answer = answer));
      return waiting;
    },
  };
}

/** An answer in one word. */
export function word(answer: Answer | undefined): string {
  if (answer === undefined) return 'waits';
  return answer.ok ? answer.outcome : answer.kind;
}

/** A store that is another one but for some of its methods. */
export function delegate(store: Store, change: Partial<Store>): Store {
  return Object.assign(Object.create(store) as Store, change);
}
