import { describe, expect, test } from 'vitest';
import type { Settings } from '../../../src/agent/machine/state.ts';
import { forecast } from '../../../src/agent/report/forecast.ts';
import type { Hold } from '../../../src/host/holds/hold.ts';
import type { RebootWindow } from '../../../src/config/reboot-window.ts';
import { createSchedule } from '../../../src/strategy/schedule.ts';
import {
  HOUR,
  MINUTE,
  NODE_ID,
  SECOND,
  instant,
  person,
  reading,
  stagedDeployment,
} from '../../support/agent-builders.ts';
import type { Driver } from '../../support/agent-driver.ts';
import { IN_FLEET, arrived } from '../../support/agent-surrounded.ts';
import { SITUATIONS, dailyWindow, inventoryDays } from '../../support/report-situations.ts';

const ANN = person('0');

function predicted({ state, mono }: Driver): number | null {
  return forecast(state, instant(mono))?.at ?? null;
}

/** Milliseconds since 1970 at which the agent then asks for finalize, with a lock manager that grants at once. */
function acts(driver: Driver): number {
  driver.auto.look = () => driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
  driver.auto.lock = () => driver.granted();
  for (let ticks = 0; ticks < 20_000 && !driver.asked.includes('finalize'); ticks += 1) {
    if (driver.open.length > 0) driver.send({ kind: 'tick' });
    else if (!driver.tick()) break;
  }
  expect(driver.asked).toContain('finalize');
  return instant(driver.mono).wall;
}

/** Under an `update --now`. */
function ordered(driver: Driver, forMs: number): Driver {
  driver.send({ kind: 'updateNow', by: 'root', forMs });
  driver.pass(SECOND);
  return driver;
}

function markerFor(ms: number): readonly Hold[] {
  return [{ name: 'backup', reason: 'nightly', since: 0, until: instant(ms).wall }];
}

const WAITING: Readonly<Record<string, () => Driver>> = {
  'for a window': () => arrived({}, {}, { schedule: dailyWindow(2 * 60) }).driver,
  'for a window, with people here': () => arrived({ people: [ANN] }, {}, { schedule: dailyWindow(2 * 60) }).driver,
  'for a window that opens in the dates of a freeze': () =>
    arrived({}, {}, { schedule: dailyWindow(2 * 60), freezes: inventoryDays() }).driver,
  'for a window in which people have just enough time': () =>
    arrived({ people: [ANN] }, {}, { schedule: dailyWindow(2 * 60, 12) }).driver,
  'for people': () => arrived({ people: [ANN] }).driver,
  'for people who are given time at the end of a window': () =>
    arrived({ people: [ANN] }, {}, { schedule: dailyWindow(14 * 60, 12) }).driver,
  'for an uptime': () => arrived({}, {}, { minUptimeMs: HOUR }).driver,
  'for an uptime that ends after the window': () =>
    arrived({}, {}, { minUptimeMs: 2 * HOUR, schedule: dailyWindow(14 * 60) } satisfies Partial<Settings>).driver,
  'for a marker that ends': () =>
    arrived({ holds: [{ name: 'backup', reason: 'nightly', since: 0, until: instant(HOUR).wall }] }).driver,
  'for a clock': () => arrived({ clockSynced: false }, {}, { schedule: dailyWindow(14 * 60) }).driver,
  'for logind': () => arrived({ people: null }).driver,
  'for the end of a pause': () => {
    const host = arrived({ power: 'battery' });
    host.driver.send({ kind: 'pause', by: 'root', until: instant(2 * HOUR).wall, reason: '' });
    host.change({ power: 'ac' });
    return host.driver;
  },
  'for a marker that ends, with people here and the update ordered': () =>
    ordered(arrived({ people: [ANN], holds: markerFor(HOUR) }).driver, 2 * HOUR),
  'for a marker that ends after the order, with people here': () =>
    ordered(arrived({ people: [ANN], holds: markerFor(HOUR) }).driver, 30 * MINUTE),
  'for a marker that ends as late before the order ends that people have no last notice any more': () =>
    ordered(arrived({ people: [ANN], holds: markerFor(HOUR) }).driver, HOUR - 4 * MINUTE),
  'for a marker that ends in the dates of a freeze, after the order, with a window': () =>
    ordered(
      arrived(
        { people: [ANN], holds: markerFor(HOUR) },
        {},
        { schedule: dailyWindow(2 * 60), freezes: inventoryDays() },
      ).driver,
      30 * MINUTE,
    ),
  'for a marker that ends under an order, outside of the windows, with people here': () =>
    ordered(arrived({ people: [ANN], holds: markerFor(HOUR) }, {}, { schedule: dailyWindow(2 * 60) }).driver, 2 * HOUR),
  'for a marker that ends under an order, after people had begun to be given time': () => {
    const host = arrived({ people: [ANN] });
    host.driver.pass(MINUTE);
    host.change({ holds: markerFor(HOUR) });
    return ordered(host.driver, 2 * HOUR);
  },
  'for a lock manager that has refused': () => {
    const { driver } = arrived({}, {}, IN_FLEET);
    driver.refused('HTTP 409: slots_full', 90 * SECOND);
    return driver;
  },
  'for the time after a cancelled reboot, with people here': () => {
    const { driver } = arrived({ people: [ANN] });
    driver.pass(10 * MINUTE);
    driver.send({ kind: 'cancel', by: 'root' });
    return driver;
  },
};

