import type { AuditDraft, FleetDocument, GroupDocument } from '../../document.ts';
import { encode } from '../codec.ts';
import { appendAudit, chunksOf, type Head } from '../layout.ts';
import { type AuditBounds, type Change, StoreError } from '../store.ts';
import { encodeSemaphore } from './airlock.ts';
import { airlockKey, type Keys } from './keys.ts';
import { deleteBetween, type Operation, put, type TxnRequest } from './messages.ts';
import type { View } from './view.ts';

/** Operations that etcd takes in one transaction, unless it was configured otherwise. */
const MOST_OPERATIONS = 128;
/** Bytes of keys and values in one transaction. etcd's own limit is 1.5 MiB for everything. */
const MOST_BYTES = 1024 * 1024;
/** Groups for which there is room: two keys each, beside head, fleet, the trimming and a few chunks of the audit. */
export const MOST_GROUPS = 60;

interface Value {
  readonly key: string;
  readonly value: string;
}

/** What is written for a group. `airlock` null: its key says the same already, and is left alone. */
interface GroupPlan {
  readonly document: GroupDocument;
  readonly own: Value;
  readonly airlock: Value | null;
}

/** What one transaction writes. */
export interface WritePlan {
  readonly request: TxnRequest;
  readonly head: Head;
  /** Null: is left as it is. */
  readonly fleet: FleetDocument | null;
  readonly groups: ReadonlyMap<string, GroupPlan>;
}

/**
 * Turns a change that was decided from a view into one transaction: all keys of the groups named must be as the view has
 * them, or the answer says what has changed. `now` in ms since 1970. Throws a `StoreError`: `too-large`; `broken` when
 * the change is of a group that cannot be read.
 */
export function planWrite(
  view: View,
  keys: Keys,
  change: Change,
  concerned: readonly string[],
  now: number,
  bounds: AuditBounds,
): WritePlan {
  const groups = new Map([...change.groups].map(([name, document]) => [name, planGroup(view, keys, name, document)]));
  const drafts = [...foundIn(view, change), ...change.audit];
  const { head, records, dropBelow } = appendAudit(view.head, drafts, now, bounds);
  const fleet = change.fleet ?? null;
  const values = [
    { key: keys.head, value: encode(head) },
    ...(fleet === null ? [] : [{ key: keys.fleet, value: encode(fleet) }]),
    ...chunksOf(records).map((chunk) => ({
      key: keys.chunk(chunk[0]?.number ?? 0),
      value: encode({ records: chunk }),
    })),
    ...[...groups.values()].flatMap(({ own, airlock }) => (airlock === null ? [own] : [own, airlock])),
  ];
  const trims = dropBelow > 1 ? [deleteBetween(keys.chunk(0), keys.chunk(dropBelow))] : [];
  const request = {
    compare: view.compares([...new Set([...concerned, ...groups.keys()])]),
    success: [...values.map(({ key, value }) => put(key, value)), ...trims],
    failure: view.changes().map((range): Operation => ({ request_range: range })),
  };
  refuseTooLarge(request, values);
  return { request, head, fleet, groups };
}

function planGroup(view: View, keys: Keys, name: string, document: GroupDocument): GroupPlan {
  const entry = view.state.groups.get(name);
  if (entry?.kind === 'corrupt') throw new StoreError('broken', entry.problem);
  const semaphore = { slots: document.slots, holders: document.holders.map(({ id }) => id) };
  const value = encodeSemaphore(semaphore);
  // Each write to airlock's key makes airlock lose what it was about to write itself.
  const airlock = view.airlockValue(name) === value ? null : { key: airlockKey(name), value };
  return { document, own: { key: keys.group(name), value: encode(document) }, airlock };
}

/** What another program did to the groups that are written, unless the change has it on record itself. */
function foundIn({ state }: View, { groups, audit }: Change): readonly AuditDraft[] {
  const found = [...groups.keys()].flatMap((name) => {
    const entry = state.groups.get(name);
    return entry?.kind === 'good' ? entry.found : [];
  });
  return found.filter((draft) => !audit.includes(draft));
}

function refuseTooLarge({ compare, success }: TxnRequest, values: readonly Value[]): void {
  const operations = Math.max(compare.length, success.length);
  if (operations > MOST_OPERATIONS) {
    throw new StoreError('too-large', `${operations} operations do not fit into one transaction of etcd`);
  }
  const size = values.reduce((sum, { key, value }) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (size > MOST_BYTES) throw new StoreError('too-large', `${size} bytes do not fit into one transaction of etcd`);
}
