// etcd behind an address at which it is not always the same one that answers, or any.
import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { Store } from '../../../src/manager/store/store.ts';
import { startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { serve } from '../../support/http.ts';
import { change, document, holder } from './documents.ts';
import { airlockKey, openAt } from './etcd-open.ts';

async function start(): Promise<TestEtcd> {
  const etcd = await startEtcd();
  onTestFinished(() => etcd.stop());
  return etcd;
}

/** An address behind which stands an etcd, or nobody who says a word. */
interface Front {
  readonly url: string;
  /** Whom requests are given to from now on; null: to nobody, and they are not answered. */
  turnTo(etcd: TestEtcd | null): void;
}

async function front(first: TestEtcd): Promise<Front> {
  let behind: TestEtcd | null = first;
  const pass = async (url: string, body: string, response: ServerResponse): Promise<void> => {
    if (behind === null) return;
    if (url === '/version') response.end('{"etcdserver":"3.5.1","etcdcluster":"3.5.0"}');
    else response.end(JSON.stringify(await behind.call(url, JSON.parse(body))));
  };
  const server = await serve((request, response) => {
    let body = '';
    request.on('data', (piece) => (body += String(piece)));
    request.on('end', () => void pass(request.url ?? '', body, response));
  });
  onTestFinished(() => server.close());
  return { url: server.url.origin, turnTo: (etcd) => void (behind = etcd) };
}

function held(id: string) {
  return change({ g: document([holder(id)]) });
}

function holdersOf(store: Store, group: string): readonly string[] {
  const entry = store.state.groups.get(group);
  return entry?.kind === 'good' ? entry.document.holders.map(({ id }) => id) : [];
}

test('another etcd whose keys have the same revisions is not taken for the one before', async () => {
  const [before, now] = [await start(), await start()];
  const address = await front(before);
  const store = await openAt([address.url]);
  const beside = await openAt(now.endpoints);
  for (const [each, id] of [
    [store, 'old'],
    [beside, 'new'],
  ] as const) {
    expect(await each.commit(held(id), ['g'])).toBe('committed');
  }
  address.turnTo(now);
  await store.refresh(['g']);
  expect(holdersOf(store, 'g')).toEqual(['new']);
});

test('a member that says nothing leaves time for the next one', async () => {
  const etcd = await start();
  const address = await front(etcd);
  const store = await openAt([address.url, ...etcd.endpoints], { timeoutMs: 2_000 });
  address.turnTo(null);
  await store.refresh(['g']);
  expect(await store.commit(held('a'), ['g'])).toBe('committed');
});

test('a change is a conflict when airlock wrote to a group that it was decided from, written or not', async () => {
  const etcd = await start();
  const store = await openAt(etcd.endpoints);
  await store.commit(change({ g: document(), h: document() }), ['g', 'h']);
  // The same id asks airlock for a slot of one group, and us for one of another.
  await etcd.put(airlockKey('h'), '{"total_slots":2,"holders":["a"]}');
  expect(await store.commit(held('a'), ['g', 'h'])).toBe('conflict');
  expect([holdersOf(store, 'g'), holdersOf(store, 'h')]).toEqual([[], ['a']]);
});
