import { describe, expect, test } from 'vitest';
import { refuse } from '../../src/manager/answer.ts';
import { emptyMemory } from '../../src/manager/store/memory.ts';
import { type Store, StoreError } from '../../src/manager/store/store.ts';
import { type Bench, delegate, policies, policyOf, startBench, word } from '../support/manager.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const HOUR = 3_600_000;
const ORDER = { by: 'ann', reason: 'a test' };

async function holders({ service }: Bench, group = 'g'): Promise<readonly string[]> {
  const { groups } = await service.status();
  return groups.find(({ name }) => name === group)?.holders.map(({ id }) => id) ?? [];
}

describe('a request that waits', () => {
  test('is answered the moment a slot is free, who has waited longest first', async () => {
    const bench = await startBench(policies([policyOf('g')]));
    expect(word(await bench.lock('a'))).toBe('granted');
    const b = bench.wait('b');
    await bench.time.pass(1_000);
    const c = bench.wait('c');
    await bench.time.pass(1_000);
    expect([word(b.answer), word(c.answer)]).toEqual(['waits', 'waits']);
    await bench.unlock('a');
    await bench.time.settle();
    expect([word(b.answer), word(c.answer)]).toEqual(['granted', 'waits']);
    await bench.unlock('b');
    await bench.time.settle();
    expect(word(c.answer)).toBe('granted');
  });

  test('keeps its place over several waits', async () => {
    const bench = await startBench(policies([policyOf('g')]));
    await bench.lock('a');
    const first = bench.wait('b', 50_000);
    await bench.time.pass(10_000);
    const c = bench.wait('c', 300_000);
    await bench.time.pass(41_000);
    expect(first.answer).toMatchObject({ ok: false, kind: 'slots_full', retryAfterMs: 1_000 });
    const again = bench.wait('b', 50_000);
    await bench.time.pass(1_000);
    await bench.unlock('a');
    await bench.time.settle();
    expect([word(again.answer), word(c.answer)]).toEqual(['granted', 'waits']);
  });

  test('grants nothing when its connection has gone', async () => {
    const bench = await startBench(policies([policyOf('g')]));
    await bench.lock('a');
    const b = bench.wait('b');
    await bench.time.pass(10);
    b.abort();
    await bench.time.settle();
    await bench.unlock('a');
    await bench.time.settle();
    expect(await holders(bench)).toEqual([]);
  });

  test('gives back what was granted while its connection went away', async () => {
    let abort = (): void => undefined;
    const bench = await startBench(policies([policyOf('g')]), {
      wrap: (store) =>
        delegate(store, {
          async commit(change, groups) {
            if (change.audit.some(({ id, action }) => id === 'b' && action === 'granted')) abort();
            return store.commit(change, groups);
          },
        }),
    });
    await bench.lock('a');
    const b = bench.wait('b');
    abort = b.abort;
    await bench.time.pass(10);
    await bench.unlock('a');
    await bench.time.settle();
    expect(await holders(bench)).toEqual([]);
    expect(bench.audit.map(({ action, id }) => `${action} ${id ?? ''}`)).toEqual([
      'granted a',
      'released a',
      'granted b',
      'taken-back b',
    ]);
  });

  test('gives back what was granted while its time ran out: it has been told that it has none', async () => {
    const time = new VirtualTime();
    const bench = await startBench(policies([policyOf('g')]), {
      time,
      wrap: (store) =>
        delegate(store, {
          async commit(change, groups) {
            const outcome = await store.commit(change, groups);
            const isOurs = change.audit.some(({ id, action }) => id === 'b' && action === 'granted');
            if (isOurs) await new Promise<void>((resolve) => void time.after(100, resolve));
            return outcome;
          },
        }),
    });
    await bench.lock('a');
    const b = bench.wait('b', 50_000);
    await time.pass(49_950);
    void bench.unlock('a');
    await time.pass(1_000);
    expect(word(b.answer)).toBe('slots_full');
    expect(await holders(bench)).toEqual([]);
    expect(bench.audit.map(({ action }) => action)).toEqual(['granted', 'released', 'granted', 'taken-back']);
  });

  test('grants nothing when its connection went away while the gate was asked', async () => {
    let open = (): void => undefined;
    const rules = policies([policyOf('g')], { prepare: () => new Promise<void>((resolve) => (open = resolve)) });
    const bench = await startBench(rules);
    const b = bench.wait('b');
    await bench.time.settle();
    b.abort();
    open();
    await bench.time.settle();
    expect(bench.audit).toEqual([]);
    expect(word(b.answer)).toBe('request_timeout');
  });

  test('gives back what it was granted at once, while its connection went away', async () => {
    const [time, speed] = [new VirtualTime(), { ms: 0 }];
    const bench = await startBench(policies([policyOf('g')]), { time, wrap: slowly(time, speed) });
    speed.ms = 2_000;
    const b = bench.wait('b');
    await time.pass(1_000);
    b.abort();
    await time.pass(10_000);
    expect(bench.audit.map(({ action }) => action)).toEqual(['granted', 'taken-back']);
    expect(bench.data.state.groups.get('g')).toMatchObject({ document: { holders: [] } });
  });

  test('can be given back as long as nothing was heard of its id, however soon it was granted', async () => {
    const bench = await startBench(policies([policyOf('g')]));
    const b = bench.wait('b');
    await bench.time.settle();
    expect(word(b.answer)).toBe('granted');
    bench.service.takeBack({ id: 'b', group: 'g' });
    await bench.time.settle();
    expect(await holders(bench)).toEqual([]);
    // A request that does not wait is never taken back.
    await bench.lock('a');
    bench.service.takeBack({ id: 'a', group: 'g' });
    await bench.time.settle();
    expect(await holders(bench)).toEqual(['a']);
  });

  test('gives back what may have been granted while nobody knew, once the store can', async () => {
    const { bench, turn } = await onStoreThatGoesAway();
    turn('silent');
    const b = bench.wait('b');
    await bench.time.settle();
    turn('off');
    await bench.time.pass(1_000);
    b.abort();
    await bench.time.pass(30_000);
    expect(bench.data.state.groups.get('g')).toMatchObject({ document: { holders: [{ id: 'b' }] } });
    turn('on');
    await bench.time.pass(5_000);
    expect(await holders(bench)).toEqual([]);
  });

  test('is granted what was written while nobody knew, and can still be given back', async () => {
    const { bench, turn } = await onStoreThatGoesAway();
    turn('silent');
    const b = bench.wait('b');
    await bench.time.pass(1_000);
    turn('on');
    await bench.time.pass(1_000);
    expect(word(b.answer)).toBe('granted');
    bench.service.takeBack({ id: 'b', group: 'g' });
    await bench.time.settle();
    expect(await holders(bench)).toEqual([]);
  });

  test('is told what is true when its time is over, not what was when it came', async () => {
    const bench = await startBench(policies([policyOf('g')]));
    await bench.lock('a');
    const b = bench.wait('b', 50_000);
    await bench.time.pass(1_000);
    await bench.service.freeze(null, null, ORDER);
    await bench.unlock('a');
    await bench.time.pass(50_000);
    expect(b.answer).toMatchObject({ kind: 'frozen', retryAfterMs: 1_000 });
  });

  test('is answered at once when waiting makes no sense any more', async () => {
    let removed = false;
    const rules = policies([policyOf('g')], {
      closed: () => (removed ? refuse('unknown_group', 'it is no longer in the configuration') : null),
    });
    const bench = await startBench(rules);
    await bench.lock('a');
    const b = bench.wait('b', 50_000);
    await bench.time.pass(1_000);
    removed = true;
    await bench.service.reconfigured();
    await bench.time.settle();
    expect(word(b.answer)).toBe('unknown_group');
  });

  test('is granted its slot when the window opens, also in a group that nothing is stored of', async () => {
    let opens = 0;
    const rules = policies([policyOf('g')], {
      closed: (_, now) => (now < opens ? refuse('outside_window', 'it is closed', opens - now) : null),
      changesAt: (_, now) => (now < opens ? opens : null),
    });
    const bench = await startBench(rules);
    opens = bench.time.now() + 12_345;
    const a = bench.wait('a');
    await bench.time.pass(12_344);
    expect(word(a.answer)).toBe('waits');
    await bench.time.pass(1);
    expect(word(a.answer)).toBe('granted');
  });

  test('is not taken back once the id was heard of again', async () => {
    const bench = await startBench(policies([policyOf('g')]));
    await bench.lock('a');
    bench.wait('b');
    await bench.time.pass(10);
    await bench.unlock('a');
    await bench.time.settle();
    expect(word(await bench.lock('b'))).toBe('confirmed');
    bench.service.takeBack({ id: 'b', group: 'g' });
    await bench.time.settle();
    expect(await holders(bench)).toEqual(['b']);
  });

  test('is woken by a thaw, by a larger number of slots, by the end of a soak, and by the end of a freeze', async () => {
    const bench = await startBench(policies([policyOf('g', { soakMs: 20_000 })]));
    await bench.service.freeze('g', null, ORDER);
    const a = bench.wait('a', 300_000);
    await bench.time.pass(10);
    expect(word(a.answer)).toBe('waits');
    await bench.service.thaw('g', ORDER);
    await bench.time.settle();
    expect(word(a.answer)).toBe('granted');
    const b = bench.wait('b', 300_000);
    const c = bench.wait('c', 300_000);
    await bench.time.pass(10);
    await bench.service.resize('g', 2, ORDER);
    await bench.time.settle();
    expect([word(b.answer), word(c.answer)]).toEqual(['granted', 'waits']);
    expect(word(await bench.unlock('a'))).toBe('soaking');
    await bench.time.pass(19_999);
    expect(word(c.answer)).toBe('waits');
    await bench.time.pass(1);
    expect(word(c.answer)).toBe('granted');
    await bench.service.freeze(null, bench.time.now() + 60_000, ORDER);
    await bench.service.unlockByHand({ id: 'c', group: 'g' }, { ...ORDER, force: true });
    const d = bench.wait('d', 300_000);
    await bench.time.pass(59_999);
    expect(word(d.answer)).toBe('waits');
    await bench.time.pass(1);
    expect(word(d.answer)).toBe('granted');
  });

  test('at another replica is woken too', async () => {
    const [data, time] = [emptyMemory(), new VirtualTime()];
    const rules = policies([policyOf('g')]);
    const one = await startBench(rules, { data, time });
    const two = await startBench(rules, { data, time });
    await one.lock('a');
    const b = two.wait('b');
    await time.pass(10);
    await one.unlock('a');
    await time.settle();
    expect(word(b.answer)).toBe('granted');
  });

  test('is answered first when the manager stops', async () => {
    const bench = await startBench(policies([policyOf('g')]));
    await bench.lock('a');
    const b = bench.wait('b');
    await bench.time.pass(10);
    await bench.service.drain();
    expect(word(b.answer)).toBe('draining');
    expect(word(await bench.lock('c'))).toBe('draining');
    // Holders are confirmed and may give back to the last.
    expect(word(await bench.lock('a'))).toBe('confirmed');
    expect(word(await bench.unlock('a'))).toBe('released');
  });

  test('waits through a gate that is closed, and is answered when it opens', async () => {
    let closed = true;
    const rules = policies([policyOf('g')], {
      closed: () => (closed ? refuse('blocked', 'an alert', 5_000) : null),
    });
    const bench = await startBench(rules);
    expect(word(await bench.lock('b'))).toBe('blocked');
    const a = bench.wait('a');
    await bench.time.pass(10_000);
    expect(word(a.answer)).toBe('waits');
    closed = false;
    await bench.time.pass(5_000);
    expect(word(a.answer)).toBe('granted');
  });
});

