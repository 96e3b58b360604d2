import { errorText } from '../../../base/text.ts';
import { parseGroup } from '../codec.ts';
import { type GroupEntry, StoreError } from '../store.ts';
import { parseSemaphore } from './airlock.ts';
import type { KeyValue } from './messages.ts';
import { type FirstSeen, reconcile } from './reconcile.ts';

/** What the keys of a group say, and when its holders that are not on record were seen first. */
export interface SeenGroup {
  readonly entry: GroupEntry;
  readonly firstSeen: FirstSeen;
}

/** Reads the keys of a group, of which at least one is there. What cannot be read concerns this group only. */
export function readGroup(
  name: string,
  airlock: KeyValue | undefined,
  own: KeyValue | undefined,
  firstSeen: FirstSeen,
  now: number,
): SeenGroup {
  try {
    const semaphore = airlock === undefined ? null : readValue(airlock, parseSemaphore);
    const document = own === undefined ? null : readValue(own, parseGroup);
    const { found, ...reconciled } = reconcile(name, semaphore, document, firstSeen, now);
    return { entry: { kind: 'good', document: reconciled.document, found }, firstSeen: reconciled.firstSeen };
  } catch (error) {
    return { entry: { kind: 'corrupt', problem: errorText(error) }, firstSeen };
  }
}

/** Reads a value. Throws a `StoreError` that names the key. */
export function readValue<T>({ key, value }: KeyValue, parse: (text: string) => T): T {
  try {
    return parse(value);
  } catch (error) {
    const text = `the value of ${key} in etcd cannot be read: ${errorText(error)}`;
    throw new StoreError('broken', text, { cause: error });
  }
}
