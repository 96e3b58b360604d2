import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Sight, type Watch, downIn, median, newWatch, see } from '../../../src/sim/fleet/watch.ts';

/** Sights one after the other, a millisecond each, written `host sight`. */
function watched(slots: number, ...sights: readonly string[]): Watch {
  return sights.reduce((watch, sight, at) => {
    const [host = '', kind = ''] = sight.split(' ');
    return see(watch, host, kind as Sight, at);
  }, newWatch(slots));
}

const REBOOT = ['asks', 'calls', 'shuts', 'boots', 'steady'] as const;
const reboot = (host: string): readonly string[] => REBOOT.map((sight) => `${host} ${sight}`);

describe('the watch over a fleet', () => {
  test('sees nothing wrong with hosts that reboot one after the other', () => {
    const watch = watched(1, ...reboot('a'), ...reboot('b'), ...reboot('a'));
    expect(watch).toMatchObject({ most: 1, fault: null });
    expect(downIn(watch)).toEqual([]);
  });

  test('names the hosts when two are down with one slot', () => {
    const watch = watched(1, 'a asks', 'b asks', 'a calls', 'a shuts', 'b shuts');
    expect(watch.fault).toBe('2 hosts were down at once with 1 slot: a, b');
    expect(watch.most).toBe(2);
  });

  test('takes a host as down from the call of finalize', () => {
    expect(watched(1, 'a calls', 'b calls').fault).toContain('a, b');
  });

  test('takes a host as down until it is steady, not only until it has booted', () => {
    expect(watched(1, 'a calls', 'a shuts', 'a boots', 'b calls').fault).toContain('a, b');
    expect(watched(1, ...reboot('a'), 'b calls').fault).toBeNull();
  });

  test('takes a reboot that nobody asked for as one', () => {
    expect(watched(1, 'a shuts', 'b calls').fault).toContain('a, b');
  });

  test('keeps the first fault', () => {
    const watch = watched(1, 'a calls', 'b calls', 'c calls', ...reboot('a'));
    expect(watch.fault).toBe('2 hosts were down at once with 1 slot: a, b');
    expect(watch.most).toBe(3);
  });

  test('lets as many be down as there are slots', () => {
    expect(watched(2, 'a calls', 'b calls')).toMatchObject({ most: 2, fault: null });
    expect(watched(2, 'a calls', 'b calls', 'c calls').fault).toBe('3 hosts were down at once with 2 slots: a, b, c');
  });

  test.each(['asks', 'rests'])('knows that a host stays up when finalize came to nothing and it %s', (sight) => {
    expect(watched(1, 'a calls', `a ${sight}`, 'b calls').fault).toBeNull();
  });

  test('says when a slot is given back while its host is down', () => {
    expect(watched(1, 'a calls', 'a shuts', 'a steady').fault).toBe('a gave its slot back while it was down');
  });

  test('measures how soon the next one goes, when somebody waits', () => {
    const watch = watched(1, 'a asks', 'a calls', 'b asks', 'a shuts', 'a boots', 'a steady', 'c rests', 'b calls');
    expect(watch.gaps).toEqual([2]);
  });

  test('measures nothing when nobody waits, or a slot was free anyway', () => {
    expect(watched(1, ...reboot('a'), ...reboot('b')).gaps).toEqual([]);
    expect(watched(2, 'a calls', 'b asks', 'a shuts', 'a boots', 'a steady', 'b calls').gaps).toEqual([]);
    expect(watched(1, 'a calls', 'b asks', 'a shuts', 'a boots', 'a steady', 'b rests', 'b calls').gaps).toEqual([]);
  });

  test('finds a fault exactly when reboots overlap more than the slots allow', () => {
    const hosts = ['a', 'b', 'c', 'd'];
    const turns = fc.array(fc.constantFrom(...hosts), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(turns, fc.integer({ min: 1, max: 4 }), (order, slots) => {
        const steps = new Map<string, number>();
        const sights: string[] = [];
        let most = 0;
        for (const host of order) {
          const step = steps.get(host) ?? 0;
          sights.push(`${host} ${REBOOT[step % REBOOT.length] ?? ''}`);
          steps.set(host, step + 1);
          // Between its second step and its last one a host is down.
          most = Math.max(most, [...steps.values()].filter((done) => done % REBOOT.length >= 2).length);
        }
        const watch = watched(slots, ...sights);
        expect(watch.most).toBe(most);
        expect(watch.fault !== null).toBe(most > slots);
      }),
    );
  });
});

test('the median is the middle, of an even number the mean of both in the middle', () => {
  expect(median([])).toBeNull();
  expect(median([10, 9, 1])).toBe(9);
  expect(median([1, 10, 2, 3])).toBe(2.5);
});
