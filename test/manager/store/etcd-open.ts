// Opens stores on an etcd for tests, and closes them after the test.
import { onTestFinished } from 'vitest';
import { type EtcdOptions, openEtcdStore } from '../../../src/manager/store/etcd.ts';
import type { Store } from '../../../src/manager/store/store.ts';

/** The key that airlock has for a group. */
export function airlockKey(group: string): string {
  return `com.coreos.airlock/groups/${group}/v1/semaphore`;
}

/** Our key for a group. */
export function ownKey(group: string): string {
  return `io.github.holdpoint/groups/${group}`;
}

/** A store with the real clock and a generous audit, unless said otherwise. Warnings are collected in `warnings`. */
export async function openAt(
  endpoints: readonly string[],
  more: Partial<EtcdOptions> = {},
  warnings: string[] = [],
): Promise<Store> {
  const store = await openEtcdStore({
    endpoints,
    clock: () => ({ wall: Date.now(), mono: 0 }),
    audit: { mostRecords: 100_000, longestMs: 365 * 86_400_000 },
    onWarning: (text) => warnings.push(text),
    ...more,
  });
  onTestFinished(() => store.close());
  return store;
}

/** What an attempt to open a store ends with. */
export async function refusal(endpoints: readonly string[], more: Partial<EtcdOptions> = {}): Promise<unknown> {
  return openAt(endpoints, more).then(
    () => 'it was opened',
    (error: unknown) => error,
  );
}
