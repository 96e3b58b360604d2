import { expect, test } from 'vitest';
import type { FleetStatus } from '../../src/manager/api.ts';
import { noticesBetween } from '../../src/manager/notices.ts';
import { AT, fleet, group, HOUR } from '../support/manager-status.ts';

function told(before: FleetStatus | null, after: FleetStatus): readonly string[] {
  return noticesBetween(before, after).map(({ event, text }) => `${event}: ${text}`);
}

const HOLDER = { id: 'n1', since: AT - 2 * HOUR, soakUntil: null, stale: false, lastSeen: null };
const FREEZE = { since: AT, until: null, by: 'admin:ann', reason: 'a holiday' };

test('a holder that becomes stale is told once, with the command that releases it', () => {
  const before = fleet([group('workers', { holders: [HOLDER] })]);
  const after = fleet([group('workers', { holders: [{ ...HOLDER, stale: true }] })]);
  expect(told(before, after)).toEqual([
    'stale: group workers: n1 holds a slot since 2026-07-23T12:00:00Z (2 h) and has not come back; it keeps the slot until it reports, or until somebody runs: holdpoint manager unlock --force --reason TEXT --group workers n1',
  ]);
  expect(told(after, after)).toEqual([]);
  expect(told(after, fleet([group('workers')]))).toEqual([
    'returned: group workers: n1, which had held a slot for long, has come back',
  ]);
});

test('what is wrong at the start is told then', () => {
  const after = fleet(
    [group('workers', { halted: true, problem: 'key x: not JSON', holders: [{ ...HOLDER, stale: true }] })],
    {
      freeze: FREEZE,
    },
  );
  expect(noticesBetween(null, after).map(({ event }) => event)).toEqual(['frozen', 'stale', 'halted', 'unreadable']);
});

test('a freeze is told when it begins, changes, is lifted, and ends by itself', () => {
  const [calm, frozen] = [fleet([group('workers')]), fleet([group('workers', { freeze: FREEZE })])];
  expect(told(calm, frozen)).toEqual([
    'frozen: group workers: no new grants, by the word of admin:ann, until it is thawed (a holiday)',
  ]);
  const longer = fleet([group('workers', { freeze: { ...FREEZE, until: AT + HOUR } })]);
  expect(told(frozen, longer)).toEqual([
    'frozen: group workers: no new grants, by the word of admin:ann, until 2026-07-23T15:00:00Z (a holiday)',
  ]);
  expect(told(longer, { ...longer, at: AT + HOUR })).toEqual([
    'thawed: group workers: grants go on: the freeze is over',
  ]);
  expect(told(frozen, calm)).toEqual(['thawed: group workers: grants go on: the freeze is over']);
});

test('a halt is told, and its end', () => {
  const [calm, halted] = [fleet([group('workers')]), fleet([group('workers', { halted: true })])];
  expect(told(calm, halted)).toEqual([
    'halted: group workers: no new grants, since too many holders did not come back; a release may be bad',
  ]);
  expect(told(halted, calm)).toEqual(['resumed: group workers: grants go on: fewer holders are stale']);
});
