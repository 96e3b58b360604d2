import { describe, expect, test } from 'vitest';
import type { Settings } from '../../../src/agent/machine/state.ts';
import type { Driver } from '../../support/agent-driver.ts';
import {
  HOUR,
  INTERVAL,
  MINUTE,
  SECOND,
  graph,
  lockAt,
  reading,
  stagedDeployment,
} from '../../support/agent-builders.ts';
import { held } from '../../support/agent-situations.ts';

const A = lockAt('a');
const IN_FLEET = { lock: A };

function reconfigure(driver: Driver, change: Partial<Settings>): void {
  driver.send({ kind: 'configured', settings: { ...driver.state.settings, ...change } });
}

/** A graph that leads to none of these any more, twice. */
function withdraws(driver: Driver): void {
  for (let count = 0; count < 2; count += 1) {
    driver.pass(2 * INTERVAL);
    driver.graphRead(graph([1, 2], [[1, 2]]));
  }
}

/** What ends a wait for the slot, and the phase that follows. */
const ENDINGS: readonly (readonly [string, (driver: Driver) => unknown, string])[] = [
  ['a pause', (driver) => driver.send({ kind: 'pause', by: 'root', until: null, reason: '' }), 'holding'],
  ['a skip', (driver) => driver.send({ kind: 'skip', by: 'root', version: '42.2' }), 'watching'],
  ['updates that are disabled', (driver) => reconfigure(driver, { enabled: false }), 'disabled'],
  ['another lock server', (driver) => reconfigure(driver, { lock: lockAt('b') }), 'holding'],
  ['another group', (driver) => reconfigure(driver, { lock: lockAt('a', 'db') }), 'holding'],
  ['no lock server any more', (driver) => reconfigure(driver, { lock: null }), 'holding'],
  ['a configuration that closes a gate', (driver) => reconfigure(driver, { minUptimeMs: 90 * 24 * HOUR }), 'holding'],
  ['a newer release', (driver) => (driver.pass(2 * INTERVAL), driver.graphRead(graph([1, 2, 3]))), 'staging'],
  ['a release that is withdrawn', withdraws, 'watching'],
  [
    'a staged deployment that is replaced',
    (driver) => (driver.send({ kind: 'hostChanged' }), driver.looked(reading(driver.mono, 1, stagedDeployment(9)))),
    'watching',
  ],
  [
    'a staged deployment that is gone',
    (driver) => (driver.send({ kind: 'hostChanged' }), driver.looked(reading(driver.mono, 1))),
    'staging',
  ],
  ['rpm-ostree that is gone', (driver) => (driver.send({ kind: 'hostChanged' }), driver.fails('look')), 'holding'],
  ['the end of the agent', (driver) => driver.send({ kind: 'stop', hostGoesDown: false }), 'holding'],
];

describe('while the slot is waited for', () => {
  test('the graph is asked as often as ever', () => {
    const driver = held(IN_FLEET);
    for (let count = 0; count < 3; count += 1) {
      driver.pass(2 * INTERVAL);
      driver.graphRead(graph([1, 2]));
      expect([driver.phase, driver.asked]).toEqual(['releasing', ['lock']]);
    }
    expect(driver.cancelled).toEqual([]);
  });

  test('once the slot is ours, it is not', () => {
    const driver = held(IN_FLEET);
    driver.granted();
    driver.pass(2 * INTERVAL);
    expect(driver.asked).toEqual(['look']);
  });

  test.each(ENDINGS)('%s ends the wait', (_, happens, phase) => {
    const driver = held(IN_FLEET);
    const { id } = driver.question('lock');
    happens(driver);
    expect([driver.phase, driver.cancelled]).toEqual([phase, [id]]);
    // Nothing goes back before the question is over: the two could swap places on their way.
    expect(driver.written?.slot).toMatchObject(A);
    expect(driver.open.filter((effect) => effect.kind === 'report')).not.toMatchObject([{ lock: A }]);
    driver.pass(SECOND);
    driver.send({ kind: 'tick' });
    expect(driver.cancelled, 'given up once').toEqual([id]);
    driver.fails('lock', 'unknown', 'cancelled');
    expect(driver.written).toMatchObject({
      slot: null,
      owed: expect.arrayContaining([expect.objectContaining(A)]) as unknown,
    });
    expect(driver.state.troubles.slot, 'no trouble').toBeUndefined();
    expect(driver.asked).toContain('report');
  });

  test.each(ENDINGS)('%s: a slot that is granted all the same is given back', (_, happens) => {
    const driver = held(IN_FLEET);
    happens(driver);
    driver.granted();
    expect(driver.written).toMatchObject({
      slot: null,
      owed: expect.arrayContaining([expect.objectContaining(A)]) as unknown,
    });
    expect(driver.asked).not.toContain('finalize');
  });

  test.each(ENDINGS)('%s: a refusal all the same leaves nothing to give back', (_, happens) => {
    const driver = held(IN_FLEET);
    happens(driver);
    driver.refused('HTTP 409: slots_full');
    expect(driver.written?.slot).toBeNull();
    expect(driver.written?.owed).not.toContainEqual(A);
  });

  test('a pause that ends before the question does asks again, with the record kept', () => {
    const driver = held(IN_FLEET);
    driver.send({ kind: 'pause', by: 'root', until: null, reason: '' });
    driver.send({ kind: 'resume', by: 'root' });
    expect([driver.phase, driver.asked, driver.cancelled.length]).toEqual(['holding', ['lock'], 1]);
    driver.fails('lock', 'unknown', 'cancelled');
    expect([driver.phase, driver.asked]).toEqual(['releasing', ['lock']]);
    expect(driver.written).toMatchObject({ slot: { ...A, state: 'doubtful' }, owed: [] });
    driver.granted();
    expect(driver.written?.slot?.state).toBe('held');
  });

  test('the new release is staged when the slot of the old one has been given back', () => {
    const driver = held(IN_FLEET);
    driver.pass(2 * INTERVAL);
    driver.graphRead(graph([1, 2, 3]));
    driver.discarded(reading(driver.mono, 1));
    expect(driver.asked).toEqual(['lock']);
    driver.fails('lock', 'unknown', 'cancelled');
    expect(driver.asked).toEqual(['report', 'stage']);
  });

  test('a host that goes down keeps what it may hold', () => {
    const driver = held(IN_FLEET);
    driver.send({ kind: 'stop', hostGoesDown: true });
    expect(driver.cancelled).toHaveLength(1);
    driver.fails('lock', 'unknown', 'cancelled');
    expect([driver.asked, driver.written?.slot]).toMatchObject([[], A]);
  });
});