describe('a gate', () => {
  test('is asked before a slot is given, by hand as well, and not where the slot is held', async () => {
    let asked = 0;
    const rules = policies([policyOf('g', { slots: { kind: 'count', count: 5 } })], {
      closed: () => (asked === 0 ? refuse('blocked', 'it has not been asked', 1_000) : null),
      prepare: () => {
        asked += 1;
        return Promise.resolve();
      },
    });
    const bench = await startBench(rules);
    expect(word(await bench.service.lockByHand({ id: 'a', group: 'g' }, ORDER))).toBe('granted');
    expect(asked).toBe(1);
    expect(word(await bench.lock('b'))).toBe('granted');
    expect(asked).toBe(2);
    expect(word(await bench.lock('b'))).toBe('confirmed');
    expect(asked).toBe(2);
  });
});

describe('order', () => {
  test('canaries come first', async () => {
    const bench = await startBench(policies([policyOf('g', { first: ['canary'] })]));
    await bench.lock('a');
    const b = bench.wait('b');
    await bench.time.pass(1_000);
    const canary = bench.wait('canary');
    await bench.time.pass(1_000);
    await bench.unlock('a');
    await bench.time.settle();
    expect([word(b.answer), word(canary.answer)]).toEqual(['waits', 'granted']);
  });

  test('a free slot is held open for somebody who waited very much longer, for one poll', async () => {
    const bench = await startBench(policies([policyOf('g', { overdueMs: 6 * HOUR })]));
    await bench.lock('a');
    for (let hours = 0; hours < 7; hours += 0.08) {
      expect(word(await bench.lock('old'))).toBe('slots_full');
      await bench.time.pass(0.08 * HOUR);
    }
    expect(word(await bench.lock('old'))).toBe('slots_full');
    await bench.unlock('a');
    const early = await bench.lock('new');
    expect(early).toMatchObject({ ok: false, kind: 'not_your_turn', retryAfterMs: 330_000 });
    await bench.time.pass(329_000);
    expect(word(await bench.lock('new'))).toBe('not_your_turn');
    expect(word(await bench.lock('old'))).toBe('granted');
    await bench.unlock('old');
    expect(word(await bench.lock('new'))).toBe('granted');
  });

  test('who does not come within a poll has lost his turn', async () => {
    const bench = await startBench(policies([policyOf('g', { overdueMs: 600_000 })]));
    await bench.lock('a');
    for (let polls = 0; polls < 3; polls += 1) {
      await bench.lock('old');
      await bench.time.pass(300_000);
    }
    await bench.lock('old');
    await bench.unlock('a');
    expect(word(await bench.lock('new'))).toBe('not_your_turn');
    await bench.time.pass(330_001);
    expect(word(await bench.lock('new'))).toBe('granted');
  });
});

