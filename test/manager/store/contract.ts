// What every store must do, told by the docstrings of its interface. Each store's own suite calls `storeContract`.
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type AuditDraft,
  type AuditRecord,
  EMPTY_FLEET,
  type FleetDocument,
  type GroupDocument,
} from '../../../src/manager/document.ts';
import { type AuditBounds, type Change, type Store, StoreError } from '../../../src/manager/store/store.ts';
import {
  change,
  document,
  documents,
  draft,
  fleets,
  freeze,
  good,
  holder,
  kept,
  many,
  reasons,
  sorted,
} from './documents.ts';

/** How a store is to be opened. */
export interface StoreOptions {
  /** The wall clock that the store dates its records by. */
  readonly clock: () => number;
  readonly audit: AuditBounds;
}

/** A store over data that were empty, and what can be done beside it. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Opens one more store over the same data while the others stay open. Left out where the data have one owner. */
  readonly another?: () => Promise<Store>;
  /** Opens the data again, with the same options, as after a restart: where they have one owner, it is closed before. */
  readonly reopen: () => Promise<Store>;
  /**
   * Overwrites what is stored for a group with this text, behind the store's back. After it the data are opened again.
   * Left out where there is nothing but the store's own memory.
   */
  readonly corrupt?: (group: string, text: string) => Promise<void>;
  /** Closes all that was opened and removes the data. */
  readonly end: () => Promise<void>;
}

/** Groups of the comparison with a model. */
const NAMES = ['a', 'b', 'c'] as const;

type Command =
  { readonly kind: 'commit'; readonly change: Change; readonly pass: number } | { readonly kind: 'reopen' | 'refresh' };

const drafts = fc
  .record({ group: fc.constantFrom(...NAMES, null), id: fc.option(reasons), reason: reasons })
  .map((each): AuditDraft => ({ ...draft(null), ...each }));
const changes: fc.Arbitrary<Change> = fc
  .record(
    {
      groups: fc.dictionary(fc.constantFrom(...NAMES), documents, { minKeys: 1, noNullPrototype: true }),
      fleet: fleets,
      audit: fc.array(drafts, { minLength: 1, maxLength: 4 }),
    },
    { requiredKeys: ['groups', 'audit'] },
  )
  .map((each) => ({ ...each, groups: new Map(Object.entries(each.groups)) }));
const commands: fc.Arbitrary<readonly Command[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('commit' as const), change: changes, pass: fc.nat(7_200_000) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('reopen' as const, 'refresh' as const) }) },
  ),
  { maxLength: 12 },
);

/** How the suite is to be run. */
export interface ContractOptions {
  /** Sequences of commands that the comparison with a model tries. */
  readonly runs?: number;
  /** What cannot be done with this store; the tests of it are left out. */
  readonly without?: readonly ('another' | 'corrupt')[];
}

const START = Date.UTC(2026, 6, 1);
const DAY_MS = 24 * 3_600_000;
const GENEROUS: AuditBounds = { mostRecords: 100_000, longestMs: 365 * DAY_MS };
/** More records than a store may keep beyond its bounds, since it drops them in chunks. */
const SLACK = 512;

