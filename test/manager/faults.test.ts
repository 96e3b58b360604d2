// The known faults of other lock servers, one test each: in brackets whose it was.
import { writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, onTestFinished, test } from 'vitest';
import { refuse } from '../../src/manager/answer.ts';
import { emptyMemory } from '../../src/manager/store/memory.ts';
import { type Store, StoreError } from '../../src/manager/store/store.ts';
import { startEtcd } from '../support/etcd.ts';
import { LockNode } from '../support/lock-node.ts';
import { delegate, policies, policyOf, startBench, word } from '../support/manager.ts';
import { type ManagerProcess, startManager } from '../support/manager-process.ts';
import { VirtualTime } from '../support/virtual-time.ts';
import { airlockKey, openAt } from './store/etcd-open.ts';
import { change, document } from './store/documents.ts';

const [MINUTE, HOUR] = [60_000, 3_600_000];

async function manager(config: string): Promise<ManagerProcess> {
  const process = await startManager({ config });
  onTestFinished(() => process.remove());
  return process;
}

function node(id: string, group: string): LockNode {
  const made = new LockNode(id, group);
  onTestFinished(() => made.close());
  return made;
}

/** Counts the writes to a store. */
function counting(writes: string[]): (store: Store) => Store {
  return (store) =>
    delegate(store, {
      commit: (change, groups) => {
        writes.push(...change.audit.map(({ action, id }) => `${action} ${id ?? ''}`));
        return store.commit(change, groups);
      },
    });
}

describe('who holds', () => {
  test('a holder that asks again is confirmed although all slots are taken (locksmith)', async () => {
    const bench = await startBench(policies([policyOf('g')]));
    expect(word(await bench.lock('a'))).toBe('granted');
    expect(word(await bench.lock('b'))).toBe('slots_full');
    expect(word(await bench.lock('a'))).toBe('confirmed');
  });

  test('a holder is confirmed whatever refuses new grants, and even when the slots became fewer', async () => {
    let closed = false;
    const rules = policies([policyOf('g', { haltAfter: 1, staleAfterMs: MINUTE })], {
      closed: () => (closed ? refuse('outside_window', 'the windows are closed') : null),
    });
    const bench = await startBench(rules);
    await bench.lock('a');
    const order = { by: 'ann', reason: '' };
    closed = true;
    await bench.service.freeze(null, null, order);
    await bench.service.resize('g', 0, order);
    await bench.time.pass(2 * MINUTE);
    expect(word(await bench.lock('a'))).toBe('confirmed');
  });

  test('the slot of a node that nobody knows any more can be given back (deleted from an inventory)', async () => {
    const one = await manager('[[lock.groups]]\nname = "old"\nslots = 2\n');
    const [a, b] = [node('a', 'old'), node('b', 'old')];
    for (const each of [a, b]) expect(await each.ask(one.port, 'pre-reboot')).toMatchObject({ status: 200 });
    await one.stop();
    // Not even the group is configured any more.
    one.configure('');
    await one.start();
    expect(await one.holders('old')).toEqual(['a', 'b']);
    expect(await node('c', 'old').ask(one.port, 'pre-reboot')).toEqual({ status: 400, kind: 'unknown_group' });
    expect(await a.ask(one.port, 'steady-state')).toMatchObject({ status: 200 });
    await one.order({ operation: 'unlock', id: 'b', group: 'old', by: 'ann', reason: 'it is scrap', force: true });
    expect(await one.holders('old')).toEqual([]);
  });

  test('time alone never frees a slot: who is stale is reported and holds on (a time-to-live)', async () => {
    const bench = await startBench(policies([policyOf('g', { staleAfterMs: 10 * MINUTE })]));
    await bench.lock('a');
    const waiting = bench.wait('b', 24 * HOUR);
    await bench.time.pass(12 * HOUR);
    expect([word(waiting.answer), word(await bench.lock('c'))]).toEqual(['waits', 'slots_full']);
    const { groups } = await bench.service.status();
    expect(groups[0]?.holders).toMatchObject([{ id: 'a', stale: true }]);
    expect(word(await bench.unlock('a'))).toBe('released');
  });

  test('a delay before release survives a restart (a timer in memory)', async () => {
    const [data, time] = [emptyMemory(), new VirtualTime()];
    const rules = policies([policyOf('g', { soakMs: 10 * MINUTE })]);
    const before = await startBench(rules, { data, time });
    await before.lock('a');
    expect(word(await before.unlock('a'))).toBe('soaking');
    await time.pass(4 * MINUTE);
    await before.service.close();
    const after = await startBench(rules, { data, time });
    // A repeat does not put it off.
    expect(word(await after.unlock('a'))).toBe('soaking');
    await time.pass(6 * MINUTE - 1);
    expect(word(await after.lock('b'))).toBe('slots_full');
    await time.pass(1);
    expect(word(await after.lock('b'))).toBe('granted');
  });
});

