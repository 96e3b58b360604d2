import { describe, expect, test } from 'vitest';
import { consentWithdrawn, isUnsettled } from '../../../src/agent/machine/consent.ts';
import {
  AROUND,
  HOUR,
  INTERVAL,
  MINUTE,
  SECOND,
  instant,
  lockAt,
  person,
  settings,
} from '../../support/agent-builders.ts';
import type { Driver } from '../../support/agent-driver.ts';
import { held, rebooting } from '../../support/agent-situations.ts';
import { arrived } from '../../support/agent-surrounded.ts';

function asked(driver: Driver): string | null {
  return consentWithdrawn(driver.state, instant(driver.mono));
}

describe('consent for a finalize that was decided on', () => {
  test('holds until 10 s after the last look: 5 s of them may be spent on a reading of what surrounds it', () => {
    const driver = rebooting({ lock: lockAt('a') });
    expect(asked(driver)).toBeNull();
    driver.mono += 10 * SECOND;
    expect(asked(driver)).toBeNull();
    driver.mono += 1;
    expect(asked(driver)).toBe('the host was last looked at more than 10 s ago');
  });

  test.each<[string, (driver: Driver) => void, RegExp]>([
    [
      'updates are disabled',
      (driver) => driver.send({ kind: 'configured', settings: settings({ enabled: false }) }),
      /updates\.enabled is false/,
    ],
    [
      'an administrator pauses',
      (driver) => driver.send({ kind: 'pause', by: 'root', until: null, reason: 'backup' }),
      /paused/,
    ],
    [
      'the configuration wants this host to be up for longer',
      (driver) => driver.send({ kind: 'configured', settings: settings({ minUptimeMs: 90 * 24 * HOUR }) }),
      /min_uptime_secs/,
    ],
    ['the release is skipped', (driver) => driver.send({ kind: 'skip', by: 'root', version: '42.2' }), /skipped/],
    ['the agent is told to stop', (driver) => driver.send({ kind: 'stop', hostGoesDown: false }), /stopping/],
  ])('ends when %s', (_, happens, reason) => {
    const driver = rebooting();
    happens(driver);
    expect(asked(driver)).toMatch(reason);
  });

  test('waits for what was told of since the last look around', () => {
    const { driver } = arrived();
    const settled = (): boolean => !isUnsettled(driver.state, instant(driver.mono));
    expect([asked(driver), settled()]).toEqual([null, true]);
    delete driver.auto.lookAround;
    driver.send({ kind: 'aroundChanged' });
    expect([asked(driver), settled()]).toEqual(['what surrounds the reboot is being looked at', false]);
    driver.pass(SECOND);
    expect([driver.asked, settled()]).toEqual([['finalize', 'lookAround'], false]);
    driver.lookedAround(AROUND);
    expect([asked(driver), settled()]).toEqual([null, true]);
  });

  test('is not there without a decision', () => {
    const driver = held({}, { pause: true });
    driver.pass(INTERVAL);
    expect(asked(driver)).toBe('it is no longer wanted');
  });
});

describe('what surrounds the reboot', () => {
  test('counts for 5 s, however often the host is looked at', () => {
    const { driver } = arrived();
    driver.pass(5 * SECOND);
    driver.send({ kind: 'hostChanged' });
    expect(asked(driver)).toBeNull();
    driver.pass(1);
    driver.send({ kind: 'hostChanged' });
    expect(asked(driver)).toBe('what surrounds the reboot was last looked at more than 5 s ago');
  });

  test('does not count as the present any more once a reading has failed', () => {
    const { driver } = arrived();
    delete driver.auto.lookAround;
    driver.pass(SECOND);
    driver.send({ kind: 'aroundChanged' });
    driver.fails('lookAround');
    expect(isUnsettled(driver.state, instant(driver.mono))).toBe(false);
    expect(asked(driver)).toBe('what surrounds the reboot was last looked at more than 5 s ago');
  });

  test('is somebody who came after the decision, and would be taken by surprise', () => {
    const host = arrived({ people: [person('1')] });
    host.driver.pass(11 * MINUTE);
    host.change({ people: [person('1'), person('2', 'bob')] });
    host.driver.send({ kind: 'hostChanged' });
    expect([host.driver.asked, asked(host.driver)]).toEqual([['finalize'], 'bob has logged in a moment ago']);
    host.change({ people: [person('1')] });
    host.driver.send({ kind: 'hostChanged' });
    expect(asked(host.driver)).toBeNull();
  });
});