/** Describes what a store must do, as a suite of this name. `open` gives a store over new, empty data each time. */
export function storeContract(
  name: string,
  open: (options: StoreOptions) => Promise<StoreUnderTest>,
  { runs = 20, without = [] }: ContractOptions = {},
): void {
  /** A store for one test, with a clock that stands still until it is set. */
  const start = async (audit = GENEROUS): Promise<StoreUnderTest & { readonly setClock: (wall: number) => void }> => {
    let now = START;
    const subject = await open({ clock: () => now, audit });
    onTestFinished(() => subject.end());
    return { ...subject, setClock: (wall) => void (now = wall) };
  };
  /** Two stores over the same data. */
  const startTwo = async (): Promise<{ a: Store; b: Store }> => {
    const { store, another } = await start();
    return { a: store, b: await another!() };
  };

  describe(`${name}: state and commit`, () => {
    test('new data are an empty fleet', async () => {
      const { store } = await start();
      await store.refresh(['a']);
      expect(store.state).toEqual({ groups: new Map(), fleet: EMPTY_FLEET });
      expect(await store.history({ most: 10 })).toEqual([]);
      expect(store.mostGroups).toBeGreaterThanOrEqual(1);
    });

    test('what is committed is in the state, and what was there before is not touched', async () => {
      const { store } = await start();
      const before = store.state;
      const one = document([holder('node-1')]);
      expect(await store.commit(change({ a: one }), ['a'])).toBe('committed');
      expect(before.groups.size).toBe(0);
      const between = store.state;
      expect(between.groups).toEqual(new Map([['a', good(one)]]));
      const two = document([holder('node-2', { waited: true })], { slots: 7 });
      expect(await store.commit(change({ b: two }, freeze({ reason: 'why "not"' })), ['a', 'b'])).toBe('committed');
      expect(between.groups.size).toBe(1);
      expect(store.state).toEqual({
        groups: new Map([
          ['a', good(one)],
          ['b', good(two)],
        ]),
        fleet: { freeze: freeze({ reason: 'why "not"' }) },
      });
    });

    test('a change that leaves the fleet out leaves it as it is', async () => {
      const { store } = await start();
      await store.commit(change({}, freeze()), []);
      await store.commit(change({ a: document() }), ['a']);
      expect(store.state.fleet.freeze).toEqual(freeze());
      await store.commit(change({}, null), []);
      expect(store.state.fleet.freeze).toBeNull();
      expect(store.state.groups.size).toBe(1);
    });

    test('the state is a new object if and only if something has changed', async () => {
      const { store, setClock } = await start();
      await store.refresh(['a']);
      const empty = store.state;
      await store.refresh(['a', 'b']);
      expect(store.state).toBe(empty);
      await store.commit(change({ a: document() }), ['a']);
      const written = store.state;
      expect(written).not.toBe(empty);
      setClock(START + DAY_MS);
      await store.refresh(['a']);
      await store.history({ most: 5 });
      await store.writeNote('waiters', 'x');
      await store.readNote('waiters');
      await store.health();
      await store.refresh(['a', 'b']);
      expect(store.state).toBe(written);
      await store.commit(change({}, freeze()), []);
      expect(store.state).not.toBe(written);
    });

    test('all is there when the data are opened again', async () => {
      const { store, reopen } = await start();
      const a = document([holder('node-1', { soakUntil: START + 5 }), holder('node-2')], { resized: true });
      const b = document([], { slots: 0, configured: '25%', freeze: freeze({ until: null }) });
      await store.commit(change({ a: document(), b }), ['a', 'b']);
      await store.commit(change({ a }, freeze()), ['a', 'b']);
      const { state } = store;
      const history = await store.history({ most: 100 });
      const again = await reopen();
      await again.refresh(['a', 'b']);
      expect(again.state).toEqual(state);
      expect(again.state.groups).toEqual(
        new Map([
          ['a', good(a)],
          ['b', good(b)],
        ]),
      );
      expect(await again.history({ most: 100 })).toEqual(history);
      expect(await again.commit(change({ b: a }), ['a', 'b'])).toBe('committed');
      expect((await again.history({ most: 1 }))[0]?.number).toBe(history.length + 1);
    });

    test('texts are kept as they are: quotes, other scripts, control characters, ids of 1 KiB', async () => {
      const { store, reopen } = await start();
      const ids = [
        '"',
        '\\',
        "'; --",
        '{"a":1}',
        'é',
        'ß',
        '日本',
        '👩‍🚀',
        '\u0000\n\t\u2028',
        ' ',
        'i'.repeat(1024),
        '\ue000',
      ];
      const reason = ids.join('|');
      const one = document(sorted(ids.map((id) => holder(id))), { freeze: freeze({ by: 'admin:"ü"', reason }) });
      const audit = ids.map((id) => ({ ...draft('a', id), by: `admin:${id}`, reason }));
      await store.commit({ groups: new Map([['a', one]]), audit }, ['a']);
      for (const again of [false, true]) {
        const each = again ? await reopen() : store;
        await each.refresh(['a']);
        expect(each.state.groups.get('a')).toEqual(good(one));
        expect(await each.history({ most: 100 })).toMatchObject(audit);
        expect(await each.history({ id: '👩‍🚀', most: 100 })).toHaveLength(1);
      }
    });

    test('names of groups are no more than names', async () => {
      const { store, reopen } = await start();
      const names = ['.', '..', '-', 'a', 'A', 'a.b', 'a-b', '0', 'fleet', 'head', 'audit', 'default', 'constructor'];
      const all = names.map((group, index) => [group, document([holder(`of-${index}`)])] as const);
      for (const each of all) await store.commit(change(Object.fromEntries([each])), names);
      const again = await reopen();
      await again.refresh(names);
      expect(again.state.groups).toEqual(new Map(all.map(([group, each]) => [group, good(each)])));
    });

    test('a document with 10 000 holders', async () => {
      const { store, reopen } = await start();
      const big = document(sorted(many(10_000, (index) => holder(`h${index}`))), { slots: 10_000 });
      expect(await store.commit(change({ a: big }), ['a'])).toBe('committed');
      const again = await reopen();
      await again.refresh(['a']);
      expect(again.state.groups.get('a')).toEqual(good(big));
    });

    test('as many groups as one change may concern, several times over', async () => {
      const { store, reopen } = await start();
      const at = Math.min(store.mostGroups, 150);
      const names = many(at * 3, (index) => `group-${index}`);
      for (let first = 0; first < names.length; first += at) {
        const slice = names.slice(first, first + at);
        await store.refresh(slice);
        const groups = new Map(slice.map((group) => [group, document([holder(`of-${group}`)])]));
        const audit = slice.map((group) => draft(group));
        expect(await store.commit({ groups, audit }, slice)).toBe('committed');
      }
      const again = await reopen();
      for (let first = 0; first < names.length; first += at) await again.refresh(names.slice(first, first + at));
      expect(again.state.groups).toEqual(
        new Map(names.map((group) => [group, good(document([holder(`of-${group}`)]))])),
      );
      expect((await again.history({ most: 10_000 })).map(({ group }) => group)).toEqual(names);
    });

    test.skipIf(without.includes('corrupt'))('a corrupt document is the trouble of its own group only', async () => {
      const { store, corrupt, reopen } = await start();
      const bad = ['not-json', 'other-layout', 'no-document', 'empty', 'unsorted'] as const;
      const texts = ['{"slots":', '{"layout":2000}', '[]', '', '{"layout":1,"holders":[{"id":"b"},{"id":"a"}]}'];
      const names = [...bad, 'fine'];
      const all = Object.fromEntries(names.map((group) => [group, document([holder(`of-${group}`)])]));
      await store.commit(change(all), names);
      for (const [index, group] of bad.entries()) await corrupt!(group, texts[index]!);
      const again = await reopen();
      await again.refresh(names);
      for (const group of bad) {
        const entry = again.state.groups.get(group);
        expect(entry, group).toMatchObject({ kind: 'corrupt' });
        if (entry?.kind === 'corrupt') expect(entry.problem).toContain(group);
      }
      expect(again.state.groups.get('fine')).toEqual(good(all['fine']!));
      expect(await again.commit(change({ fine: document(), more: document() }), ['fine', 'more'])).toBe('committed');
      expect(again.state.groups.get('more')).toEqual(good(document()));
      expect(again.state.groups.get('empty')).toMatchObject({ kind: 'corrupt' });
    });
  });

  describe.skipIf(without.includes('another'))(`${name}: several users`, () => {
    test('a change that was decided from an old state is not written', async () => {
      const { a, b } = await startTwo();
      for (const each of [a, b]) await each.refresh(['x', 'y']);
      const old = a.state;
      expect(await b.commit(change({ x: document([holder('first')]) }), ['x', 'y'])).toBe('committed');
      expect(a.state).toBe(old);
      expect(await a.commit(change({ x: document([holder('second')]) }, freeze()), ['x', 'y'])).toBe('conflict');
      expect(a.state).not.toBe(old);
      expect(a.state).toEqual(b.state);
      expect(a.state.groups.get('x')).toEqual(good(document([holder('first')])));
      expect(await a.history({ most: 10 })).toHaveLength(1);
      expect(await a.commit(change({ x: document([holder('third')]) }), ['x', 'y'])).toBe('committed');
      expect(await b.commit(change({ x: document() }), ['x'])).toBe('conflict');
      expect(b.state).toEqual(a.state);
    });

    test('a change anywhere in the fleet is enough for a conflict', async () => {
      const { a, b } = await startTwo();
      for (const each of [a, b]) await each.refresh(['x', 'y']);
      await b.commit(change({ y: document([holder('other')]) }), ['y']);
      expect(await a.commit(change({ x: document() }), ['x', 'y'])).toBe('conflict');
      expect(a.state.groups.get('y')).toEqual(good(document([holder('other')])));
      await b.refresh(['x']);
      await b.commit(change({}, freeze()), []);
      expect(await a.commit(change({ x: document() }), ['x'])).toBe('conflict');
      expect(a.state.fleet.freeze).toEqual(freeze());
    });

    test('refresh shows what another has written', async () => {
      const { a, b } = await startTwo();
      await a.refresh(['x']);
      await b.refresh(['x']);
      await b.commit(change({ x: document([holder('one')]) }), ['x']);
      const before = a.state;
      await a.refresh(['x']);
      expect(a.state).not.toBe(before);
      expect(a.state.groups.get('x')).toEqual(good(document([holder('one')])));
      const now = a.state;
      await a.refresh(['x']);
      expect(a.state).toBe(now);
    });

    test('of many changes at once by several, each is written once or not at all', async () => {
      const { store, another } = await start();
      const stores = [store, await another!(), await another!()];
      const append = async (each: Store, id: string): Promise<void> => {
        for (;;) {
          const entry = each.state.groups.get('x');
          const holders = entry?.kind === 'good' ? entry.document.holders : [];
          const next = document(sorted([...holders, holder(id)]), { slots: 100 });
          if ((await each.commit(change({ x: next }), ['x'])) === 'committed') return;
        }
      };
      const each = async (one: Store, index: number): Promise<void> => {
        await one.refresh(['x']);
        for (let round = 0; round < 10; round += 1) await append(one, `${index}-${round}`);
      };
      await Promise.all(stores.map(each));
      await store.refresh(['x']);
      const entry = store.state.groups.get('x');
      expect(entry?.kind === 'good' && entry.document.holders).toHaveLength(30);
      const numbers = (await store.history({ most: 1000 })).map(({ number }) => number);
      expect(numbers).toEqual(many(30, (index) => index + 1));
    });

    test('watch tells of what another did, until it is stopped', async () => {
      const { a, b } = await startTwo();
      for (const each of [a, b]) await each.refresh(['x']);
      let stopped = 0;
      const stop = a.watch(() => (stopped += 1));
      const told = new Promise<void>((resolve) => void a.watch(resolve));
      stop();
      await b.commit(change({ x: document() }), ['x']);
      await told;
      expect(stopped).toBe(0);
    });
  });

  describe(`${name}: audit`, () => {
    test('records are numbered without a gap and dated by the clock', async () => {
      const { store, setClock } = await start();
      await store.commit({ ...change({ a: document() }), audit: [draft('a', 'one'), draft('a', 'two')] }, ['a']);
      setClock(START + 7);
      await store.commit({ ...change({ a: document([holder('x')]) }), audit: [draft('a', 'three')] }, ['a']);
      expect(await store.history({ most: 10 })).toEqual([
        { ...draft('a', 'one'), number: 1, at: START },
        { ...draft('a', 'two'), number: 2, at: START },
        { ...draft('a', 'three'), number: 3, at: START + 7 },
      ]);
    });

    test('history by group, by id, and the newest of all, oldest first', async () => {
      const { store, reopen } = await start();
      const about = [draft('a', 'n1'), draft('b', 'n1'), draft(null), draft('a', 'n2'), draft('a'), draft('b', 'n3')];
      for (const [index, each] of about.entries())
        await store.commit({ ...change({ a: document([holder(`h${index}`)]) }), audit: [each] }, ['a']);
      await store.commit({ ...change({ b: document() }), audit: about }, ['b']);
      for (const again of [false, true]) {
        const each = again ? await reopen() : store;
        const numbers = async (query: Parameters<Store['history']>[0]): Promise<number[]> =>
          (await each.history(query)).map(({ number }) => number);
        expect(await numbers({ most: 100 })).toEqual(many(12, (index) => index + 1));
        expect(await numbers({ most: 1 })).toEqual([12]);
        expect(await numbers({ most: 7 })).toEqual([6, 7, 8, 9, 10, 11, 12]);
        expect(await numbers({ group: 'a', most: 100 })).toEqual([1, 3, 4, 5, 7, 9, 10, 11]);
        expect(await numbers({ group: 'a', most: 3 })).toEqual([9, 10, 11]);
        expect(await numbers({ group: 'c', most: 100 })).toEqual([3, 9]);
        expect(await numbers({ id: 'n1', most: 100 })).toEqual([1, 2, 7, 8]);
        expect(await numbers({ group: 'b', id: 'n1', most: 100 })).toEqual([2, 8]);
        expect(await numbers({ id: 'nobody', most: 100 })).toEqual([]);
      }
    });

    /** Commits `rounds` times, with so many records each. */
    const fill = async (store: Store, rounds: number, each: number): Promise<void> => {
      for (let round = 0; round < rounds; round += 1) {
        const audit = many(each, () => draft('a', 'n'));
        await store.commit({ ...change({ a: document([holder(String(round))]) }), audit }, ['a']);
      }
    };

    test('is bounded by count: enough is kept, and not much more', async () => {
      const { store, reopen } = await start({ ...GENEROUS, mostRecords: 100 });
      await fill(store, 30, 50);
      for (const again of [false, true]) {
        const each = again ? await reopen() : store;
        const numbers = (await each.history({ most: 100_000 })).map(({ number }) => number);
        expect(numbers.length).toBeGreaterThanOrEqual(100);
        expect(numbers.length).toBeLessThanOrEqual(100 + SLACK + 50);
        expect(numbers).toEqual(many(numbers.length, (index) => 1500 - numbers.length + 1 + index));
      }
    });

    test('is bounded by age: what is young is kept, what is old goes', async () => {
      const { store, reopen, setClock } = await start({ ...GENEROUS, longestMs: 3 * DAY_MS });
      await fill(store, 12, 50);
      setClock(START + 2 * DAY_MS);
      await fill(store, 12, 50);
      expect(await store.history({ most: 100_000 })).toHaveLength(1200);
      setClock(START + 3.5 * DAY_MS);
      await fill(store, 12, 50);
      expect(await store.history({ most: 100_000 })).toHaveLength(1800);
      setClock(START + 10 * DAY_MS);
      await fill(store, 12, 50);
      for (const again of [false, true]) {
        const each = again ? await reopen() : store;
        const records = await each.history({ most: 100_000 });
        expect(records.at(-1)?.number).toBe(2400);
        expect(records.length).toBeGreaterThanOrEqual(600);
        expect(records.length).toBeLessThanOrEqual(600 + SLACK + 50);
      }
    });

    test('one change with more records than are dropped at once loses none of the newest', async () => {
      const { store } = await start({ ...GENEROUS, mostRecords: 400 });
      try {
        await fill(store, 1, 700);
      } catch (error) {
        // So much need not fit into one transaction.
        expect(error).toBeInstanceOf(StoreError);
        expect(error).toMatchObject({ kind: 'too-large' });
        return;
      }
      await fill(store, 1, 350);
      const numbers = (await store.history({ most: 100_000 })).map(({ number }) => number);
      expect(numbers.slice(-400)).toEqual(many(400, (index) => 651 + index));
    });
  });

  describe(`${name}: notes`, () => {
    test('are kept by name, the last writer wins', async () => {
      const { store, another } = await start();
      expect(await store.readNote('waiters')).toBeNull();
      await store.writeNote('waiters', '{"a":"ü\\"\n"}');
      await store.writeNote('sights', '');
      expect(await store.readNote('waiters')).toBe('{"a":"ü\\"\n"}');
      expect(await store.readNote('sights')).toBe('');
      await store.writeNote('waiters', 'second');
      expect(await store.readNote('waiters')).toBe('second');
      const other = await another?.();
      if (other === undefined) return;
      expect(await other.readNote('waiters')).toBe('second');
      await other.writeNote('waiters', 'third');
      expect(await store.readNote('waiters')).toBe('third');
    });

    test('may be as long as 512 KiB', async () => {
      const { store } = await start();
      const text = 'né'.repeat(512 * 1024).slice(0, 349_525);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(512 * 1024);
      await store.writeNote('long', text);
      expect((await store.readNote('long')) === text).toBe(true);
    });

    test('are outside of every comparison', async () => {
      const { store } = await start();
      await store.refresh(['a']);
      await store.writeNote('a', 'x');
      await store.writeNote('fleet', 'x');
      expect(await store.commit(change({ a: document() }), ['a'])).toBe('committed');
      expect(await store.history({ most: 10 })).toHaveLength(1);
    });

    test('are written while a change is', async () => {
      const { store, reopen } = await start();
      await store.refresh(['a']);
      for (let round = 0; round < 10; round += 1) {
        const [answer] = await Promise.all([
          store.commit(change({ a: document([holder(`n-${round}`)]) }), ['a']),
          store.writeNote('waiters', `round ${round}`),
          store.history({ most: 3 }),
        ]);
        expect(answer).toBe('committed');
      }
      expect(await store.readNote('waiters')).toBe('round 9');
      const again = await reopen();
      await again.refresh(['a']);
      expect(again.state.groups.get('a')).toEqual(good(document([holder('n-9')])));
    });
  });

  describe(`${name}: as a whole`, () => {
    test('is healthy', async () => {
      const { store } = await start();
      const health = await store.health();
      expect(health.problem).toBeNull();
      expect(Array.isArray(health.warnings)).toBe(true);
    });

    test('agrees with a map and a list', { timeout: 120_000 }, async () => {
      const agrees = async (sequence: readonly Command[]): Promise<void> => {
        let now = START;
        const subject = await open({ clock: () => now, audit: GENEROUS });
        const model = emptyModel();
        try {
          let { store } = subject;
          await store.refresh(NAMES);
          for (const command of sequence) {
            if (command.kind === 'reopen') store = await subject.reopen();
            if (command.kind !== 'commit') await store.refresh(NAMES);
            else {
              now += command.pass;
              expect(await store.commit(command.change, NAMES)).toBe('committed');
              commitToModel(model, command.change, now);
            }
            expect(kept(store.state)).toEqual({ groups: model.groups, fleet: model.fleet });
          }
          expect(await store.history({ most: 1000 })).toEqual(model.audit);
        } finally {
          await subject.end();
        }
      };
      await fc.assert(fc.asyncProperty(commands, agrees), { numRuns: runs });
    });
  });
}

interface Model {
  readonly groups: Map<string, GroupDocument>;
  fleet: FleetDocument;
  readonly audit: AuditRecord[];
}

function emptyModel(): Model {
  return { groups: new Map(), fleet: EMPTY_FLEET, audit: [] };
}

function commitToModel(model: Model, { groups, fleet, audit }: Change, now: number): void {
  for (const [group, each] of groups) model.groups.set(group, each);
  model.fleet = fleet ?? model.fleet;
  for (const each of audit) model.audit.push({ ...each, number: model.audit.length + 1, at: now });
}