describe('steady-state', () => {
  test('of what is not held writes nothing: a whole fleet after a power cut (airlock)', async () => {
    const writes: string[] = [];
    const bench = await startBench(policies([policyOf('g')]), { wrap: counting(writes) });
    const nodes = Array.from({ length: 64 }, (_, index) => `node-${index}`);
    const answers = await Promise.all(nodes.map((id) => bench.unlock(id)));
    expect(answers.map(word)).toEqual(nodes.map(() => 'not-held'));
    expect(writes).toEqual([]);
  });

  test('is answered 200 although others hold the slots (poseidon/fleetlock)', async () => {
    const one = await manager('lock.default_slots = 1\n');
    expect(await node('a', 'default').ask(one.port, 'pre-reboot')).toMatchObject({ status: 200 });
    expect(await node('b', 'default').ask(one.port, 'steady-state')).toMatchObject({ status: 200 });
    expect(await one.holders('default')).toEqual(['a']);
  });
});

describe('the store', () => {
  test('a key that was deleted and made anew is not taken for the one that was read (Version)', async () => {
    const etcd = await startEtcd();
    onTestFinished(() => etcd.stop());
    const [key, semaphore] = [airlockKey('g'), (id: string) => `{"total_slots":1,"holders":["${id}"]}`];
    await etcd.put(key, semaphore('a'));
    const store = await openAt(etcd.endpoints);
    // The same Version as before, 1, with another holder.
    await etcd.clear(key);
    await etcd.put(key, semaphore('b'));
    const released = change({ g: document([], { slots: 1 }) });
    expect(await store.commit(released, ['g'])).toBe('conflict');
    expect(await etcd.get(key)).toBe(semaphore('b'));
  });

  test('an answer that is lost after the commit is found out, and the node is told of its slot (airlock)', async () => {
    const data = emptyMemory();
    let isLost = true;
    const bench = await startBench(policies([policyOf('g')]), {
      data,
      wrap: (store) =>
        delegate(store, {
          async commit(change, groups) {
            const outcome = await store.commit(change, groups);
            if (!isLost) return outcome;
            isLost = false;
            throw new StoreError('ambiguous', 'no answer came');
          },
        }),
    });
    const answer = bench.lock('a');
    await bench.time.pass(MINUTE);
    expect(await answer).toMatchObject({ ok: true });
    expect(word(await bench.lock('b'))).toBe('slots_full');
    expect(data.chunks.flat()).toMatchObject([{ action: 'granted', id: 'a' }]);
  });

  test('a lost comparison is decided anew, not answered with an error (airlock)', async () => {
    let lost = 3;
    const bench = await startBench(policies([policyOf('g')]), {
      wrap: (store) =>
        delegate(store, {
          commit: (change, groups) => {
            lost -= 1;
            return lost >= 0 ? Promise.resolve('conflict') : store.commit(change, groups);
          },
        }),
    });
    expect(word(await bench.lock('a'))).toBe('granted');
  });

  test('slots are not counted in one process only: two replicas never exceed N', async () => {
    const [data, time] = [emptyMemory(), new VirtualTime()];
    const rules = policies([policyOf('g', { slots: { kind: 'count', count: 3 } })]);
    const replicas = [await startBench(rules, { data, time }), await startBench(rules, { data, time })];
    const asked = Array.from({ length: 20 }, (_, index) => replicas[index % 2]!.lock(`node-${index}`));
    const words = (await Promise.all(asked)).map(word);
    expect(words.filter((each) => each === 'granted')).toHaveLength(3);
    expect(words.filter((each) => each === 'slots_full')).toHaveLength(17);
  });
});

