import { describe, expect, test } from 'vitest';
import { MOST_IDS, Presence, SEEN_MS } from '../../src/manager/presence.ts';

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

test('what one kept another takes over, the latest word first', () => {
  const [one, two] = [new Presence(), new Presence()];
  one.refused('a', NOW);
  one.heard('b', NOW);
  two.heard('a', NOW + 5_000);
  two.merge(one.dump(NOW));
  expect(two.waitingSince('a', NOW + 5_000)).toBeNull();
  expect(two.lastSeen('b')).toBe(NOW);
  const three = new Presence();
  three.merge(one.dump(NOW));
  expect(three.waiters(NOW, nobody)).toEqual([{ id: 'a', since: NOW, lastAsked: NOW, connected: false }]);
});

test.each(['', 'null', '[]', '{"ids":3}', '{"ids":[[],[1,2],["a"],["a","x"],["",1]]}'])(
  'what is not understood is left out: %s',
  (text) => {
    const presence = new Presence();
    presence.merge(text);
    expect(presence.count(NOW)).toBe(0);
  },
);
