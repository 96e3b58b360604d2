import { describe, expect, test } from 'vitest';
import { emptyDocument, type GroupDocument } from '../../src/manager/document.ts';
import { Overview } from '../../src/manager/overview.ts';
import type { FleetState, GroupEntry } from '../../src/manager/store/store.ts';

const NOW = 1_700_000_000_000;
const CORRUPT: GroupEntry = { kind: 'corrupt', problem: 'it cannot be read' };

function group(
  ids: readonly string[],
  change: Partial<GroupDocument> = {},
  soakUntil: number | null = null,
): GroupEntry {
  const holders = ids.map((id) => ({ id, since: NOW, soakUntil, waited: false }));
  return { kind: 'good', document: { ...emptyDocument(2, '2'), holders, ...change }, found: [] };
}

function state(groups: Readonly<Record<string, GroupEntry>>): FleetState {
  return { groups: new Map(Object.entries(groups)), fleet: { freeze: null } };
}

/** An overview that has seen these states; holders are stale after an hour. */
function after(...states: readonly FleetState[]): Overview {
  const overview = new Overview(() => 3_600_000);
  for (const each of states) overview.update(each, NOW);
  return overview;
}

describe('who holds a slot where', () => {
  const where = (overview: Overview, id: string): readonly string[] => [...overview.holding(id)].toSorted();

  test('follows each change', () => {
    const overview = after(state({ g: group(['a', 'b']), h: group(['a']) }));
    expect([where(overview, 'a'), where(overview, 'b')]).toEqual([['g', 'h'], ['g']]);
    overview.update(state({ g: group(['c']), h: group(['a']) }), NOW);
    expect(['a', 'b', 'c'].map((id) => where(overview, id))).toEqual([['h'], [], ['g']]);
  });

  test('is as it was in a group that cannot be read any more', () => {
    const overview = after(state({ g: group(['a']) }), state({ g: CORRUPT }));
    expect(where(overview, 'a')).toEqual(['g']);
    expect(overview.lastKnown('g')?.holders).toHaveLength(1);
    overview.update(state({ g: group([]) }), NOW);
    expect(where(overview, 'a')).toEqual([]);
  });

  test('ends with the group, another one that came at the same time or not', () => {
    const before = state({ g: group(['a'], {}, NOW + 1_000), h: group([]) });
    for (const next of [state({ h: group([]) }), state({ h: group([]), i: group([]) })]) {
      const overview = after(before, next);
      expect([where(overview, 'a'), overview.lastKnown('g'), overview.next(NOW)]).toEqual([[], null, Infinity]);
    }
  });
});

describe('what is due and could not be written', () => {
  const SOAKED = state({ g: group(['a'], {}, NOW) });

  test('is due again later', () => {
    const overview = after(SOAKED);
    expect([overview.next(NOW), overview.due(NOW)]).toEqual([NOW, ['g']]);
    overview.putOff('g', NOW, 5_000);
    expect([overview.next(NOW), overview.due(NOW)]).toEqual([NOW + 5_000, []]);
    expect(overview.due(NOW + 5_000)).toEqual(['g']);
  });

  test('is due at once when the group has changed', () => {
    const overview = after(SOAKED);
    overview.putOff('g', NOW, 5_000);
    overview.update(state({ g: group(['a', 'b'], {}, NOW) }), NOW);
    expect(overview.due(NOW)).toEqual(['g']);
  });

  test('puts off no end of a freeze', () => {
    const freeze = { since: NOW, until: NOW + 1_000, by: 'admin:ann', reason: '' };
    const overview = after(state({ g: group(['a'], { freeze }, NOW) }));
    overview.putOff('g', NOW, 5_000);
    expect(overview.next(NOW)).toBe(NOW + 1_000);
  });
});