describe('time', () => {
  /** Windows that are open until a moment. */
  function openUntil(time: VirtualTime, end: number): ReturnType<typeof policies> {
    const closed = (_: string, now: number) =>
      now < end ? null : refuse('outside_window', 'the window is over', MINUTE);
    return policies([policyOf('g')], { closed, changesAt: () => (time.now() < end ? end : null) });
  }

  test('a request that waits is not granted a slot that is free after the window (locksmith)', async () => {
    const time = new VirtualTime();
    const bench = await startBench(openUntil(time, time.now() + 10 * MINUTE), { time });
    await bench.lock('a');
    const waiting = bench.wait('b', 20 * MINUTE);
    await time.pass(11 * MINUTE);
    await bench.unlock('a');
    await time.pass(MINUTE);
    expect(word(waiting.answer)).toBe('waits');
    await time.pass(9 * MINUTE);
    expect(waiting.answer).toMatchObject({ ok: false });
  });

  test('a decision that had to be made again is made with the time that it is then (locksmith)', async () => {
    const time = new VirtualTime();
    const end = time.now() + 50;
    let away = true;
    const bench = await startBench(openUntil(time, end), {
      time,
      wrap: (store) =>
        delegate(store, {
          commit: (change, groups) =>
            away ? Promise.reject(new StoreError('unavailable', 'away')) : store.commit(change, groups),
        }),
    });
    const answer = bench.lock('a');
    await time.pass(1_000);
    away = false;
    await time.pass(1_000);
    expect(word(await answer)).toBe('outside_window');
  });
});

describe('the public listener', () => {
  test('202 is never answered while draining: stock clients take any 2xx as granted', async () => {
    const one = await manager('lock.default_slots = 1\n');
    expect(await node('a', 'default').ask(one.port, 'pre-reboot')).toEqual({ status: 200, kind: '' });
    const headers = { prefer: 'wait=30' };
    const waiting = ['b', 'c', 'd'].map((id) => node(id, 'default').ask(one.port, 'pre-reboot', { headers }));
    while ((await one.status()).groups[0]!.waiters.filter(({ connected }) => connected).length < 3);
    const ended = one.stop();
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => ({ status: 503, kind: 'draining' })));
    expect(await ended).toBe(0);
  });

  test('a body has a limit, a request has its time, and who knows an id cannot unlock it without a token', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hp-faults-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'tokens'), 'a-secret\n');
    const one = await manager(`
      service.request_timeout_ms = 300
      service.token_path = "${join(folder, 'tokens')}"
    `);
    const headers = { authorization: `Basic ${Buffer.from('user:a-secret').toString('base64')}` };
    const a = node('a', 'default');
    expect(await a.ask(one.port, 'pre-reboot', { headers })).toMatchObject({ status: 200 });
    expect(await a.ask(one.port, 'steady-state')).toEqual({ status: 401, kind: 'unauthorized' });
    expect(await one.holders('default')).toEqual(['a']);
    const large = node('x'.repeat(9_000), 'default').ask(one.port, 'pre-reboot', { headers });
    expect(await large).toEqual({ status: 413, kind: 'request_too_large' });
    // Who never ends its request is let go.
    const slow = connect(one.port, '127.0.0.1');
    slow.write('POST /v1/pre-reboot HTTP/1.1\r\nHost: x\r\n');
    slow.resume();
    await once(slow, 'close');
  });
});
