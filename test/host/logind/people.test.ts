import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isIdle, peopleIn } from '../../../src/host/logind/people.ts';
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
const CLASSES = ['user', 'user-early'];

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
    expect(peopleIn([{ ...CORE, class: name, state }], CLASSES)).toHaveLength(counts ? 1 : 0);
  });

  test('are among the sessions, in their order, and those that count do so alone too', () => {
    fc.assert(
      fc.property(sessions, (some) => {
        const all = some.map((one) => ({ ...CORE, ...one }));
        const people = peopleIn(all, CLASSES);
        expect(people).toEqual(all.filter((one) => peopleIn([one], CLASSES).length > 0));
      }),
    );
  });
});

describe('a session', () => {
  test.each([
    [0, NOW - 1e9, false],
    [60_000, null, false],
    [60_000, NOW - 59_999, false],
    [60_000, NOW - 60_000, false],
    [60_000, NOW - 60_001, true],
    // The clock was set back: nobody can be idle since tomorrow.
    [60_000, NOW + 1e9, false],
  ])('with a limit of %s ms, idle since %s, is idle: %s', (idleMs, idleSince, idle) => {
    expect(isIdle({ ...CORE, idleSince }, idleMs, NOW)).toBe(idle);
  });

  test('that is idle with a longer limit is with a shorter one, and with none never', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.nat(10_000), fc.nat(30_000), (idleMs, more, ago) => {
        const session = { ...CORE, idleSince: NOW - ago };
        if (isIdle(session, idleMs + more, NOW)) expect(isIdle(session, idleMs, NOW)).toBe(true);
        expect(isIdle(session, 0, NOW)).toBe(false);
      }),
    );
  });
});