describe('the moment that is foreseen is the one at which the agent acts', () => {
  test.each(Object.entries(WAITING))('when it waits %s', (_, begin) => {
    const driver = begin();
    expect(driver.phase).toBe('holding');
    const at = predicted(driver);
    expect(at).not.toBeNull();
    const late = acts(driver) - (at ?? 0);
    // What is told of the past, or of the surroundings, is read anew first.
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThanOrEqual(SECOND);
  });
});

test('a window that is long enough is found behind many that are not', () => {
  const days = [0, 1, 2, 3, 4, 5, 6];
  const short = [4, 10, 16, 22].map((hour) => window(days, hour, 5));
  const windows = [...short, window([3], 18, 60)];
  const schedule = createSchedule({ windows, timeZone: 'UTC', randomPlace: false, nodeId: NODE_ID, graceMs: 0 }, 'UTC');
  // A Thursday.
  const { driver } = arrived({ people: [ANN] }, {}, { schedule });
  expect(predicted(driver)).toBe(Date.UTC(2026, 6, 29, 18, 11));
});

function window(days: readonly number[], hour: number, lengthMinutes: number): RebootWindow {
  return { kind: 'weekly', days, startMinute: hour * 60, lengthMinutes, timeZone: null };
}

describe('no moment is foreseen', () => {
  test.each(['hold', 'inhibitor', 'on-battery', 'paused', 'hooks-refuse', 'window-too-short', 'no-window'])(
    'in the situation %s, but what has to happen',
    (name) => {
      const driver = SITUATIONS[name]?.();
      if (driver === undefined) throw new Error(name);
      const { at, when } = forecast(driver.state, instant(driver.mono)) ?? { at: 0, when: [] };
      expect([at, when.length]).toEqual([null, 1]);
    },
  );

  test.each(['newest', 'staging', 'just-started', 'disabled'])('without a release, as in %s', (name) => {
    const driver = SITUATIONS[name]?.();
    if (driver === undefined) throw new Error(name);
    expect(forecast(driver.state, instant(driver.mono))).toBeNull();
  });

  test('where people have just as much time as a window is long: at its end it is closed', () => {
    const { driver } = arrived({ people: [ANN] }, {}, { schedule: dailyWindow(2 * 60, 11) });
    expect(predicted(driver)).toBeNull();
  });

  test('before it may be, where something else has no moment', () => {
    const { driver } = arrived({ power: 'battery' }, {}, { schedule: dailyWindow(2 * 60) });
    const { at, notBefore } = forecast(driver.state, instant(driver.mono)) ?? {};
    expect([at, notBefore]).toEqual([null, instant(12 * HOUR).wall]);
  });
});
