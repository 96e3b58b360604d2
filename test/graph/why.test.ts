import { describe, expect, test } from 'vitest';
import { type Denial, type Verdict, choose } from '../../src/graph/choose.ts';
import { explainPath, path } from '../../src/graph/route.ts';
import type { RolloutWait } from '../../src/graph/wait.ts';
import { explainChoice, explainVerdict } from '../../src/graph/why.ts';
import { graphOf, readGraph, release, versionOf } from './fixtures.ts';

const AT = Date.parse('2026-07-24T10:00:00Z');
const wait = (state: RolloutWait['state'], at: number | null): RolloutWait => {
  return { version: '44.2', state, at, share: 0.319, wariness: 0.6249 };
};
const denial: Denial = { kind: 'quarantined', reason: 'did not boot twice' };

describe('a verdict in one sentence', () => {
  test.each<[Verdict, string]>([
    [
      { kind: 'notInGraph', empty: true, unusable: 24 },
      'none of the 24 nodes of the update graph can be used here: they are of the other scheme, or malformed',
    ],
    [{ kind: 'notInGraph', empty: true }, 'the update graph is empty: the server may not have read its data yet'],
    [
      { kind: 'notInGraph', empty: false },
      'the booted release is not in the update graph: no update until it is listed there',
    ],
    [
      { kind: 'deadEnd', version: '38.1', reason: 'issue 1441' },
      '38.1 is a dead end (issue 1441): no update leads away from it',
    ],
    [{ kind: 'newest', version: '44.1' }, '44.1 is the newest release'],
    [
      { kind: 'noPath', version: '44.1', newest: '44.3' },
      'the update graph has newer releases (up to 44.3), but no way from 44.1 to them',
    ],
    [
      { kind: 'rollout', version: '44.1', wait: wait('notReached', AT) },
      "44.2 reaches this host at about 2026-07-24T10:00:00Z (rollout at 31 %, this host's wariness is 0.62)",
    ],
    [
      { kind: 'rollout', version: '44.1', wait: { ...wait('notStarted', AT), share: 0, wariness: 0.001 } },
      "44.2 reaches this host at about 2026-07-24T10:00:00Z (its rollout has not started, this host's wariness is below 0.01)",
    ],
    [
      { kind: 'rollout', version: '44.1', wait: wait('paused', null) },
      "44.2 does not reach this host: its rollout is paused at 31 %, this host's wariness is 0.62",
    ],
    [
      { kind: 'rollout', version: '44.1', wait: wait('due', AT) },
      "44.2 should reach this host by now (rollout at 31 %, this host's wariness is 0.62), but is not offered yet",
    ],
    [
      { kind: 'denied', denied: [{ version: '44.1', barrier: false, denial }], wait: null },
      'no update is left to take: 44.1 is quarantined (did not boot twice)',
    ],
    [
      {
        kind: 'denied',
        denied: [
          { version: '44.1', barrier: false, denial: { kind: 'local', reason: 'it is on this host already' } },
          { version: '43.9', barrier: true, denial: { kind: 'skipped', reason: 'by an administrator' } },
        ],
        wait: wait('notReached', AT),
      },
      'no update is left to take: 44.1 is not taken again (it is on this host already), 43.9 is skipped (by an administrator); ' +
        '43.9 is a barrier, nothing behind it can be reached; ' +
        "44.2 reaches this host at about 2026-07-24T10:00:00Z (rollout at 31 %, this host's wariness is 0.62)",
    ],
    [
      { kind: 'denied', denied: Array(5).fill({ version: '44.1', barrier: false, denial }), wait: null },
      'no update is left to take: 44.1 is quarantined (did not boot twice), 44.1 is quarantined (did not boot twice), ' +
        '44.1 is quarantined (did not boot twice), and 2 more',
    ],
    [
      { kind: 'downgradeRefused', version: '44.2', offered: '44.1' },
      'the update graph offers only 44.1, which is not newer than 44.2: refused unless updates.allow_downgrade is set',
    ],
  ])('%j', (verdict, sentence) => {
    expect(explainVerdict(verdict)).toBe(sentence);
  });
});

test('a choice in one sentence', () => {
  const graph = graphOf(
    [release(1), release(2, { barrier: 'new signing key' }), release(3)],
    [
      [0, 1],
      [0, 2],
    ],
  );
  const deny = ({ version }: { version: string }): Denial | null => (version === '40.3' ? denial : null);
  const wariness = { configured: 1, nodeId: '' };
  const query = { booted: release(1), deny, allowDowngrade: false, now: 0, wariness };
  expect(explainChoice(choose(graph, query))).toBe(
    'update to 40.2 (a barrier: new signing key); passed over: 40.3 is quarantined (did not boot twice)',
  );
  expect(explainChoice(choose(graph, { ...query, booted: release(3) }))).toBe('40.3 is the newest release');
});

describe('the way to the newest release', () => {
  const graph = readGraph('stable-x86_64-checksum', 'checksum');
  const versions = graph.releases.filter((_, position) => graph.edges[position]!.length > 0);
  const oldest = versions.reduce((best, one) => (one.ageIndex < best.ageIndex ? one : best));

  test('is 20 updates long from the oldest, with the next barrier', () => {
    const way = path(graph, oldest);
    expect(way).toHaveLength(20);
    expect(way?.at(-1)?.version).toBe('44.20260707.3.1');
    expect(explainPath(way)).toMatch(/^20 updates to 44\.20260707\.3\.1, next barrier \d\S+$/);
  });

  test('is one update from the release before', () => {
    expect(explainPath(path(graph, versionOf(graph, '44.20260621.3.1')))).toBe('1 update to 44.20260707.3.1');
  });

  test('is nothing from the newest, and unknown from a release that is not there', () => {
    expect(path(graph, versionOf(graph, '44.20260707.3.1'))).toEqual([]);
    expect(path(graph, release(1))).toBeNull();
    expect(explainPath([])).toBe('');
    expect(explainPath(null)).toBe('');
  });

  test('does not lead out of a dead end, nor in circles', () => {
    const circle = graphOf(
      [release(1), release(2), release(3, { deadEnd: 'x' }), release(4)],
      [
        [0, 1],
        [1, 0],
        [1, 2],
        [2, 3],
      ],
    );
    expect(path(circle, release(1))?.map(({ version }) => version)).toEqual(['40.2', '40.3']);
  });
});
