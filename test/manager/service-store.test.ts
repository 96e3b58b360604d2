// What the service takes from its store, and when: others write to it too.
import { describe, expect, test } from 'vitest';
import { emptyMemory, type MemoryData, openMemoryStore } from '../../src/manager/store/memory.ts';
import { type Store, StoreError } from '../../src/manager/store/store.ts';
import { AUDIT, type Bench, delegate, policies, policyOf, startBench, word } from '../support/manager.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const RULES = policies([policyOf('g'), policyOf('h')]);
/** Who watches such a store hears of nothing. */
const deaf = (store: Store): Store => delegate(store, { watch: () => () => undefined });

async function seen({ service }: Bench): Promise<{ readonly seen: number; readonly waiters: readonly string[] }> {
  const group = (await service.status()).groups.find(({ name }) => name === 'g');
  return { seen: group?.seen ?? 0, waiters: group?.waiters.map(({ id }) => id) ?? [] };
}

/** Another program puts a holder into a group, and nobody is told. */
function slipIn(data: MemoryData, group: string, id: string): void {
  const before = data.state.groups.get(group);
  if (before?.kind !== 'good') throw new Error('there is no such group');
  const holder = { id, since: 0, soakUntil: null, waited: false };
  const document = { ...before.document, holders: [...before.document.holders, holder] };
  const found = [{ action: 'found', group, id, by: 'another program', reason: '' } as const];
  data.state = { ...data.state, groups: new Map([...data.state.groups, [group, { kind: 'good', document, found }]]) };
}

describe('what another replica did and nobody heard of', () => {
  test('counts before a refusal is answered', async () => {
    const [data, time] = [emptyMemory(), new VirtualTime()];
    const one = await startBench(RULES, { data, time });
    await one.lock('a');
    const two = await startBench(RULES, { data, time, wrap: deaf });
    await one.unlock('a');
    expect(word(await two.lock('b'))).toBe('granted');
  });

  test('and another program, is on record as soon as it has been read for somebody else', async () => {
    const data = emptyMemory();
    const bench = await startBench(RULES, { data, wrap: deaf });
    await bench.lock('a', 'g');
    await bench.lock('b', 'h');
    slipIn(data, 'g', 'z');
    expect(word(await bench.lock('c', 'h'))).toBe('slots_full');
    await bench.time.pass(100);
    expect(bench.audit.map(({ action, id }) => `${action} ${id ?? ''}`)).toEqual(['granted a', 'granted b', 'found z']);
  });
});

test('a grant whose answer was lost is found by reading, though nothing can be written after it', async () => {
  const [data, time] = [emptyMemory(), new VirtualTime()];
  // What is written through this one, the store of the service does not know of itself.
  const beside = openMemoryStore(data, time.now, AUDIT);
  let commits = 0;
  const bench = await startBench(RULES, {
    data,
    time,
    wrap: (store) =>
      delegate(store, {
        async commit(change, groups) {
          commits += 1;
          if (commits > 1) throw new StoreError('unavailable', 'it takes no writes');
          await beside.commit(change, groups);
          throw new StoreError('ambiguous', 'the answer was lost');
        },
      }),
  });
  const a = bench.wait('a', 0);
  await time.pass(1_000);
  expect(word(a.answer)).toBe('confirmed');
});

