// What becomes of a request that waits when something else happens at the same time.
import { describe, expect, test } from 'vitest';
import { refuse } from '../../src/manager/answer.ts';
import { type Change, type Store, StoreError } from '../../src/manager/store/store.ts';
import { type Bench, delegate, policies, policyOf, startBench, type Waiting, word } from '../support/manager.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const MINUTE = 60_000;

async function connected({ service }: Bench, group = 'g'): Promise<readonly string[]> {
  const { groups } = await service.status();
  const waiters = groups.find(({ name }) => name === group)?.waiters ?? [];
  return waiters.filter((waiter) => waiter.connected).map(({ id }) => id);
}

function actions({ audit }: Bench): readonly string[] {
  return audit.map(({ action, id }) => `${action} ${id ?? ''}`);
}

/** A service in whose only slot `a` sits, and on whose next look at the store something else happens. */
async function heldWhileLooking(): Promise<{ bench: Bench; during: (happens: () => void) => void }> {
  let happens: (() => void) | null = null;
  const bench = await startBench(policies([policyOf('g')]), {
    wrap: (store) =>
      delegate(store, {
        async refresh(groups) {
          await store.refresh(groups);
          happens?.();
          happens = null;
        },
      }),
  });
  await bench.lock('a');
  return { bench, during: (given) => (happens = given) };
}

describe('a request that is refused while', () => {
  test('the manager begins to stop is answered: it does not wait any more', async () => {
    const { bench, during } = await heldWhileLooking();
    let drained: Promise<void> | null = null;
    during(() => {
      drained = bench.service.drain();
    });
    const b = bench.wait('b');
    await bench.time.settle();
    expect(drained).not.toBeNull();
    expect(word(b.answer)).toBe('slots_full');
    expect(await connected(bench)).toEqual([]);
  });

  test('its connection goes away does not wait, and gets nothing later', async () => {
    const { bench, during } = await heldWhileLooking();
    let b: Waiting | null = null;
    during(() => b?.abort());
    b = bench.wait('b');
    await bench.time.settle();
    expect(word(b.answer)).toBe('slots_full');
    expect(await connected(bench)).toEqual([]);
    await bench.unlock('a');
    await bench.time.settle();
    expect(actions(bench)).toEqual(['granted a', 'released a']);
  });

  test('the same id waits already: who asked first is answered', async () => {
    const bench = await startBench(policies([policyOf('g')]));
    await bench.lock('a');
    const first = bench.wait('b');
    await bench.time.pass(1_000);
    const second = bench.wait('b');
    await bench.time.settle();
    expect([word(first.answer), word(second.answer)]).toEqual(['slots_full', 'waits']);
    expect(await connected(bench)).toEqual(['b']);
    await bench.unlock('a');
    await bench.time.settle();
    expect(word(second.answer)).toBe('granted');
  });
});

test('a request that ends while a write is tried again is not decided for', async () => {
  let away = false;
  const bench = await startBench(policies([policyOf('g')]), {
    wrap: (store) =>
      delegate(store, {
        commit: (change, groups) =>
          away ? Promise.reject(new StoreError('unavailable', 'away')) : store.commit(change, groups),
      }),
  });
  await bench.lock('a');
  const b = bench.wait('b');
  await bench.time.pass(1_000);
  away = true;
  const released = bench.unlock('a');
  await bench.time.settle();
  b.abort();
  away = false;
  await bench.time.pass(1_000);
  expect(word(await released)).toBe('released');
  expect(actions(bench)).toEqual(['granted a', 'released a']);
});

test('a window that opens wakes who waits at that moment', async () => {
  const time = new VirtualTime();
  // Between two of the moments at which everybody who waits is looked at anyway.
  const opens = time.now() + 10 * MINUTE + 1_234;
  const closed = (_: string, now: number) => (now < opens ? refuse('outside_window', 'closed', MINUTE) : null);
  const rules = policies([policyOf('g')], { closed, changesAt: (_, now) => (now < opens ? opens : null) });
  const bench = await startBench(rules, { time });
  // A document of the group is what a wake rests on.
  await bench.service.resize('g', 2, { by: 'ann', reason: '' });
  const a = bench.wait('a', 20 * MINUTE);
  await time.pass(opens - 1 - time.now());
  expect(word(a.answer)).toBe('waits');
  await time.pass(1);
  expect(word(a.answer)).toBe('granted');
});

