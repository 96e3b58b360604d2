// A real airlock beside us: it reads and writes its own key for each group, and compares the version of that alone.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { GroupDocument } from '../../../src/manager/document.ts';
import type { Store } from '../../../src/manager/store/store.ts';
import { base64, startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { change, document, draft, freeze, good, holder } from './documents.ts';
import { airlockKey, openAt, ownKey } from './etcd-open.ts';

let etcd: TestEtcd;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.stop());
beforeEach(() => etcd.clear());

const NOW = Date.UTC(2026, 6, 1);
const HEAD = 'io.github.holdpoint/head';

interface Semaphore {
  total_slots: number;
  holders: string[];
}

/** One request to airlock: read, change, write if the version is the same. False: the compare was lost. */
async function airlock(group: string, edit: (semaphore: Semaphore) => void, between?: () => Promise<unknown>) {
  const key = base64(airlockKey(group));
  const read = async (): Promise<{ version: string; value: string }[]> => {
    const { kvs = [] } = (await etcd.call('/v3/kv/range', { key })) as { kvs?: { version: string; value: string }[] };
    return kvs;
  };
  const init = base64('{"total_slots":1,"holders":[]}');
  await etcd.call('/v3/kv/txn', {
    compare: [{ key, target: 'VERSION', result: 'EQUAL', version: '0' }],
    success: [{ request_put: { key, value: init } }],
  });
  const [found] = await read();
  const semaphore = JSON.parse(Buffer.from(found!.value, 'base64').toString()) as Semaphore;
  edit(semaphore);
  await between?.();
  const { succeeded } = await etcd.call('/v3/kv/txn', {
    compare: [{ key, target: 'VERSION', result: 'EQUAL', version: found!.version }],
    success: [{ request_put: { key, value: base64(JSON.stringify(semaphore)) } }],
  });
  return succeeded === true;
}

function lock(id: string): (semaphore: Semaphore) => void {
  return (semaphore) => void (semaphore.holders = [...new Set([...semaphore.holders, id])].sort());
}

function unlock(id: string): (semaphore: Semaphore) => void {
  return (semaphore) => void (semaphore.holders = semaphore.holders.filter((each) => each !== id));
}

function documentOf(store: Store, group: string): GroupDocument {
  const entry = store.state.groups.get(group);
  if (entry?.kind !== 'good') throw new Error(`group ${group} is ${JSON.stringify(entry)}`);
  return entry.document;
}

/** A store whose clock can be set. */
async function start(): Promise<{ store: Store; setClock: (wall: number) => void; warnings: string[] }> {
  let wall = NOW;
  const warnings: string[] = [];
  const store = await openAt(etcd.endpoints, { clock: () => ({ wall, mono: 0 }) }, warnings);
  return { store, setClock: (value) => void (wall = value), warnings };
}

describe('airlock reads what we write', () => {
  test('its key is as airlock would have written it, sorted by bytes', async () => {
    const { store } = await start();
    const holders = [holder('A'), holder('a'), holder('\ue000'), holder('\u{1f600}')];
    await store.commit(change({ g: document(holders, { slots: 4 }) }), ['g']);
    expect(await etcd.get(airlockKey('g'))).toBe('{"total_slots":4,"holders":["A","a","\ue000","\u{1f600}"]}');
    expect(await etcd.get(ownKey('g'))).toContain('"layout":1');
  });

  test('its key is left alone when slots and holders stay as they are', async () => {
    const { store } = await start();
    await store.commit(change({ g: document([holder('a')]) }), ['g']);
    const write = async (): Promise<unknown> =>
      store.commit(change({ g: document([holder('a', { soakUntil: NOW })], { freeze: freeze() }) }), ['g']);
    expect(await airlock('g', lock('b'), write)).toBe(true);
    await store.refresh(['g']);
    expect(documentOf(store, 'g').holders.map(({ id, soakUntil }) => [id, soakUntil])).toEqual([
      ['a', NOW],
      ['b', null],
    ]);
  });

  test('its own compare is lost against ours', async () => {
    const { store } = await start();
    await store.commit(change({ g: document() }), ['g']);
    const write = async (): Promise<unknown> => store.commit(change({ g: document([holder('ours')]) }), ['g']);
    expect(await airlock('g', lock('theirs'), write)).toBe(false);
    await store.refresh(['g']);
    expect(documentOf(store, 'g').holders.map(({ id }) => id)).toEqual(['ours']);
  });
});

