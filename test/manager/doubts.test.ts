import { describe, expect, test } from 'vitest';
import { Doubts } from '../../src/manager/doubts.ts';
import { emptyDocument, type GroupDocument } from '../../src/manager/document.ts';
import type { Change, FleetState } from '../../src/manager/store/store.ts';

const NONE = emptyDocument(1, '1');
const HELD = { ...NONE, holders: [{ id: 'a', since: 1, soakUntil: null, waited: true }] };
const FREEZE = { since: 1, until: null, by: 'admin:ann', reason: '' };

function change(groups: Readonly<Record<string, GroupDocument>>, fleet?: Change['fleet']): Change {
  return { groups: new Map(Object.entries(groups)), audit: [], ...(fleet === undefined ? {} : { fleet }) };
}

function state(
  groups: Readonly<Record<string, GroupDocument>>,
  fleet: FleetState['fleet'] = { freeze: null },
): FleetState {
  const entries = Object.entries(groups).map(
    ([name, document]) => [name, { kind: 'good', document: structuredClone(document), found: [] }] as const,
  );
  return { groups: new Map(entries), fleet: structuredClone(fleet) };
}

function doubts(...changes: readonly Change[]): Doubts {
  const all = new Doubts();
  for (const each of changes) all.add(each);
  return all;
}

describe('a change in doubt', () => {
  const granted = change({ g: HELD, h: NONE });

  test('is found once, in the first state that shows it', () => {
    const all = doubts(granted);
    expect(all.found(state({ g: NONE, h: NONE }))).toEqual([]);
    expect(all.found(state({ g: HELD }))).toEqual([]);
    expect(all.found(state({ g: HELD, h: NONE, i: HELD }))).toEqual([granted]);
    expect(all.found(state({ g: HELD, h: NONE }))).toEqual([]);
  });

  test.each<[string, Partial<GroupDocument>]>([
    ['slots', { slots: 2 }],
    ['configuration', { configured: '2' }],
    ['resize', { resized: true }],
    ['freeze', { freeze: FREEZE }],
    ['holders', { holders: [] }],
    ['grant', { holders: [{ id: 'a', since: 2, soakUntil: null, waited: true }] }],
    ['soak', { holders: [{ id: 'a', since: 1, soakUntil: 3, waited: true }] }],
    ['confirmation', { holders: [{ id: 'a', since: 1, soakUntil: null, waited: false }] }],
  ])('is not found in a state with another %s', (_, other) => {
    expect(doubts(change({ g: HELD })).found(state({ g: { ...HELD, ...other } }))).toEqual([]);
  });

  test('of the fleet is found there', () => {
    const frozen = change({}, { freeze: FREEZE });
    const all = doubts(frozen);
    expect(all.found(state({}))).toEqual([]);
    expect(all.found(state({}, { freeze: { ...FREEZE, since: 2 } }))).toEqual([]);
    expect(all.found(state({}, { freeze: FREEZE }))).toEqual([frozen]);
  });

  test('is given up when another one of the same group or of the fleet was written', () => {
    const [other, fleet] = [change({ i: HELD }), change({}, { freeze: FREEZE })];
    const all = doubts(granted, other, fleet);
    all.written(change({ h: NONE }));
    all.written(change({}, { freeze: null }));
    expect(all.found(state({ g: HELD, h: NONE, i: HELD }, { freeze: FREEZE }))).toEqual([other]);
  });
});

test('no more than 32 are remembered, the latest', () => {
  const all = doubts(...Array.from({ length: 33 }, (_, index) => change({ [`g${index}`]: HELD })));
  const everything = state(Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`g${index}`, HELD])));
  expect(all.found(everything).flatMap(({ groups }) => [...groups.keys()])).toEqual(
    Array.from({ length: 32 }, (_, index) => `g${index + 1}`),
  );
});