test('the end of a freeze of the fleet wakes who waits in every group, however few are looked at together', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const bench = await startBench(policies(names.map((name) => policyOf(name))), {
    wrap: (store) => delegate(store, { mostGroups: 2 }),
  });
  const order = { by: 'ann', reason: '' };
  await bench.service.freeze(null, null, order);
  const waiting = names.map((name) => bench.wait(`node-${name}`, 50_000, name));
  await bench.time.pass(1_000);
  expect(waiting.map(({ answer }) => word(answer))).toEqual(names.map(() => 'waits'));
  await bench.service.thaw(null, order);
  await bench.time.settle();
  expect(waiting.map(({ answer }) => word(answer))).toEqual(names.map(() => 'granted'));
});

test.each([
  ['holds a slot of another group', 'held_elsewhere', (bench: Bench) => bench.lock('b', 'h')],
  ['asks a manager that is about to stop', 'draining', (bench: Bench) => bench.service.drain()],
])('who %s does not count as waiting', async (_, kind, before) => {
  const bench = await startBench(policies([policyOf('g'), policyOf('h')]));
  await before(bench);
  expect(word(await bench.lock('b'))).toBe(kind);
  const { groups } = await bench.service.status();
  expect(groups.find(({ name }) => name === 'g')?.waiters ?? []).toEqual([]);
});

/** A store that writes the next grants that it is told to, and whose answer to that is lost. */
function losing(): { wrap: (store: Store) => Store; next: (happens: () => void) => void } {
  let happens: (() => void) | null = null;
  const isGrant = ({ audit }: Change): boolean => audit.some(({ action }) => action === 'granted');
  const wrap = (store: Store): Store =>
    delegate(store, {
      async commit(change, groups) {
        const outcome = await store.commit(change, groups);
        const now = happens;
        if (now === null || !isGrant(change)) return outcome;
        happens = null;
        now();
        throw new StoreError('ambiguous', 'the answer was lost');
      },
    });
  return { wrap, next: (given) => (happens = given) };
}

describe('a grant whose writing got no answer', () => {
  test('is taken back when its connection went away at the same time', async () => {
    const { wrap, next } = losing();
    const bench = await startBench(policies([policyOf('g')]), { wrap });
    await bench.lock('a');
    const b = bench.wait('b', 300_000);
    await bench.time.pass(1_000);
    next(b.abort);
    void bench.unlock('a');
    await bench.time.pass(5_000);
    expect(bench.data.state.groups.get('g')).toMatchObject({ document: { holders: [] } });
  });

  test('is no refusal for its holder, whatever others who wait are told', async () => {
    const { wrap, next } = losing();
    const bench = await startBench(policies([policyOf('g', { soakMs: 20_000, first: ['canary'] })]), { wrap });
    await bench.lock('a');
    await bench.unlock('a');
    const b = bench.wait('b');
    await bench.time.pass(1_000);
    const others: Waiting[] = [];
    next(() => others.push(bench.wait('canary')));
    await bench.time.pass(20_000);
    expect([b, ...others].map(({ answer }) => word(answer))).toEqual(['granted', 'waits']);
  });

  test('is told of once it is found', async () => {
    const { wrap, next } = losing();
    const bench = await startBench(policies([policyOf('g')]), { wrap });
    next(() => undefined);
    const b = bench.wait('b');
    await bench.time.pass(1_000);
    expect(word(b.answer)).toBe('granted');
    expect(actions(bench)).toEqual(['granted b']);
  });

  test('or a release, is told of once although it was not written at first', async () => {
    let fails = 0;
    const bench = await startBench(policies([policyOf('g')]), {
      wrap: (store) =>
        delegate(store, {
          commit: (change, groups) =>
            (fails -= 1) < 0 ? store.commit(change, groups) : Promise.reject(new StoreError('ambiguous', 'lost')),
        }),
    });
    fails = 1;
    expect(word((await Promise.all([bench.lock('b'), bench.time.pass(1_000)]))[0])).toBe('granted');
    fails = 1;
    expect(word((await Promise.all([bench.unlock('b'), bench.time.pass(1_000)]))[0])).toBe('released');
    await bench.time.pass(10_000);
    expect(actions(bench)).toEqual(['granted b', 'released b']);
  });
});
