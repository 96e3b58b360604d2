import { describe, expect, test } from 'vitest';
import { encode } from '../../../../src/manager/store/codec.ts';
import { keysBelow } from '../../../../src/manager/store/etcd/keys.ts';
import type { KeyValue, RangeAnswer, TxnAnswer } from '../../../../src/manager/store/etcd/messages.ts';
import { View } from '../../../../src/manager/store/etcd/view.ts';
import { FIRST_HEAD } from '../../../../src/manager/store/layout.ts';
import { document, holder } from '../documents.ts';
import { airlockKey, ownKey } from '../etcd-open.ts';

const NOW = Date.UTC(2026, 6, 1);
const KEYS = keysBelow('io.github.holdpoint');

function range(keys: readonly KeyValue[], count = keys.length): RangeAnswer {
  return { count, keys };
}

/** An answer about head, fleet, airlock's keys and ours. */
function answer(revision: number, ranges: readonly RangeAnswer[], cluster = '1'): TxnAnswer {
  return { cluster, revision, succeeded: false, ranges };
}

const NONE = range([]);
const head: KeyValue = { key: KEYS.head, value: encode({ next: 2, days: [] }), revision: 5 };
const theirs: KeyValue = { key: airlockKey('g'), value: '{"total_slots":2,"holders":["a"]}', revision: 5 };
const ours: KeyValue = { key: ownKey('g'), value: encode(document([holder('a')])), revision: 5 };
const other: KeyValue = { key: airlockKey('h'), value: '{"total_slots":1,"holders":[]}', revision: 7 };

/** A view of one group, as of revision 6. */
function loaded(): View {
  const view = new View(KEYS, () => undefined);
  view.load(answer(6, [range([head]), NONE, range([theirs]), range([ours])]), FIRST_HEAD, NOW);
  return view;
}

describe('news that explain what has happened', () => {
  test('are taken', () => {
    const view = loaded();
    expect(view.update(answer(8, [range([], 1), NONE, range([other], 2), range([], 1)]), NOW)).toBe(true);
    expect([...view.state.groups.keys()]).toEqual(['g', 'h']);
    expect(view.revision).toBe(8);
    expect(view.changes()[0]).toMatchObject({ min_mod_revision: '9' });
  });

  test('of a group that was not touched leave its entry as it is', () => {
    const view = loaded();
    const before = view.state.groups.get('g');
    view.update(answer(8, [range([], 1), NONE, range([other], 2), range([], 1)]), NOW);
    expect(view.state.groups.get('g')).toBe(before);
  });
});

describe('news that do not', () => {
  test.each([
    ['nothing is new', answer(8, [range([], 1), NONE, range([], 1), range([], 1)])],
    ['the head is gone', answer(8, [NONE, NONE, range([other], 2), range([], 1)])],
    ["a key of airlock's is gone", answer(8, [range([], 1), NONE, range([other], 1), range([], 1)])],
    ['a key of ours is gone', answer(8, [range([], 1), NONE, range([other], 2), NONE])],
    ['it is another cluster', answer(8, [range([], 1), NONE, range([other], 2), range([], 1)], '2')],
    ['the store is older', answer(5, [range([], 1), NONE, range([other], 2), range([], 1)])],
  ])('%s: nothing is taken', (_, each) => {
    const view = loaded();
    const { state, revision } = view;
    expect(view.update(each, NOW)).toBe(false);
    expect(view.state).toBe(state);
    expect(view.revision).toBe(revision);
  });

  test('an unreadable head is an error, and the news are not lost', () => {
    const view = loaded();
    const bad = { ...head, value: '{}', revision: 8 };
    const news = [NONE, range([other], 2), range([], 1)];
    expect(() => view.update(answer(8, [range([bad]), ...news]), NOW)).toThrow(KEYS.head);
    const good = { ...head, revision: 9 };
    expect(view.update(answer(9, [range([good]), ...news]), NOW)).toBe(true);
    expect(view.state.groups.has('h')).toBe(true);
  });
});

test('a view knows other data', () => {
  const view = loaded();
  expect(view.isForeign({ cluster: '1', revision: 6 })).toBe(false);
  expect(view.isForeign({ cluster: '1', revision: 5 })).toBe(true);
  expect(view.isForeign({ cluster: '2', revision: 60 })).toBe(true);
});

test('every key is compared by the revision in which it was written, and 0 where it must not be', () => {
  const compares = loaded().compares(['g', 'new']);
  const decoded = compares.map(({ key, target, result, mod_revision: revision }) => {
    expect([target, result]).toEqual(['MOD', 'EQUAL']);
    return [Buffer.from(key, 'base64').toString(), revision];
  });
  expect(decoded).toEqual([
    [KEYS.head, '5'],
    [KEYS.fleet, '0'],
    [airlockKey('g'), '5'],
    [ownKey('g'), '5'],
    [airlockKey('new'), '0'],
    [ownKey('new'), '0'],
  ]);
});
