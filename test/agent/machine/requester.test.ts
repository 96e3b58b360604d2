import { expect, test } from 'vitest';
import { requester } from '../../../src/agent/machine/requester.ts';
import { AROUND, SECOND, instant, person } from '../../support/agent-builders.ts';

const ANN = person('1');
const AT = instant(60 * SECOND);
const around = { ...AROUND, readAt: 50 * SECOND, people: [person('2', 'bob'), ANN] };

function denied(state: Parameters<typeof requester>[0], uid: number): string {
  const who = requester(state, uid, AT);
  return 'denied' in who ? who.denied : `allowed: ${who.user}`;
}

test('people who are logged in are known by the number of their user', () => {
  expect(requester({ around }, ANN.uid, AT)).toEqual({ user: 'ann' });
});

test('root may, logged in or not, and whatever is known', () => {
  for (const known of [around, null, { ...AROUND, people: null }])
    expect(requester({ around: known }, 0, AT)).toEqual({ user: 'root' });
});

test('others may not, and are told since when they are not known', () => {
  expect(denied({ around }, 4711)).toMatch(
    /^only root and people who are logged in .*4711 is not among them, as of 20/,
  );
  const stale = { ...around, readAt: -Infinity };
  expect(denied({ around: stale }, 4711)).toMatch(/4711 is not among them$/);
});

test('nobody else may while it is not known who is logged in', () => {
  expect(denied({ around: null }, ANN.uid)).toMatch('not known yet');
  expect(denied({ around: { ...AROUND, people: null } }, ANN.uid)).toMatch('logind cannot be read');
});
