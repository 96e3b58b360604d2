import { describe, expect, test } from 'vitest';
import { MINUTE, SECOND, instant, lockAt, person, settings, aroundRules } from '../../support/agent-builders.ts';
import type { Driver } from '../../support/agent-driver.ts';
import { IN_FLEET, arrived, surrounded } from '../../support/agent-surrounded.ts';
import { SOON_MS } from '../../../src/agent/machine/turn.ts';

const BACKUP = { who: 'backup', why: 'copying' };

function looks({ log }: Driver): number {
  return log.filter((kind) => kind === 'lookAround').length;
}

describe('the surroundings are read anew', () => {
  test('after the grant, also when they were read a moment before it', () => {
    const host = arrived({}, {}, IN_FLEET);
    host.change({});
    host.driver.pass(1);
    host.silently({ blockers: [BACKUP] });
    host.driver.granted();
    expect([host.driver.phase, host.driver.log.includes('finalize')]).toEqual(['holding', false]);
  });

  test('after the hooks that act, also when they were read a moment before their end', () => {
    const host = arrived({ hooks: ['pre-reboot', 'reboot-cancelled'] }, {}, IN_FLEET);
    host.answers['pre-reboot'] = null;
    host.driver.granted();
    host.change({});
    host.driver.pass(1);
    host.silently({ blockers: [BACKUP] });
    host.hooked();
    expect([host.driver.log.includes('finalize'), host.ran.at(-1)]).toEqual([false, 'reboot-cancelled']);
  });

  test('before finalize of a host that asks nobody, when its last gate opens by itself', () => {
    const host = arrived({}, {}, { minUptimeMs: 10 * MINUTE + 30 * SECOND });
    expect(host.driver.phase).toBe('holding');
    host.driver.pass(10 * MINUTE + 29 * SECOND - host.driver.mono);
    host.silently({ blockers: [BACKUP] });
    host.driver.pass(2 * SECOND);
    expect([host.driver.phase, host.driver.log.includes('finalize')]).toEqual(['holding', false]);
  });

  test('before a finalize is repeated whose outcome nobody knows', () => {
    const host = arrived();
    host.driver.dice = 1;
    host.driver.fails('finalize', 'unknown', 'no answer');
    host.silently({ blockers: [BACKUP] });
    host.driver.pass(30 * SECOND);
    expect([host.driver.phase, host.driver.asked]).toEqual(['rebooting', []]);
  });

  test('at most twice a second, however often something changes', () => {
    const { driver } = arrived({ holds: [{ name: 'ansible', reason: 'runs', since: 0, until: null }] });
    driver.pass(2 * SECOND);
    const before = looks(driver);
    for (let ms = 0; ms < 10 * SOON_MS; ms += 10) {
      driver.send({ kind: 'aroundChanged' });
      driver.pass(10);
    }
    expect(looks(driver) - before).toBeLessThanOrEqual(11);
  });
});

test('a lock that is configured while people have their last notice is asked at once, and before the hooks that act', () => {
  const host = arrived({ people: [person('1')], hooks: ['pre-reboot'] }, {}, IN_FLEET);
  const { driver } = host;
  const rules = { around: aroundRules() };
  driver.send({ kind: 'configured', settings: settings(rules) });
  driver.pass(10 * MINUTE);
  expect([driver.phase, driver.asked]).toEqual(['releasing', []]);
  // It knows already that this host is steady: no report comes before the question.
  driver.send({ kind: 'configured', settings: settings({ ...rules, lock: lockAt('a') }) });
  expect(driver.question('lock')).toMatchObject({ lock: lockAt('a'), waitMs: 50 * SECOND });
  driver.pass(2 * MINUTE);
  expect([driver.phase, driver.asked, host.ran]).toEqual(['releasing', ['lock'], []]);
  driver.granted();
  driver.pass(MINUTE);
  expect([driver.asked, host.ran]).toEqual([['finalize'], ['pre-reboot']]);
});

describe('an agent to which nothing happens', () => {
  /** How often it wakes in ten minutes. */
  function wakes(driver: Driver): number {
    let count = 0;
    for (const end = driver.mono + 10 * MINUTE; driver.mono < end && count < 1_000; count += 1) {
      const { wakeAt } = driver.state;
      if (wakeAt === null) return count;
      driver.mono = Math.max(driver.mono, wakeAt);
      driver.send({ kind: 'tick' });
    }
    return count;
  }

  test('sleeps while a refusal of hooks is over and another gate is closed', () => {
    const host = surrounded({ hooks: ['may-reboot'] });
    host.answers['may-reboot'] = { kind: 'not-now', text: '10: later' };
    while (['starting', 'watching', 'staging'].includes(host.driver.phase)) host.driver.tick();
    host.change({ blockers: [{ who: 'dnf', why: 'installs' }] });
    expect(wakes(host.driver)).toBeLessThan(60);
  });

  test('sleeps when post-boot hooks that failed are gone', () => {
    const host = surrounded();
    host.answers['post-boot'] = { kind: 'failed', text: '10: no' };
    host.change({ hooks: ['post-boot'] });
    expect(host.ran).toEqual(['post-boot']);
    host.change({ hooks: [] });
    expect(wakes(host.driver)).toBeLessThan(60);
  });

  test('is told of each gate that opens', () => {
    const { driver } = arrived({}, {}, { minUptimeMs: 4 * MINUTE });
    driver.send({ kind: 'pause', by: 'root', until: instant(driver.mono).wall + 10 * SECOND, reason: '' });
    driver.pass(11 * SECOND);
    expect(driver.said.at(-1)).not.toContain('paused');
  });
});

test('a slot is not kept while the surroundings cannot be read in peace', () => {
  const host = arrived({}, {}, IN_FLEET);
  const { driver } = host;
  delete driver.auto.lookAround;
  driver.granted();
  // Each reading takes three seconds, and something changes during it.
  for (let seconds = 0; seconds < 120 && driver.memory.slot !== null; seconds += 1) {
    driver.send({ kind: 'aroundChanged' });
    driver.pass(SECOND);
    if (seconds % 3 === 0 && driver.asked.includes('lookAround')) driver.lookedAround({}, 3 * SECOND);
  }
  expect([driver.phase, driver.memory.slot]).toEqual(['holding', null]);
});

test('a slot is given back when the surroundings cannot be read at all', () => {
  const host = arrived({}, {}, IN_FLEET);
  const { driver } = host;
  driver.auto.lookAround = () => driver.fails('lookAround');
  driver.granted();
  driver.pass(10 * SECOND);
  expect([driver.phase, driver.memory.slot]).toEqual(['holding', null]);
});