describe('a clock that goes back', () => {
  test('does not hold a slot open for longer than one poll', async () => {
    const bench = await startBench(policies([policyOf('g', { first: ['canary'] })]));
    await bench.lock('a');
    await bench.lock('canary');
    await bench.unlock('a');
    expect(word(await bench.lock('b'))).toBe('not_your_turn');
    bench.time.set(bench.time.now() - 24 * HOUR);
    expect(await bench.lock('b')).toMatchObject({ kind: 'not_your_turn', retryAfterMs: 330_000 });
    await bench.time.pass(330_001);
    expect(word(await bench.lock('b'))).toBe('granted');
  });

  test('does not make a soak longer than the configured one from then', async () => {
    const bench = await startBench(policies([policyOf('g', { soakMs: 600_000 })]));
    await bench.lock('a');
    await bench.unlock('a');
    bench.time.set(bench.time.now() - 24 * HOUR);
    const b = bench.wait('b', 2 * HOUR);
    await bench.time.pass(610_000);
    expect(word(b.answer)).toBe('granted');
    expect(bench.audit.map(({ action, id }) => `${action} ${id ?? ''}`)).toEqual([
      'granted a',
      'soaking a',
      'soaking a',
      'soaked a',
      'granted b',
    ]);
  });
});

describe('a group that cannot be read', () => {
  async function withUnreadable(): Promise<Bench> {
    const bench = await startBench(policies([policyOf('g'), policyOf('h', { slots: { kind: 'count', count: 9 } })]));
    await bench.lock('a', 'g');
    await bench.unlock('x', 'g');
    const groups = new Map(bench.data.state.groups);
    groups.set('g', { kind: 'corrupt', problem: 'key g: holders: "a" was not expected' });
    bench.data.state = { ...bench.data.state, groups };
    return bench;
  }

  test('is answered for without a word of what is stored, and asked again later', async () => {
    const bench = await withUnreadable();
    const answer = await bench.lock('b', 'g');
    expect(answer).toMatchObject({ kind: 'store_unavailable', retryAfterMs: 60_000 });
    expect(answer).toHaveProperty('value', expect.not.stringContaining('"a"'));
    expect((await bench.service.status()).groups[0]?.problem).toContain('"a"');
  });

  test('is still known to have had its holders, who get nothing elsewhere; all others do', async () => {
    const bench = await withUnreadable();
    expect(await bench.lock('a', 'h')).toMatchObject({ kind: 'held_elsewhere', retryAfterMs: 60_000 });
    expect(word(await bench.lock('b', 'h'))).toBe('granted');
  });
});

