import { describe, expect, test } from 'vitest';
import { statusLine } from '../../../src/agent/machine/explain.ts';
import { HOUR, instant, lockAt, reading, stagedDeployment } from '../../support/agent-builders.ts';
import type { Driver } from '../../support/agent-driver.ts';
import { held, rebooting, settled } from '../../support/agent-situations.ts';

const BLOCKED = 'finalizing 42.2: Reboot blocked by a systemd inhibitor lock: backup (copying)';

/** Goes on until finalize is called, with all questions on the way answered yes. */
function toFinalize(driver: Driver): void {
  for (let steps = 0; !driver.asked.includes('finalize'); steps += 1) {
    if (steps === 100) throw new Error(`no finalize; ${driver.phase}, open: ${driver.asked.join(', ')}`);
    if (driver.asked.includes('look')) driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
    else if (driver.asked.includes('report')) driver.reported();
    else if (driver.asked.includes('lock')) driver.granted();
    else driver.tick();
  }
}

/** Lines that are shown by default. */
function shown(driver: Driver): readonly string[] {
  return driver.said.filter((line) => !line.startsWith('debug: '));
}

describe.each([
  ['without a lock', {}],
  ['with a lock', { lock: lockAt('a') }],
])('a reboot that is blocked for hours, %s', (_, change) => {
  test('is said when it begins and at every doubling, and not at each try', () => {
    const driver = rebooting(change);
    driver.said.length = 0;
    for (let tries = 1; tries <= 20; tries += 1) {
      toFinalize(driver);
      driver.fails('finalize', 'transient', BLOCKED);
    }
    const lines = shown(driver).filter((line) => line.includes('Reboot blocked'));
    expect(lines.map((line) => /^warn: .*\(attempt (\d+),/.exec(line)?.[1])).toEqual(['1', '2', '4', '8', '16']);
    // The first time what was given back is said as well; from then on nothing else is news.
    expect(shown(driver).length - lines.length).toBeLessThanOrEqual(2);
  });

  test('that is then not blocked any more is said to be over', () => {
    const driver = rebooting(change);
    for (let tries = 1; tries <= 2; tries += 1) {
      toFinalize(driver);
      driver.fails('finalize', 'transient', BLOCKED);
    }
    toFinalize(driver);
    driver.said.length = 0;
    driver.finalized();
    expect(shown(driver)).toEqual([
      expect.stringMatching(/^info: finalizing: over after 2 failures/),
      expect.stringMatching(/^info: rebooting into 42\.2 since/),
    ]);
  });

  test('is not called a reboot in the status while it is only being tried again', () => {
    const driver = rebooting(change);
    expect(statusLine(driver.state, instant(driver.mono))).toMatch(/^rebooting into 42\.2 since/);
    driver.fails('finalize', 'transient', BLOCKED);
    toFinalize(driver);
    const line = statusLine(driver.state, instant(driver.mono));
    expect(line).toMatch(/^42\.2 is staged; finalizing it again: .*Reboot blocked/);
    expect(line).not.toMatch('rebooting');
    driver.finalized();
    expect(statusLine(driver.state, instant(driver.mono))).toMatch(/^rebooting into 42\.2 since/);
  });

  test('does not hide what else keeps it back', () => {
    const driver = rebooting(change);
    driver.fails('finalize', 'transient', BLOCKED);
    driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
    expect(shown(driver).at(-1)).toMatch(/^info: 42\.2 is staged; waiting: paused by root/);
  });
});

describe('a host that comes up with a slot on record', () => {
  test('tells its lock server once that it is steady', () => {
    const lock = lockAt('a');
    const before = rebooting({ lock });
    before.finalized();
    // The address of the lock is known once the host has been read.
    const driver = before.restarted({ bootId: 'boot-2', settings: { ...before.state.settings, lock: null } });
    driver.send({ kind: 'started' });
    driver.reported();
    driver.send({ kind: 'configured', settings: before.state.settings });
    driver.looked(reading(driver.mono, 2));
    expect([driver.asked.includes('report'), driver.memory.owed]).toEqual([false, []]);
    expect(driver.log.filter((kind) => kind === 'report')).toHaveLength(1);
  });

  test('tells another server that is configured meanwhile', () => {
    const before = rebooting({ lock: lockAt('a') });
    before.finalized();
    const driver = before.restarted({ bootId: 'boot-2', settings: { ...before.state.settings, lock: null } });
    driver.send({ kind: 'started' });
    driver.reported();
    driver.send({ kind: 'configured', settings: { ...before.state.settings, lock: lockAt('b') } });
    expect(driver.question('report').lock).toEqual(lockAt('b'));
  });
});

test('a server that had a slot of ours since is told again', () => {
  const driver = settled({ lock: lockAt('a') });
  driver.send({ kind: 'configured', settings: { ...driver.state.settings, lock: null } });
  driver.send({ kind: 'configured', settings: { ...driver.state.settings, lock: lockAt('a') } });
  expect(driver.asked).not.toContain('report');
  const one = held({ lock: lockAt('a') });
  one.granted();
  one.send({ kind: 'configured', settings: { ...one.state.settings, lock: null } });
  expect(one.question('report').lock).toEqual(lockAt('a'));
  one.pass(HOUR);
});
