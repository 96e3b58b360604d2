import { describe, expect, test } from 'vitest';
import { type Quarantine, freshMemory } from '../../../src/agent/machine/memory.ts';
import { BOOT_WALL, HOUR, INTERVAL, MINUTE, graph, keyOf, reading } from '../../support/agent-builders.ts';
import { Driver } from '../../support/agent-driver.ts';
import { settled, staging } from '../../support/agent-situations.ts';

const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Release 2 in quarantine. */
function quarantined(driver = staging()): Driver {
  for (let count = 0; count < 3; count += 1) {
    driver.fails('stage', 'release', 'not found');
    driver.looked(reading(driver.mono, 1));
    if (count < 2) driver.pass(MINUTE);
  }
  return driver;
}

function entry(since: number, until: number): Quarantine {
  return { key: keyOf(2), version: '42.2', reason: 'the host was rolled back from it', since, until };
}

/** An agent that finds this quarantine in its memory, of another boot. */
function finds(kept: Quarantine): Driver {
  const driver = new Driver({ memory: { ...freshMemory('boot-0'), quarantine: [kept] } });
  driver.send({ kind: 'started' });
  driver.looked(reading(driver.mono, 1));
  return driver;
}

function isOffered(driver: Driver): boolean {
  driver.pass(2 * INTERVAL);
  driver.graphRead(graph([1, 2]));
  return driver.phase === 'staging';
}

describe('a quarantine', () => {
  test.each([
    ['forward', 6 * YEAR],
    ['back', -6 * YEAR],
  ])('lasts its day when the clock is set %s', (_, jump) => {
    const driver = quarantined();
    driver.clockOffset = jump;
    driver.send({ kind: 'tick' });
    expect(driver.written?.quarantine[0]?.until).toBe(BOOT_WALL + driver.mono + jump + DAY);
    expect(driver.said.at(-1)).toMatch(/^info: .*42\.2 is kept away from this host until 20/);
    expect(isOffered(driver)).toBe(false);
    driver.pass(DAY, 400);
    if (!driver.asked.includes('fetchGraph')) driver.pass(2 * INTERVAL);
    driver.graphRead(graph([1, 2]));
    expect(driver.phase).toBe('staging');
  });

  test('lasts its day when the clock is set while the agent does not run', () => {
    const next = quarantined().restarted();
    next.clockOffset = 6 * YEAR;
    next.send({ kind: 'started' });
    next.looked(reading(next.mono, 1));
    expect(isOffered(next)).toBe(false);
  });

  test('is not moved by a clock that is kept right in small steps', () => {
    const driver = quarantined();
    const until = driver.memory.quarantine[0]?.until;
    driver.clockOffset = 20_000;
    driver.send({ kind: 'tick' });
    expect(driver.memory.quarantine[0]?.until).toBe(until);
  });

  test('that was written with a clock ahead lasts a day at most', () => {
    const driver = finds(entry(BOOT_WALL + 9 * YEAR, BOOT_WALL + 9 * YEAR + DAY));
    expect(isOffered(driver)).toBe(false);
    driver.pass(DAY, 400);
    driver.graphRead(graph([1, 2]));
    expect(driver.phase).toBe('staging');
  });

  test('that is over is said to be', () => {
    const driver = finds(entry(BOOT_WALL - HOUR, BOOT_WALL + HOUR));
    expect(isOffered(driver)).toBe(false);
    driver.pass(HOUR, 50);
    driver.graphRead(graph([1, 2]));
    expect(driver.said).toContain('info: 42.2 is no longer kept away from this host');
    expect(driver.written?.quarantine).toEqual([]);
  });
});

test('nothing is written where neither clock nor quarantine changes', () => {
  const driver = settled();
  const before = driver.log.length;
  driver.send({ kind: 'tick' });
  expect(driver.log.length).toBe(before);
});
