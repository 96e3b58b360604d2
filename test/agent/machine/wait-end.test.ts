import { expect, test } from 'vitest';
import {
  BOOT_WALL,
  MINUTE,
  NODE_ID,
  SECOND,
  instant,
  lockAt,
  reading,
  stagedDeployment,
} from '../../support/agent-builders.ts';
import { held } from '../../support/agent-situations.ts';
import { createSchedule } from '../../../src/strategy/schedule.ts';

/** A window each day that opened with the boot. */
function windowOf(lengthMinutes: number): ReturnType<typeof createSchedule> {
  const startMinute = (BOOT_WALL % (24 * 60 * MINUTE)) / MINUTE;
  const daily = { kind: 'weekly', days: [0, 1, 2, 3, 4, 5, 6], startMinute, lengthMinutes, timeZone: null } as const;
  return createSchedule({ windows: [daily], timeZone: 'UTC', randomPlace: false, nodeId: NODE_ID, graceMs: 0 }, 'UTC');
}

test('a slot is waited for no longer than until the window ends', () => {
  const driver = held({ lock: lockAt('a'), lockWaitMs: 10 * MINUTE, schedule: windowOf(10) });
  const { waitMs } = driver.question('lock');
  expect(instant(driver.mono).wall + waitMs).toBe(BOOT_WALL + 10 * MINUTE);
  driver.pass(waitMs);
  expect([driver.phase, driver.cancelled.length]).toEqual(['holding', 1]);
});

test('a slot is waited for as long as configured when the window stays open for longer', () => {
  const driver = held({ lock: lockAt('a'), lockWaitMs: 50 * SECOND, schedule: windowOf(60) });
  expect(driver.question('lock').waitMs).toBe(50 * SECOND);
});

test('a slot that is granted as the window ends is given back', () => {
  const driver = held({ lock: lockAt('a'), lockWaitMs: 10 * MINUTE, schedule: windowOf(10) });
  driver.mono += driver.question('lock').waitMs;
  driver.granted();
  driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
  expect([driver.phase, driver.memory.slot]).toEqual(['holding', null]);
});

test('a window that ends while something else holds the reboot back is said, once', () => {
  const driver = held({ lock: lockAt('a'), schedule: windowOf(10) });
  const said = (): readonly string[] => driver.said.filter((line) => line.includes('outside of the reboot windows'));
  for (let minute = 0; minute < 40; minute += 1) {
    if (driver.asked.includes('lock')) driver.refused('another node reboots');
    driver.pass(MINUTE);
  }
  expect(said()).toHaveLength(1);
  expect(said()[0]).toMatch(/^info: .*; waiting: outside of the reboot windows, until/);
});