describe('we read what airlock writes', () => {
  test('a group that only airlock knows', async () => {
    expect(await airlock('g', lock('x'))).toBe(true);
    const { store } = await start();
    expect(documentOf(store, 'g')).toEqual({
      ...document([holder('x', { since: NOW })], { slots: 1, configured: '' }),
    });
    await store.refresh(['g']);
  });

  test('what it wrote between our reading and our writing is not overwritten', async () => {
    const { store } = await start();
    await store.commit(change({ g: document([holder('a')]) }), ['g']);
    expect(await airlock('g', lock('b'))).toBe(true);
    const before = store.state;
    expect(await store.commit(change({ g: document([holder('a'), holder('c')]) }), ['g'])).toBe('conflict');
    expect(store.state).not.toBe(before);
    expect(documentOf(store, 'g').holders.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(await etcd.get(airlockKey('g'))).toBe('{"total_slots":2,"holders":["a","b"]}');
  });

  test('another group of it is no reason for a conflict', async () => {
    const { store } = await start();
    await store.commit(change({ g: document(), h: document() }), ['g', 'h']);
    await airlock('h', lock('x'));
    expect(await store.commit(change({ g: document([holder('a')]) }), ['g'])).toBe('committed');
    await store.refresh(['h']);
    expect(documentOf(store, 'h').holders.map(({ id }) => id)).toEqual(['x']);
    expect(documentOf(store, 'g').holders.map(({ id }) => id)).toEqual(['a']);
  });

  test('deleted and made again it is another key, whatever its version', async () => {
    const { store } = await start();
    await airlock('g', lock('a'));
    await store.refresh(['g']);
    expect(documentOf(store, 'g').holders.map(({ id }) => id)).toEqual(['a']);
    const read = (await etcd.call('/v3/kv/range', { key: base64(airlockKey('g')) })) as { kvs: { version: string }[] };
    await etcd.clear(airlockKey('g'));
    await airlock('g', lock('b'));
    const again = (await etcd.call('/v3/kv/range', { key: base64(airlockKey('g')) })) as { kvs: { version: string }[] };
    expect(again.kvs[0]?.version).toBe(read.kvs[0]?.version);
    expect(await store.commit(change({ g: document([holder('a'), holder('c')]) }), ['g'])).toBe('conflict');
    expect(documentOf(store, 'g').holders.map(({ id }) => id)).toEqual(['b']);
  });

  test('the first sight stays until it is on record, and is on record once', async () => {
    const { store, setClock } = await start();
    await store.commit(change({ g: document([holder('a')]) }), ['g']);
    await airlock('g', lock('b'));
    setClock(NOW + 1000);
    await store.refresh(['g']);
    setClock(NOW + 2000);
    await airlock('g', unlock('a'));
    await store.refresh(['g']);
    const entry = store.state.groups.get('g');
    expect(entry).toMatchObject({
      document: document([holder('b', { since: NOW + 1000 })]),
      found: [
        { action: 'vanished', id: 'a', by: 'another program' },
        { action: 'found', id: 'b', by: 'another program' },
      ],
    });
    setClock(NOW + 3000);
    const next = document([holder('b', { since: NOW + 1000 }), holder('c')]);
    expect(await store.commit({ groups: new Map([['g', next]]), audit: [draft('g', 'c')] }, ['g'])).toBe('committed');
    expect(store.state.groups.get('g')).toEqual(good(next));
    const records = await store.history({ group: 'g', most: 10 });
    expect(records.map(({ number, action, id }) => [number, action, id])).toEqual([
      [1, 'granted', null],
      [2, 'vanished', 'a'],
      [3, 'found', 'b'],
      [4, 'granted', 'c'],
    ]);
    const other = await openAt(etcd.endpoints);
    expect(other.state).toEqual(store.state);
  });

  test('what was found is written once, also when the change brings it itself', async () => {
    const { store } = await start();
    await airlock('g', lock('x'));
    await store.refresh(['g']);
    const entry = store.state.groups.get('g');
    const found = entry?.kind === 'good' ? entry.found : [];
    const audit = [...found, draft('g')];
    await store.commit({ groups: new Map([['g', documentOf(store, 'g')]]), audit }, ['g']);
    expect((await store.history({ most: 10 })).map(({ action }) => action)).toEqual(['found', 'granted']);
  });

  test('another number of slots, by hand, is a resize', async () => {
    const { store } = await start();
    await store.commit(change({ g: document([holder('a')]) }), ['g']);
    await etcd.put(airlockKey('g'), '{"total_slots": 7, "holders": ["a"]}\n');
    await store.refresh(['g']);
    expect(store.state.groups.get('g')).toMatchObject({
      document: { slots: 7, resized: true },
      found: [{ action: 'found-slots', reason: 'from 2 to 7' }],
    });
  });

  test("a hand's disorder among the holders is put right with our next write", async () => {
    await etcd.put(airlockKey('g'), '{"total_slots":3,"holders":["b","a","b"]}');
    const { store } = await start();
    expect(documentOf(store, 'g').holders.map(({ id }) => id)).toEqual(['a', 'b']);
    await store.commit(change({ g: documentOf(store, 'g') }), ['g']);
    expect(await etcd.get(airlockKey('g'))).toBe('{"total_slots":3,"holders":["a","b"]}');
  });
});

describe('keys that were removed', () => {
  test("without airlock's key nobody holds anything", async () => {
    const { store } = await start();
    await store.commit(change({ g: document([holder('a')], { freeze: freeze() }) }), ['g']);
    await etcd.clear(airlockKey('g'));
    await store.refresh(['g']);
    expect(store.state.groups.get('g')).toMatchObject({
      document: document([], { freeze: freeze() }),
      found: [{ action: 'vanished', id: 'a' }],
    });
    await store.commit(change({ g: document([holder('b')]) }), ['g']);
    expect(await etcd.get(airlockKey('g'))).toBe('{"total_slots":2,"holders":["b"]}');
  });

  test("without our own key the group is airlock's", async () => {
    const { store, setClock } = await start();
    await store.commit(change({ g: document([holder('a')]) }), ['g']);
    await etcd.clear(ownKey('g'));
    setClock(NOW + 5);
    expect(await store.commit(change({ g: document() }), ['g'])).toBe('conflict');
    expect(documentOf(store, 'g')).toEqual(document([holder('a', { since: NOW + 5 })], { configured: '' }));
  });

  test('of a group without any key nothing is left', async () => {
    const { store } = await start();
    await store.commit(change({ g: document([holder('a')]), h: document() }), ['g', 'h']);
    await etcd.clear(ownKey('g'));
    await etcd.clear(airlockKey('g'));
    await store.refresh(['g', 'h']);
    expect([...store.state.groups.keys()]).toEqual(['h']);
    expect(await store.commit(change({ g: document() }), ['g'])).toBe('committed');
  });

  test('a removal is seen behind news of other keys', async () => {
    const { store } = await start();
    await store.commit(change({ g: document([holder('a')]), h: document() }), ['g', 'h']);
    await etcd.clear(ownKey('g'));
    await etcd.clear(airlockKey('g'));
    await airlock('i', lock('x'));
    await airlock('h', lock('y'));
    await store.refresh(['h']);
    expect([...store.state.groups.keys()].sort()).toEqual(['h', 'i']);
  });

  test('without a fleet nothing is frozen', async () => {
    const { store } = await start();
    await store.commit(change({}, freeze()), []);
    await etcd.clear('io.github.holdpoint/fleet');
    await store.refresh([]);
    expect(store.state.fleet.freeze).toBeNull();
  });

  test('without a head the records go on where the audit ends', async () => {
    const { store } = await start();
    await store.commit(change({ g: document() }), ['g']);
    await store.commit(change({ g: document([holder('a')]), h: document() }), ['g', 'h']);
    await etcd.clear(HEAD);
    expect(await store.commit(change({ g: document() }), ['g'])).toBe('conflict');
    expect(await store.commit(change({ g: document() }), ['g'])).toBe('committed');
    expect((await store.history({ most: 10 })).map(({ number }) => number)).toEqual([1, 2, 3, 4]);
  });

  test('after everything of ours was removed, everything begins anew', async () => {
    const { store } = await start();
    await store.commit(change({ g: document([holder('a')]) }, freeze()), ['g']);
    await etcd.clear('io.github.holdpoint/');
    await store.refresh([]);
    expect(store.state.fleet.freeze).toBeNull();
    expect(documentOf(store, 'g').configured).toBe('');
    await store.commit(change({ g: documentOf(store, 'g') }), ['g']);
    const records = await store.history({ most: 10 });
    expect(records.map(({ number, action }) => [number, action])).toEqual([
      [1, 'found'],
      [2, 'granted'],
    ]);
  });
});

describe('what cannot be read', () => {
  test.each([
    ['airlock', airlockKey('g'), '{"total_slots":'],
    ['airlock', airlockKey('g'), '{"total_slots":-1,"holders":[]}'],
    ['own', ownKey('g'), '{"layout":9}'],
  ])('of %s concerns its own group, which is left as it is', async (_, key, text) => {
    const { store } = await start();
    await store.commit(change({ g: document([holder('a')]), h: document() }), ['g', 'h']);
    await etcd.put(key, text);
    await store.refresh(['g', 'h']);
    const entry = store.state.groups.get('g');
    expect(entry).toMatchObject({ kind: 'corrupt' });
    expect(entry?.kind === 'corrupt' && entry.problem).toContain(key);
    expect(await store.commit(change({ h: document([holder('b')]) }), ['h', 'g'])).toBe('committed');
    await expect(store.commit(change({ g: document() }), ['g'])).rejects.toMatchObject({ kind: 'broken' });
    expect(await etcd.get(key)).toBe(text);
    await etcd.put(key, key === ownKey('g') ? '' : '{"total_slots":1,"holders":[]}');
    await store.refresh(['g']);
    expect(store.state.groups.get('g')?.kind).toBe(key === ownKey('g') ? 'corrupt' : 'good');
  });

  test.each(['io.github.holdpoint/fleet', HEAD])('%s concerns everything, until it is mended', async (key) => {
    const { store } = await start();
    await store.commit(change({ g: document([holder('a')]) }, freeze()), ['g']);
    const text = await etcd.get(key);
    await etcd.put(key, '{}');
    await airlock('g', lock('b'));
    await expect(store.refresh(['g'])).rejects.toMatchObject({
      kind: 'broken',
      message: expect.stringContaining(key) as string,
    });
    await etcd.put(key, text!);
    await store.refresh(['g']);
    expect(documentOf(store, 'g').holders.map(({ id }) => id)).toEqual(['a', 'b']);
    await etcd.put(key, '[]');
    await expect(openAt(etcd.endpoints)).rejects.toMatchObject({ kind: 'broken' });
  });

  test('a chunk of the audit is left out, with a warning', async () => {
    const { store, warnings } = await start();
    for (const id of ['a', 'b', 'c']) await store.commit(change({ g: document([holder(id)]) }), ['g']);
    await etcd.put('io.github.holdpoint/audit/0000000000000002', 'x');
    expect((await store.history({ most: 10 })).map(({ number }) => number)).toEqual([1, 3]);
    expect(warnings).toEqual([expect.stringContaining('audit/0000000000000002')]);
  });

  test('keys that belong to no group are ignored, with one warning each', async () => {
    await etcd.put(airlockKey('a%2Fb'), '{"total_slots":1,"holders":[]}');
    await etcd.put('com.coreos.airlock/groups/g/v2/semaphore', '{}');
    await etcd.put(ownKey('a/b'), '{}');
    const { store, warnings } = await start();
    await store.commit(change({ g: document() }), ['g']);
    await airlock('g', lock('a'));
    await store.refresh(['g']);
    await etcd.put(airlockKey('a%2Fb'), 'x');
    await etcd.clear(ownKey('a/b'));
    await airlock('g', lock('b'));
    await store.refresh(['g']);
    expect([...store.state.groups.keys()]).toEqual(['g']);
    expect(warnings).toHaveLength(3);
    for (const name of ['a%2Fb', 'v2', 'a/b']) expect(warnings.join('\n')).toContain(name);
  });
});

describe('sizes', () => {
  test('a change with too many groups, or too long, is refused before it is sent', async () => {
    const { store } = await start();
    const names = Array.from({ length: 70 }, (_, index) => `g${index}`);
    const all = Object.fromEntries(names.map((name) => [name, document()]));
    await expect(store.commit(change(all), names)).rejects.toMatchObject({ kind: 'too-large' });
    const reason = 'r'.repeat(600_000);
    const long = { g: document([], { freeze: freeze({ reason }) }), h: document([], { freeze: freeze({ reason }) }) };
    await expect(store.commit(change(long), ['g', 'h'])).rejects.toMatchObject({ kind: 'too-large' });
    expect(await store.commit(change({ g: long.g }), ['g'])).toBe('committed');
    expect(await etcd.get(ownKey('h'))).toBeNull();
    await expect(store.writeNote('n', 'x'.repeat(512 * 1024 + 1))).rejects.toMatchObject({ kind: 'too-large' });
  });
});
