import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { peopleIn } from '../../../src/host/logind/people.ts';
import type { Session } from '../../../src/host/logind/session.ts';

const NOW = 1_700_000_000_000;
const CORE: Session = {
  id: '3',
  uid: 1000,
  user: 'core',
  tty: 'pts/0',
  kind: 'terminal',
  remote: true,
  remoteHost: null,
  class: 'user',
  state: 'active',
  idleSince: null,
};
const options = { classes: ['user', 'user-early'], idleMs: 0 };

const sessions = fc.array(
  fc.record({
    class: fc.constantFrom('user', 'user-early', 'greeter', 'manager', 'background'),
    state: fc.constantFrom('opening', 'online', 'active', 'closing'),
    idleSince: fc.option(fc.integer({ min: NOW - 10_000, max: NOW + 10_000 })),
  }),
);

describe('people', () => {
  test.each([
    ['user', 'active', true],
    ['user', 'online', true],
    ['user', 'opening', true],
    ['user', 'closing', false],
    ['user-early', 'active', true],
    ['greeter', 'active', false],
    ['manager', 'active', false],
    ['userland', 'active', false],
  ])('of class %s that are %s count: %s', (name, state, counts) => {
    expect(peopleIn([{ ...CORE, class: name, state }], options, NOW)).toHaveLength(counts ? 1 : 0);
  });

  test.each([
    [0, NOW - 1e9, true],
    [60_000, null, true],
    [60_000, NOW - 59_999, true],
    [60_000, NOW - 60_000, true],
    [60_000, NOW - 60_001, false],
    // The clock was set back: nobody can be idle since tomorrow.
    [60_000, NOW + 1e9, true],
  ])('with a limit of %s ms, idle since %s, count: %s', (idleMs, idleSince, counts) => {
    expect(peopleIn([{ ...CORE, idleSince }], { ...options, idleMs }, NOW)).toHaveLength(counts ? 1 : 0);
  });

  test('are among the sessions, in their order, and those that count do so alone too', () => {
    fc.assert(
      fc.property(sessions, fc.nat(10_000), (some, idleMs) => {
        const all = some.map((one) => ({ ...CORE, ...one }));
        const people = peopleIn(all, { ...options, idleMs }, NOW);
        expect(people).toEqual(all.filter((one) => peopleIn([one], { ...options, idleMs }, NOW).length > 0));
      }),
    );
  });

  test('are never fewer with a longer limit, and most with none', () => {
    fc.assert(
      fc.property(sessions, fc.integer({ min: 1, max: 10_000 }), fc.nat(10_000), (some, idleMs, more) => {
        const all = some.map((one) => ({ ...CORE, ...one }));
        const count = (limit: number): number => peopleIn(all, { ...options, idleMs: limit }, NOW).length;
        expect(count(idleMs)).toBeLessThanOrEqual(count(idleMs + more));
        expect(count(idleMs + more)).toBeLessThanOrEqual(count(0));
      }),
    );
  });
});