describe('groups', () => {
  test('an id that holds in one is refused in another until it has given back', async () => {
    const bench = await startBench(policies([policyOf('g'), policyOf('h')]));
    await bench.lock('a', 'g');
    const refused = await bench.lock('a', 'h');
    expect(refused).toMatchObject({ kind: 'held_elsewhere' });
    expect(refused).toHaveProperty('value', expect.stringContaining('group g'));
    await bench.unlock('a', 'g');
    expect(word(await bench.lock('a', 'h'))).toBe('granted');
  });

  test('a slot that soaks in one is not held anew while the id holds one in another', async () => {
    const bench = await startBench(policies([policyOf('g', { soakMs: 60_000 }), policyOf('h')]));
    await bench.lock('a', 'g');
    await bench.unlock('a', 'g');
    expect(word(await bench.lock('a', 'h'))).toBe('granted');
    expect(word(await bench.lock('a', 'g'))).toBe('held_elsewhere');
    await bench.unlock('a', 'h');
    expect(word(await bench.lock('a', 'g'))).toBe('confirmed');
  });

  test('an id that asks in two at the same time gets a slot in one', async () => {
    const bench = await startBench(policies([policyOf('g', { soakMs: 60_000 }), policyOf('h')]));
    const both = await Promise.all([bench.lock('a', 'g'), bench.lock('a', 'h')]);
    expect(both.map(word)).toEqual(['granted', 'held_elsewhere']);
    // What frees comes first: the soak in one is no reason to refuse in the other.
    const moved = await Promise.all([bench.lock('a', 'h'), bench.unlock('a', 'g')]);
    expect(moved.map(word)).toEqual(['granted', 'soaking']);
  });

  test('one that is unknown is refused and not remembered', async () => {
    const bench = await startBench(policies([policyOf('g')]));
    expect(word(await bench.lock('a', 'x'))).toBe('unknown_group');
    expect(word(await bench.unlock('a', 'x'))).toBe('unknown_group');
    expect((await bench.service.status()).groups.map(({ name }) => name)).toEqual(['g']);
  });

  test('a percentage follows the fleet, until somebody resizes', async () => {
    const slots = { kind: 'percent', percent: 50, max: 3 } as const;
    const bench = await startBench(policies([policyOf('g', { slots })]));
    const answers = [];
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'h', 'i', 'j']) answers.push(word(await bench.lock(id)));
    expect(answers.filter((answer) => answer === 'granted')).toHaveLength(1);
    await bench.time.pass(61_000);
    const [group] = (await bench.service.status()).groups;
    expect(group).toMatchObject({ slots: 3, wanted: '50%', seen: 9 });
    await bench.service.resize('g', 5, ORDER);
    await bench.service.reconfigured();
    expect((await bench.service.status()).groups[0]).toMatchObject({ slots: 5, resized: true });
  });
});

