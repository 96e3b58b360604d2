import { describe, expect, test } from 'vitest';
import { MOST_IDS, MOST_NOTE_BYTES, Presence, SEEN_MS } from '../../src/manager/presence.ts';

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const nobody = (): boolean => false;

describe('who waits', () => {
  test('keeps the time of the first refusal until a slot was had', () => {
    const presence = new Presence();
    presence.refused('a', NOW);
    presence.refused('a', NOW + 300_000);
    expect(presence.waitingSince('a', NOW + 300_000)).toBe(NOW);
    presence.heard('a', NOW + 600_000);
    expect(presence.waitingSince('a', NOW + 600_000)).toBeNull();
    presence.refused('a', NOW + 900_000);
    expect(presence.waitingSince('a', NOW + 900_000)).toBe(NOW + 900_000);
  });

  test('is nobody any more after an hour of silence', () => {
    const presence = new Presence();
    presence.refused('a', NOW);
    expect(presence.waiters(NOW + HOUR, nobody)).toHaveLength(1);
    expect(presence.waiters(NOW + HOUR + 1, nobody)).toHaveLength(0);
    presence.refused('a', NOW + 2 * HOUR);
    expect(presence.waitingSince('a', NOW + 2 * HOUR)).toBe(NOW + 2 * HOUR);
  });
});

describe('who was seen', () => {
  test('counts for 90 days', () => {
    const presence = new Presence();
    presence.heard('a', NOW);
    presence.heard('b', NOW + HOUR);
    expect(presence.count(NOW + SEEN_MS)).toBe(2);
    expect(presence.count(NOW + SEEN_MS + 1)).toBe(1);
    expect(presence.lastSeen('b')).toBe(NOW + HOUR);
  });

  test('is bounded: the one not heard of for the longest time is forgotten', () => {
    const presence = new Presence();
    for (let index = 0; index <= MOST_IDS; index += 1) presence.heard(`n${index}`, NOW + index);
    expect(presence.count(NOW + MOST_IDS)).toBe(MOST_IDS);
    expect(presence.lastSeen('n0')).toBeNull();
    expect(presence.lastSeen('n1')).toBe(NOW + 1);
  });

  test('is worth writing when somebody is new, or an hour has passed', () => {
    const presence = new Presence();
    expect(presence.dirty).toBe(false);
    presence.heard('a', NOW);
    expect(presence.dirty).toBe(true);
    presence.dump(NOW);
    presence.heard('a', NOW + 60_000);
    expect(presence.dirty).toBe(false);
    for (let minutes = 5; minutes <= 65; minutes += 5) presence.heard('a', NOW + minutes * 60_000);
    expect(presence.dirty).toBe(true);
  });
});

describe('a clock that goes back', () => {
  const DAY = 24 * HOUR;

  test('makes nobody wait since a moment to come', () => {
    const presence = new Presence();
    presence.refused('a', NOW);
    expect(presence.waitingSince('a', NOW - DAY)).toBe(NOW - DAY);
    expect(presence.waiters(NOW - DAY, nobody)).toMatchObject([{ since: NOW - DAY, lastAsked: NOW - DAY }]);
    expect(presence.waiters(NOW - DAY + HOUR + 1, nobody)).toEqual([]);
  });

  test('does not make what is kept newer than what is heard', () => {
    const [ahead, presence] = [new Presence(), new Presence()];
    ahead.refused('a', NOW + DAY);
    presence.merge(ahead.dump(NOW + DAY), NOW);
    expect(presence.lastSeen('a')).toBe(NOW);
  });
});

describe('memory', () => {
  test('is told roughly, and goes with what is forgotten', () => {
    const presence = new Presence();
    presence.refused('a', NOW);
    presence.heard('b', NOW + 1);
    presence.refused('b'.repeat(1000), NOW + 2);
    expect(presence.bytes).toBeGreaterThan(1000);
    presence.shrink(500);
    expect(presence.lastSeen('a')).toBeNull();
    expect(presence.bytes).toBeLessThanOrEqual(500);
    presence.shrink(0);
    expect(presence.bytes).toBe(0);
    expect(presence.count(NOW)).toBe(0);
  });

  test('is kept longest for those who hold a slot or wait for the answer', () => {
    const presence = new Presence((id) => id === 'held');
    presence.heard('held', NOW);
    for (let index = 0; index < 100; index += 1) presence.heard(`n${index}`, NOW + 1 + index);
    presence.shrink(500);
    expect(presence.lastSeen('held')).toBe(NOW);
    expect(presence.lastSeen('n99')).toBe(NOW + 100);
    expect(presence.lastSeen('n0')).toBeNull();
  });
});

describe('a note', () => {
  test('has room for those heard of last, however long their ids, and is read back', () => {
    const presence = new Presence();
    const id = (index: number): string => `${'\u4e2d'.repeat(500)}${index}`;
    for (let index = 0; index < 1000; index += 1) presence.refused(id(index), NOW + index * 1000);
    const text = presence.dump(NOW + 1_000_000);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MOST_NOTE_BYTES);
    const again = new Presence();
    again.merge(text, NOW + 1_000_000);
    expect(again.lastSeen(id(999))).toBe(NOW + 999_000);
    expect(again.lastSeen(id(0))).toBeNull();
    expect(again.count(NOW)).toBeGreaterThan(300);
  });

  test('that is too long is left out', () => {
    const presence = new Presence();
    presence.merge(JSON.stringify({ layout: 1, ids: [['x'.repeat(MOST_NOTE_BYTES), 1]] }), NOW);
    expect(presence.count(NOW)).toBe(0);
  });
});

test('what one kept another takes over, the latest word first', () => {
  const [one, two] = [new Presence(), new Presence()];
  one.refused('a', NOW);
  one.heard('b', NOW);
  two.heard('a', NOW + 5_000);
  two.merge(one.dump(NOW), NOW);
  expect(two.waitingSince('a', NOW + 5_000)).toBeNull();
  expect(two.lastSeen('b')).toBe(NOW);
  const three = new Presence();
  three.merge(one.dump(NOW), NOW);
  expect(three.waiters(NOW, nobody)).toEqual([{ id: 'a', since: NOW, lastAsked: NOW, connected: false }]);
});

test.each(['', 'null', '[]', '{"ids":3}', '{"ids":[[],[1,2],["a"],["a","x"],["",1]]}'])(
  'what is not understood is left out: %s',
  (text) => {
    const presence = new Presence();
    presence.merge(text, NOW);
    expect(presence.count(NOW)).toBe(0);
  },
);
