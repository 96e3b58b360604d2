import { describe, expect, test } from 'vitest';
import { MINUTE, SECOND, lockAt, person, settings, aroundRules } from '../../support/agent-builders.ts';
import type { Driver } from '../../support/agent-driver.ts';
import { IN_FLEET, arrived } from '../../support/agent-surrounded.ts';
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