describe('a store in trouble', () => {
  test('that is away for a moment delays the answer', async () => {
    let failures = 3;
    const bench = await startBench(policies([policyOf('g')]), {
      wrap: (store) =>
        delegate(store, {
          commit: (change, groups) => {
            failures -= 1;
            return failures >= 0 ? Promise.reject(new StoreError('unavailable', 'away')) : store.commit(change, groups);
          },
        }),
    });
    const a = bench.wait('a', 0);
    await bench.time.pass(2_000);
    expect(word(a.answer)).toBe('granted');
    expect(bench.failures).toHaveLength(3);
  });

  test('that stays away is answered for within the deadline', async () => {
    const { bench, turn } = await onStoreThatGoesAway();
    await bench.lock('a');
    turn('off');
    const [b, a] = [bench.wait('b', 50_000), bench.wait('a', 0)];
    await bench.time.pass(11_000);
    expect([word(b.answer), word(a.answer)]).toEqual(['store_unavailable', 'store_unavailable']);
    turn('on');
    await bench.time.pass(1_000);
    expect(word(await bench.lock('a'))).toBe('confirmed');
  });

  test('that is away while somebody waits keeps nobody else waiting beyond the deadline', async () => {
    const { bench, turn } = await onStoreThatGoesAway();
    await bench.lock('a');
    const patient = bench.wait('b', 300_000);
    await bench.time.pass(1_000);
    turn('off');
    await bench.time.pass(20_000);
    const c = bench.wait('c', 0);
    await bench.time.pass(10_600);
    expect([word(patient.answer), word(c.answer)]).toEqual(['waits', 'store_unavailable']);
    turn('on');
    await bench.time.pass(1_000);
    await bench.unlock('a');
    await bench.time.settle();
    expect(word(patient.answer)).toBe('granted');
  });

  test('whose answer was lost after the commit: the node is told what is true', async () => {
    let lose = true;
    const bench = await startBench(policies([policyOf('g')]), {
      wrap: (store) =>
        delegate(store, {
          async commit(change, groups) {
            const outcome = await store.commit(change, groups);
            if (!lose) return outcome;
            lose = false;
            throw new StoreError('ambiguous', 'the answer was lost');
          },
        }),
    });
    const a = bench.wait('a', 0);
    await bench.time.pass(1_000);
    expect(word(a.answer)).toBe('confirmed');
    expect(await holders(bench)).toEqual(['a']);
    expect((await bench.service.history({ most: 10 })).map(({ action }) => action)).toEqual(['granted']);
  });

  test('that says nothing is answered for within the time for a decision, whoever came when', async () => {
    const time = new VirtualTime();
    const bench = await startBench(policies([policyOf('g')]), {
      time,
      wrap: (store) => delegate(store, { commit: () => new Promise(() => undefined) }),
    });
    const first = bench.wait('a', 0);
    await time.pass(7_000);
    const [second, third] = [bench.wait('b', 0), bench.wait('c')];
    await time.pass(3_000);
    expect([first, second, third].map(({ answer }) => word(answer))).toEqual(['store_unavailable', 'waits', 'waits']);
    await time.pass(7_000);
    expect([second, third].map(({ answer }) => word(answer))).toEqual(['store_unavailable', 'store_unavailable']);
  });

  test('is said to be away to those who ask for readiness, in words that name nothing', async () => {
    const told: string[] = [];
    const bench = await startBench(policies([policyOf('g')]), {
      wrap: (store) =>
        delegate(store, { health: () => Promise.resolve({ problem: 'http://etcd.internal:2379', warnings: [] }) }),
      notReady: (problem) => told.push(problem),
    });
    expect(await bench.service.readiness()).toBe('the store of the lock manager does not answer');
    expect(told).toEqual(['http://etcd.internal:2379']);
  });

  test('that is busy without a pause still tells the status', async () => {
    const [time, speed] = [new VirtualTime(), { ms: 0 }];
    const bench = await startBench(policies([policyOf('g')]), { time, wrap: slowly(time, speed) });
    speed.ms = 10;
    let isOver = false;
    const load = async (id: string): Promise<void> => {
      while (!isOver) await bench.lock(id);
    };
    // Each asks again before the batch after it is done, so that something is always there.
    for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) void time.after(index * 3, () => void load(id));
    await time.pass(1_000);
    let told = 0;
    for (let asked = 0; asked < 2; asked += 1) void bench.service.status().then(() => (told += 1));
    await time.pass(60);
    expect(told).toBe(2);
    isOver = true;
    await time.pass(100);
  });

  test('that cannot take a large change gets it in parts', async () => {
    const bench = await startBench(policies([policyOf('g', { slots: { kind: 'count', count: 100 } })]), {
      wrap: (store) =>
        delegate(store, {
          commit: (change, groups) =>
            change.audit.length > 3
              ? Promise.reject(new StoreError('too-large', 'too large'))
              : store.commit(change, groups),
        }),
    });
    const asked = Array.from({ length: 20 }, (_, index) => bench.wait(`n${index}`, 0));
    await bench.time.pass(5_000);
    expect(new Set(asked.map(({ answer }) => word(answer)))).toEqual(new Set(['granted']));
    expect(await holders(bench)).toHaveLength(20);
  });

  test('that is too large by itself is refused at once; nobody else waits, and the store is no failure', async () => {
    let attempts = 0;
    const bench = await startBench(policies([policyOf('g'), policyOf('h')]), {
      wrap: (store) =>
        delegate(store, {
          commit: (change, groups) => {
            if (!change.groups.has('g')) return store.commit(change, groups);
            attempts += 1;
            return Promise.reject(new StoreError('too-large', '2000000 bytes do not fit'));
          },
        }),
    });
    const asked = ['a', 'b'].map((id) => bench.wait(id, 50_000));
    const others = bench.wait('x', 0, 'h');
    await bench.time.settle();
    for (const { answer } of asked) {
      expect(answer).toMatchObject({ ok: false, kind: 'store_unavailable' });
      expect(answer).toHaveProperty('value', expect.stringMatching(/^group g has outgrown .*2000000 bytes do not fit/));
    }
    expect(word(others.answer)).toBe('granted');
    expect(bench.failures).toEqual([]);
    // For all three, for the one, for the other two, for the other: none is repeated.
    expect(attempts).toBe(4);
  });

  test('that time brings about and that does not fit is tried again now and then', async () => {
    const [data, time] = [emptyMemory(), new VirtualTime()];
    let attempts = 0;
    let isFull = false;
    const bench = await startBench(policies([policyOf('g', { soakMs: 20_000 }), policyOf('h')]), {
      data,
      time,
      wrap: (store) =>
        delegate(store, {
          commit: (change, groups) => {
            if (!isFull || !change.groups.has('g')) return store.commit(change, groups);
            attempts += 1;
            return Promise.reject(new StoreError('too-large', 'too large'));
          },
        }),
    });
    await bench.lock('a');
    await bench.unlock('a');
    isFull = true;
    await time.pass(60_000);
    expect(attempts).toBeGreaterThan(3);
    expect(attempts).toBeLessThan(12);
    expect(word(await bench.lock('x', 'h'))).toBe('granted');
    isFull = false;
    await time.pass(10_000);
    expect(await holders(bench)).toEqual([]);
    expect(bench.failures).toEqual([]);
  });
});