describe('the time that the server is given', () => {
  test('is what is configured, for a slot', () => {
    expect(held({ ...IN_FLEET, lockWaitMs: 7 * SECOND }).question('lock').waitMs).toBe(7 * SECOND);
    expect(held({ ...IN_FLEET, lockWaitMs: 0 }).question('lock').waitMs).toBe(0);
  });

  test('ends with a refusal, after which the server is asked again when it says, but not at once', () => {
    const driver = held(IN_FLEET);
    driver.refused('HTTP 409: slots_full', 0);
    driver.pass(SECOND - 1);
    expect(driver.asked).toEqual([]);
    driver.pass(1);
    expect(driver.asked).toEqual(['lock']);
  });

  test('and asking again for hours fills no journal', () => {
    const driver = held(IN_FLEET);
    driver.refused('HTTP 409: slots_full', SECOND);
    const before = driver.said.filter((line) => !line.startsWith('debug')).length;
    for (let count = 0; count < 100; count += 1) {
      driver.pass(SECOND);
      driver.mono += 50 * SECOND;
      if (driver.asked.includes('fetchGraph')) driver.graphRead(graph([1, 2]));
      driver.refused('HTTP 409: slots_full', SECOND);
    }
    expect(driver.said.filter((line) => !line.startsWith('debug'))).toHaveLength(before);
    driver.pass(SECOND);
    driver.refused('HTTP 423: frozen: by ops', SECOND);
    expect(driver.said.at(-1)).toMatch(/^info: .*frozen/);
  });
});

describe('an answer that says nothing about the slot', () => {
  test('to the first question means that nothing is held', () => {
    const driver = held(IN_FLEET);
    driver.fails('lock', 'transient', 'HTTP 404 (check the path of updates.fleet_lock.base_url)');
    expect([driver.phase, driver.written?.slot]).toEqual(['holding', null]);
    expect(driver.said.join('\n')).toMatch(/warn: asking the lock manager: HTTP 404 \(check the path/);
    reconfigure(driver, { lock: lockAt('b') });
    expect(driver.memory.owed, 'the wrong address is owed nothing').toEqual([{ ...lockAt('b'), slot: false }]);
  });

  test('after a question whose outcome nobody knows keeps the slot, and says so', () => {
    const driver = held(IN_FLEET);
    driver.fails('lock', 'unknown', 'connect ETIMEDOUT');
    driver.pass(MINUTE);
    driver.fails('lock', 'transient', 'HTTP 401: unauthorized (check the token)');
    expect(driver.written?.slot).toMatchObject({ ...A, state: 'doubtful' });
    expect(driver.said.at(-1)).toMatch(/HTTP 401.*check the token.*; a slot that may be held already is kept/);
    driver.send({ kind: 'pause', by: 'root', until: null, reason: '' });
    expect(driver.written).toMatchObject({ slot: null, owed: [A] });
  });

  test('after a question that a restart interrupted keeps the slot as well', () => {
    const driver = held(IN_FLEET).restarted();
    driver.send({ kind: 'started' });
    driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
    driver.fails('lock', 'transient', 'HTTP 401: unauthorized');
    expect(driver.written?.slot).toMatchObject({ ...A, state: 'doubtful' });
  });

  test('to the confirmation of a slot that is held keeps it', () => {
    const driver = held(IN_FLEET);
    driver.granted();
    const next = driver.restarted();
    next.send({ kind: 'started' });
    next.looked(reading(next.mono, 1, stagedDeployment(2)));
    next.fails('lock', 'transient', 'HTTP 403: forbidden');
    expect(next.written?.slot).toMatchObject({ ...A, state: 'held' });
  });

  test("while the server's own refusal says for certain that nothing is held", () => {
    const driver = held(IN_FLEET);
    driver.fails('lock', 'unknown');
    driver.pass(MINUTE);
    driver.refused('HTTP 409: slots_full');
    expect(driver.written).toMatchObject({ slot: null, owed: [] });
  });
});