describe('a percentage', () => {
  const MINUTE = 60_000;
  const half = policies([policyOf('g', { slots: { kind: 'percent', percent: 50, max: 100 } })]);
  const changes = (benches: readonly Bench[]): readonly string[] =>
    benches.flatMap(({ audit }) => audit.filter(({ action }) => action === 'configured').map(({ reason }) => reason));

  async function replicas(count: number): Promise<readonly Bench[]> {
    const [data, time] = [emptyMemory(), new VirtualTime()];
    return Promise.all(Array.from({ length: count }, () => startBench(half, { data, time })));
  }

  test('counts who was heard of by any replica, and is written by one of them once', async () => {
    const benches = await replicas(3);
    const [one, two] = benches as readonly [Bench, Bench];
    for (let id = 0; id < 10; id += 1) await one.lock(`node-${id}`);
    await one.time.pass(3 * MINUTE);
    for (let id = 10; id < 16; id += 1) await two.lock(`node-${id}`);
    await one.time.pass(180 * MINUTE);
    expect(one.data.state.groups.get('g')).toMatchObject({ document: { slots: 8 } });
    expect(changes(benches)).toEqual(['from 1 to 5, as configured (50%)', 'from 5 to 8, as configured (50%)']);
    for (const { service } of benches) expect((await service.status()).groups[0]).toMatchObject({ seen: 16 });
  });

  test('goes on when the note of one replica went under in that of another', async () => {
    const [data, time] = [emptyMemory(), new VirtualTime()];
    // What one replica notes first is lost.
    let lost = 0;
    const lossy = (store: Store): Store =>
      delegate(store, {
        writeNote: (name, text) => ((lost += 1) === 1 ? Promise.resolve() : store.writeNote(name, text)),
      });
    const benches = [await startBench(half, { data, time, wrap: lossy }), await startBench(half, { data, time })];
    const [one, two] = benches as [Bench, Bench];
    await two.lock('node-0');
    for (let id = 1; id < 10; id += 1) await one.lock(`node-${id}`);
    await time.pass(180 * MINUTE);
    expect(changes(benches)).toEqual(['from 1 to 4, as configured (50%)', 'from 4 to 5, as configured (50%)']);
    expect((await two.service.status()).groups[0]).toMatchObject({ seen: 10, slots: 5 });
  });

  test('is lowered when those who were heard of are forgotten, and not because one look did not see them', async () => {
    const [one] = (await replicas(1)) as readonly [Bench];
    for (let id = 0; id < 10; id += 1) await one.lock(`node-${id}`);
    await one.time.pass(2 * MINUTE);
    // One that starts without what the others have noted knows of nobody.
    const blind = (store: Store): Store => delegate(store, { readNote: () => Promise.resolve(null) });
    const other = await startBench(half, { data: one.data, time: one.time, wrap: blind });
    await one.time.pass(10 * MINUTE);
    await other.service.close();
    expect(one.data.state.groups.get('g')).toMatchObject({ document: { slots: 5 } });
    one.time.set(one.time.now() + 91 * 24 * 60 * MINUTE);
    await one.time.pass(120 * MINUTE);
    expect(changes([one, other])).toEqual(['from 1 to 5, as configured (50%)', 'from 5 to 1, as configured (50%)']);
  });

  test('is bounded by what the configuration says now, at once', async () => {
    let max = 100;
    const of = (group: string) => policyOf(group, { slots: { kind: 'percent', percent: 50, max } });
    const bench = await startBench(policies([policyOf('g')], { of }));
    for (let id = 0; id < 20; id += 1) await bench.lock(`node-${id}`);
    await bench.time.pass(2 * MINUTE);
    max = 4;
    await bench.service.reconfigured();
    expect(changes([bench])).toEqual(['from 1 to 10, as configured (50%)', 'from 10 to 4, as configured (50%)']);
  });

  test('that two replicas are configured with in two ways is written by neither again and again', async () => {
    const [data, time] = [emptyMemory(), new VirtualTime()];
    const tenth = policies([policyOf('g', { slots: { kind: 'percent', percent: 10, max: 100 } })]);
    const one = await startBench(half, { data, time });
    for (let id = 0; id < 20; id += 1) await one.lock(`node-${id}`);
    await time.pass(2 * MINUTE);
    const two = await startBench(tenth, { data, time });
    await time.pass(180 * MINUTE);
    expect(changes([one, two])).toEqual(['from 1 to 10, as configured (50%)', 'from 10 to 2, as configured (10%)']);
  });
});

describe('notes of sights and waiters', () => {
  test('of several replicas are merged, not overwritten', async () => {
    const [data, time] = [emptyMemory(), new VirtualTime()];
    const one = await startBench(RULES, { data, time });
    const two = await startBench(RULES, { data, time });
    await one.lock('a');
    expect(word(await two.lock('b'))).toBe('slots_full');
    await time.pass(61_000);
    for (const each of [one, two]) await each.service.close();
    expect(await seen(await startBench(RULES, { data, time }))).toEqual({ seen: 2, waiters: ['b'] });
  });

  test('are written when the manager stops, however short it ran', async () => {
    const [data, time] = [emptyMemory(), new VirtualTime()];
    const one = await startBench(RULES, { data, time });
    await one.lock('a');
    await one.lock('b');
    await one.service.drain();
    await one.service.close();
    expect(await seen(await startBench(RULES, { data, time }))).toEqual({ seen: 2, waiters: ['b'] });
  });
});

test('a manager that has only read writes what it is ordered to, and nothing else', async () => {
  const [data, time] = [emptyMemory(), new VirtualTime()];
  const soaking = policies([policyOf('g', { soakMs: 60_000 }), policyOf('h')]);
  const before = await startBench(soaking, { data, time });
  await before.lock('a', 'g');
  await before.unlock('a', 'g');
  await before.lock('b', 'h');
  await before.service.drain();
  await before.service.close();
  await time.pass(120_000);
  slipIn(data, 'h', 'z');
  const [state, records] = [data.state, data.chunks.flat().length];
  const other = policies([policyOf('g', { slots: { kind: 'count', count: 3 } }), policyOf('h')]);
  const bench = await startBench(other, { data, time, start: (service) => service.read() });
  expect((await bench.service.status()).groups).toMatchObject([
    { name: 'g', slots: 1, holders: [{ id: 'a' }], seen: 1 },
    { name: 'h', holders: [{ id: 'b' }, { id: 'z' }] },
  ]);
  await bench.service.history({ most: 10 });
  await time.pass(120_000);
  expect([data.state, data.chunks.flat().length]).toEqual([state, records]);
  await bench.service.resize('g', 2, { by: 'ann', reason: '' });
  await time.pass(120_000);
  expect(bench.audit.map(({ action, by }) => `${action} by ${by}`)).toEqual(['resized by admin:ann']);
  await bench.service.close();
});