test('replicas that decide at the same time never exceed the slots, and lose no request', async () => {
  const [data, time] = [emptyMemory(), new VirtualTime()];
  const rules = policies([policyOf('g', { slots: { kind: 'count', count: 7 } })]);
  const replicas = await Promise.all([0, 1, 2].map(() => startBench(rules, { data, time })));
  const asked = Array.from({ length: 300 }, (_, index) => replicas[index % 3]?.wait(`n${index}`, 0));
  await time.pass(5_000);
  const words = asked.map((waiting) => word(waiting?.answer));
  expect(words.filter((answer) => answer === 'granted')).toHaveLength(7);
  expect(words.filter((answer) => answer === 'slots_full')).toHaveLength(293);
});

test('a change by another program is on record as soon as it is heard of, though nobody asks', async () => {
  const [data, time] = [emptyMemory(), new VirtualTime()];
  const bench = await startBench(policies([policyOf('g')]), { data, time });
  await bench.lock('a');
  const before = data.state.groups.get('g');
  if (before?.kind !== 'good') throw new Error('there is no group');
  const holder = { id: 'z', since: time.now(), soakUntil: null, waited: false };
  const document = { ...before.document, holders: [...before.document.holders, holder] };
  const found = [{ action: 'found', group: 'g', id: 'z', by: 'another program', reason: '' } as const];
  data.state = { ...data.state, groups: new Map([['g', { kind: 'good', document, found }]]) };
  for (const { handler } of data.watchers) handler();
  await time.pass(100);
  expect(bench.audit.map(({ action, id }) => `${action} ${id ?? ''}`)).toEqual(['granted a', 'found z']);
});

