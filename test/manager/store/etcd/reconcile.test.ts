import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byBytes, type GroupDocument } from '../../../../src/manager/document.ts';
import { encodeSemaphore, parseSemaphore, type Semaphore } from '../../../../src/manager/store/etcd/airlock.ts';
import { NOTHING_SEEN, reconcile } from '../../../../src/manager/store/etcd/reconcile.ts';
import { document, documents, freeze, holder } from '../documents.ts';

const NOW = Date.UTC(2026, 6, 1);
const LATER = NOW + 60_000;

/** airlock's key as we write it for a document. */
function semaphoreOf({ slots, holders }: GroupDocument): Semaphore {
  return { slots, holders: holders.map(({ id }) => id) };
}

const semaphores: fc.Arbitrary<Semaphore> = fc.record({
  slots: fc.nat(5),
  holders: fc.uniqueArray(fc.string({ maxLength: 2 }), { maxLength: 5 }).map((ids) => ids.sort(byBytes)),
});

describe('reconcile', () => {
  test('nothing is found where both say the same', () => {
    fc.assert(
      fc.property(documents, (own) => {
        const { document: both, found, firstSeen } = reconcile('g', semaphoreOf(own), own, NOTHING_SEEN, NOW);
        expect(both).toEqual(own);
        expect(found).toEqual([]);
        expect(firstSeen.size).toBe(0);
      }),
    );
  });

  test("slots and holders are always airlock's, and what we know of a holder is kept", () => {
    fc.assert(
      fc.property(semaphores, documents, (airlock, own) => {
        const { document: both, found } = reconcile('g', airlock, own, NOTHING_SEEN, NOW);
        expect(semaphoreOf(both)).toEqual(airlock);
        for (const each of both.holders) {
          const known = own.holders.find(({ id }) => id === each.id);
          expect(each).toEqual(known ?? holder(each.id, { since: NOW }));
        }
        const changes = own.holders.filter(({ id }) => !airlock.holders.includes(id)).length;
        const news = airlock.holders.filter((id) => !own.holders.some((each) => each.id === id)).length;
        expect(found).toHaveLength(changes + news + (airlock.slots === own.slots ? 0 : 1));
        for (const draft of found) expect(draft).toMatchObject({ group: 'g', by: 'another program' });
        expect(both.freeze).toEqual(own.freeze);
        expect(both.configured).toBe(own.configured);
      }),
    );
  });

  test('what was written once is found no more', () => {
    fc.assert(
      fc.property(semaphores, documents, (airlock, own) => {
        const first = reconcile('g', airlock, own, NOTHING_SEEN, NOW);
        const second = reconcile('g', semaphoreOf(first.document), first.document, NOTHING_SEEN, LATER);
        expect(second.document).toEqual(first.document);
        expect(second.found).toEqual([]);
      }),
    );
  });

  test('a holder is first seen once, however often that is looked at', () => {
    fc.assert(
      fc.property(semaphores, documents, (airlock, own) => {
        const first = reconcile('g', airlock, own, NOTHING_SEEN, NOW);
        const second = reconcile('g', airlock, own, first.firstSeen, LATER);
        expect(second).toEqual(first);
      }),
    );
  });

  test('a holder who went and came back is a new one', () => {
    const own = document();
    const first = reconcile('g', { slots: 2, holders: ['x'] }, own, NOTHING_SEEN, NOW);
    const second = reconcile('g', { slots: 2, holders: [] }, own, first.firstSeen, NOW + 1);
    const third = reconcile('g', { slots: 2, holders: ['x'] }, own, second.firstSeen, LATER);
    expect(third.document.holders).toEqual([holder('x', { since: LATER })]);
  });

  test('each change has its record, with since when', () => {
    const own = document([holder('gone', { since: NOW - 1000, soakUntil: LATER }), holder('stays')], {
      freeze: freeze(),
    });
    const { found, document: both } = reconcile('g', { slots: 5, holders: ['new', 'stays'] }, own, NOTHING_SEEN, NOW);
    const by = { group: 'g', by: 'another program' };
    expect(found).toEqual([
      { ...by, action: 'found-slots', id: null, reason: 'from 2 to 5' },
      { ...by, action: 'vanished', id: 'gone', reason: 'held since 2026-06-30T23:59:59Z' },
      { ...by, action: 'found', id: 'new', reason: 'first seen at 2026-07-01T00:00:00Z' },
    ]);
    expect(both).toMatchObject({ slots: 5, resized: true, freeze: freeze() });
  });

  test("a group that only airlock knows is airlock's, and not as configured", () => {
    const { document: both, found } = reconcile('g', { slots: 3, holders: ['a', 'b'] }, null, NOTHING_SEEN, NOW);
    const holders = [holder('a', { since: NOW }), holder('b', { since: NOW })];
    expect(both).toEqual({ slots: 3, configured: '', resized: false, holders, freeze: null });
    expect(found.map(({ action, id }) => [action, id])).toEqual([
      ['found', 'a'],
      ['found', 'b'],
    ]);
  });

  test("without airlock's key nobody holds anything, and everything else stays", () => {
    const own = document([holder('a')], { slots: 4, freeze: freeze(), resized: true });
    const { document: both, found } = reconcile('g', null, own, NOTHING_SEEN, NOW);
    expect(both).toEqual({ ...own, holders: [] });
    expect(found.map(({ action, id }) => [action, id])).toEqual([['vanished', 'a']]);
  });
});

describe("airlock's value", () => {
  test('is written as airlock writes it', () => {
    expect(encodeSemaphore({ slots: 2, holders: ['a', 'b'] })).toBe('{"total_slots":2,"holders":["a","b"]}');
    expect(encodeSemaphore({ slots: 0, holders: [] })).toBe('{"total_slots":0,"holders":[]}');
  });

  test('is read back, and in whatever order a person wrote it', () => {
    fc.assert(
      fc.property(semaphores, (one) => {
        expect(parseSemaphore(encodeSemaphore(one))).toEqual(one);
        const { slots, holders } = one;
        expect(parseSemaphore(encodeSemaphore({ slots, holders: [...holders, ...holders].reverse() }))).toEqual(one);
      }),
    );
    expect(parseSemaphore('{"holders":null,"total_slots":1,"more":{}}')).toEqual({ slots: 1, holders: [] });
    expect(parseSemaphore('{"total_slots":1}')).toEqual({ slots: 1, holders: [] });
  });

  test('by bytes: an id in a higher plane comes after one in the private area', () => {
    const ids = ['\u{1f600}', '\ue000', 'a', 'B'];
    expect(parseSemaphore(JSON.stringify({ total_slots: 1, holders: ids })).holders).toEqual([
      'B',
      'a',
      '\ue000',
      '\u{1f600}',
    ]);
  });

  test.each([
    ['', 'JSON'],
    ['[]', 'an object was expected'],
    ['{"holders":[]}', 'total_slots'],
    ['{"total_slots":-1}', 'total_slots'],
    ['{"total_slots":1.5}', 'total_slots'],
    ['{"total_slots":"1"}', 'total_slots'],
    ['{"total_slots":1,"holders":[1]}', 'holders[0]'],
    ['{"total_slots":1,"holders":{}}', 'holders'],
  ])('%s cannot be read', (text, where) => {
    expect(() => parseSemaphore(text)).toThrow(where);
  });
});
