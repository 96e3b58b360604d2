import { expect, test } from 'vitest';
import { createFreezes, type Freezes } from '../../../src/strategy/freeze.ts';
import { AROUND, HOUR, MINUTE, SECOND, instant } from '../../support/agent-builders.ts';
import { IN_FLEET, arrived } from '../../support/agent-surrounded.ts';

/** The day after that of the boot, in UTC. */
function tomorrow(): Freezes {
  const day = { year: 2026, month: 7, day: 24 };
  return createFreezes([{ kind: 'once', from: day, until: day, reason: 'inventory', timeZone: null }], 'UTC', 'UTC');
}

test('days that are kept free count once the clock is right, also without windows', () => {
  const { driver } = arrived({ clockSynced: false }, {}, { freezes: tomorrow() });
  driver.pass(9 * MINUTE - driver.mono);
  expect([driver.phase, driver.log.includes('finalize')]).toEqual(['holding', false]);
  expect(driver.said.at(-1)).toMatch('the clock is not synchronised yet');
  driver.auto.lookAround = () => driver.lookedAround({ ...AROUND, clockSynced: true });
  driver.send({ kind: 'aroundChanged' });
  driver.pass(SECOND);
  expect(driver.asked).toEqual(['finalize']);
});

test('nobody waits for a slot into a day that is kept free', () => {
  const { driver } = arrived({}, {}, { ...IN_FLEET, freezes: tomorrow() });
  expect(driver.question('lock').waitMs).toBe(50 * SECOND);
  const midnight = 10 * HOUR;
  driver.refused('HTTP 409: slots_full', midnight - 20 * SECOND - driver.mono);
  driver.pass(midnight - 20 * SECOND - driver.mono, 10_000);
  expect([driver.question('lock').waitMs, instant(driver.mono).wall]).toEqual([
    20 * SECOND,
    Date.UTC(2026, 6, 23, 23, 59, 40),
  ]);
  driver.pass(20 * SECOND);
  expect([driver.phase, driver.cancelled.length]).toEqual(['holding', 1]);
});