test('a status lists the first of many who wait, and says how many there are', async () => {
  const bench = await startBench(policies([policyOf('g')]));
  await bench.lock('a');
  await Promise.all(Array.from({ length: 700 }, (_, index) => bench.lock(`n${index}`)));
  const held = bench.wait('held');
  await bench.time.settle();
  expect((await bench.service.status()).groups[0]).toMatchObject({ waiting: 701, waitingConnected: 1 });
  expect((await bench.service.status()).groups[0]?.waiters).toHaveLength(500);
  held.abort();
});

test('a status of those who wait with long ids stays small enough to be read', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `g${index}`);
  const bench = await startBench(policies(names.map((name) => policyOf(name, { slots: { kind: 'count', count: 0 } }))));
  const id = '\u0001'.repeat(1_000);
  await Promise.all(
    names.flatMap((name) => Array.from({ length: 400 }, (_, index) => bench.lock(`${id}${index}`, name))),
  );
  const { groups } = await bench.service.status();
  expect(groups.map(({ waiting }) => waiting)).toEqual(names.map(() => 400));
  expect(JSON.stringify(groups).length).toBeLessThan(20 * 1024 * 1024);
});

test('who waits and who was seen outlives a restart', async () => {
  const [data, time] = [emptyMemory(), new VirtualTime()];
  const rules = policies([policyOf('g')]);
  const before = await startBench(rules, { data, time });
  await before.lock('a');
  await before.lock('b');
  await before.time.pass(61_000);
  await before.service.close();
  const after = await startBench(rules, { data, time });
  const [group] = (await after.service.status()).groups;
  expect(group?.waiters.map(({ id }) => id)).toEqual(['b']);
  expect(group?.seen).toBe(2);
});

