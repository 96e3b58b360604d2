import { afterEach, describe, expect, test, vi } from 'vitest';
import { calendarOf } from '../../src/agent/calendar.ts';
import { freezeAt } from '../../src/strategy/freeze.ts';
import { scheduleAt, windowsAfter } from '../../src/strategy/schedule.ts';
import { inZone } from '../strategy/oracle.ts';
import { configOf } from '../support/agent-shell.ts';

const WINDOW = '[[updates.periodic.window]]\ndays = ["Tue"]\nstart_time = "02:00"\nlength_minutes = 90\n';
const FREEZE = '[[updates.freeze]]\nfrom = "2024-01-09"\nreason = "inventory"\n';
const PERIODIC = 'updates.strategy = "periodic"\n';
/** A Monday. */
const MONDAY = Date.parse('2024-01-08T00:00Z');

describe('the calendar of a configuration', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('has no schedule without the strategy, and one that is never open without windows', () => {
    expect(calendarOf(configOf(''), 'node').schedule).toBe(null);
    const { schedule } = calendarOf(configOf(PERIODIC), 'node');
    expect(scheduleAt(schedule!, MONDAY)).toEqual({ open: false, opens: null });
  });

  test('reads localtime as the zone of the host', () => {
    const text = `${PERIODIC}updates.periodic.time_zone = "localtime"\n${WINDOW}${FREEZE}`;
    const { schedule, freezes } = inZone('Asia/Kathmandu', () => calendarOf(configOf(text), 'node'));
    const day = Date.parse('2024-01-08T18:15Z');
    expect(scheduleAt(schedule!, MONDAY)).toEqual({ open: false, opens: day + 2 * 3_600_000 });
    expect(freezeAt(freezes, MONDAY)).toEqual({ frozen: false, next: day });
  });

  test('leaves people their time at a random place, and all of the window where people do not matter', () => {
    const text = `${PERIODIC}updates.periodic.random_place = true\n${WINDOW}`;
    const latest = (config: string): number => {
      const places = Array.from({ length: 300 }, (_, index) => {
        const { schedule } = calendarOf(configOf(config), `node-${index}`);
        const [first] = windowsAfter(schedule!, MONDAY, 1);
        return first!.to - first!.from;
      });
      return Math.min(...places) / 60_000;
    };
    expect(latest(text)).toBeGreaterThanOrEqual(11);
    expect(latest(text)).toBeLessThan(13);
    expect(latest(`updates.sessions.grace_secs = 3600\n${text}`)).toBeGreaterThanOrEqual(61);
    expect(latest(`updates.sessions.enabled = false\n${text}`)).toBeLessThan(2);
  });

  test.each([
    ['nothing is set', ''],
    ['all is in UTC', `${PERIODIC}${WINDOW}${FREEZE}`],
    ['windows do not matter', `updates.periodic.time_zone = "localtime"\n${WINDOW}`],
  ])('loads no time zones when %s', (_, text) => {
    const config = configOf(text);
    const format = vi.spyOn(Intl, 'DateTimeFormat');
    const { schedule, freezes } = calendarOf(config, 'node');
    if (schedule !== null) scheduleAt(schedule, MONDAY);
    freezeAt(freezes, MONDAY);
    expect(format).not.toHaveBeenCalled();
  });
});
