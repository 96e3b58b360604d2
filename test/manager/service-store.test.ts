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