describe('groups that are made on demand', () => {
  /** `g` is configured; others are made, as long as there are fewer than 4 in all. */
  const rules = policies([policyOf('g')], {
    of: (group, exists) => (exists || group === 'g' ? policyOf(group) : null),
    onDemand: (group, others) => (others < 4 ? policyOf(group) : null),
  });

  test('are no more than may be, those of the configuration among them, however many ask at once', async () => {
    const bench = await startBench(rules);
    const asked = Array.from({ length: 20 }, (_, index) => bench.lock('a', `x${index}`));
    const words = (await Promise.all(asked)).map(word);
    expect(words.filter((answer) => answer === 'granted')).toHaveLength(1);
    expect(words.filter((answer) => answer === 'held_elsewhere')).toHaveLength(19);
    const others = await Promise.all(Array.from({ length: 20 }, (_, index) => bench.lock(`b${index}`, `y${index}`)));
    expect(others.map(word).toSorted()).toEqual([
      'granted',
      'granted',
      ...Array.from({ length: 18 }, () => 'unknown_group'),
    ]);
    expect(word(await bench.lock('c', 'z'))).toBe('unknown_group');
    expect(word(await bench.lock('c', 'g'))).toBe('granted');
    expect((await bench.service.status()).groups).toHaveLength(4);
  });

  test('are not made by those who hold nothing, and are no groups before', async () => {
    const bench = await startBench(rules);
    for (let index = 0; index < 10; index += 1) expect(word(await bench.unlock('a', `x${index}`))).toBe('not-held');
    expect(bench.service.isGroup('x0')).toBe(false);
    expect(bench.data.state.groups.size).toBe(0);
    expect(word(await bench.lock('a', 'new'))).toBe('granted');
    expect(bench.service.isGroup('new')).toBe(true);
    await bench.time.pass(61_000);
    expect([...bench.data.notes.keys()]).toEqual(['seen/new']);
  });
});

/** A store whose operations take so many ms, beginning with none. */
function slowly(time: VirtualTime, speed: { ms: number }): (store: Store) => Store {
  const pause = (): Promise<void> =>
    speed.ms === 0 ? Promise.resolve() : new Promise((resolve) => void time.after(speed.ms, resolve));
  return (store) =>
    delegate(store, {
      commit: async (change, groups) => {
        await pause();
        return store.commit(change, groups);
      },
      refresh: async (groups) => {
        await pause();
        return store.refresh(groups);
      },
    });
}

/** `silent`: it writes, and does not say so. */
type Mode = 'on' | 'off' | 'silent';

/** A service on a store that can be switched off and on. */
async function onStoreThatGoesAway(): Promise<{ bench: Bench; turn: (to: Mode) => void }> {
  let mode: Mode = 'on';
  const fail = (): Promise<never> => Promise.reject(new StoreError('unavailable', 'away'));
  const bench = await startBench(policies([policyOf('g')]), {
    wrap: (store) =>
      delegate(store, {
        commit: async (change, groups) => {
          if (mode === 'off') return fail();
          const outcome = await store.commit(change, groups);
          if (mode === 'silent') throw new StoreError('ambiguous', 'the answer was lost');
          return outcome;
        },
        refresh: (groups) => (mode === 'on' ? store.refresh(groups) : fail()),
      }),
  });
  return { bench, turn: (to) => (mode = to) };
}
