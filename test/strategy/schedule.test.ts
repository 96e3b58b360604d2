import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { readCron } from '../../src/config/cron-library.ts';
import type { RebootWindow } from '../../src/config/reboot-window.ts';
import { DAY_NAMES } from '../../src/config/window.ts';
import { createSchedule, scheduleAt, windowsAfter, type ScheduleOptions } from '../../src/strategy/schedule.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `Sat,Sun 22:00 240 Europe/Berlin`: days, start, minutes, and perhaps a zone. */
function weekly(text: string): RebootWindow {
  const [days = '', start = '', length = '', zone = null] = text.split(' ');
  const [hour = '', minute = ''] = start.split(':');
  return {
    kind: 'weekly',
    days: days.split(',').map((day) => DAY_NAMES.findIndex((name) => name.startsWith(day))),
    startMinute: Number(hour) * 60 + Number(minute),
    lengthMinutes: Number(length),
    timeZone: zone,
  };
}

function cron(schedule: string, lengthMinutes: number, timeZone: string | null = null): RebootWindow {
  const fields = readCron(schedule);
  if (typeof fields === 'string') throw new Error(fields);
  return { kind: 'cron', schedule, fields, lengthMinutes, timeZone };
}

function options(windows: readonly RebootWindow[], other: Partial<ScheduleOptions> = {}): ScheduleOptions {
  return { windows, timeZone: 'UTC', randomPlace: false, nodeId: 'node', graceMs: 0, ...other };
}

function utc(text: string): number {
  return Date.parse(`${text}Z`);
}

/** The next windows, as `from/to` in UTC. */
function next(windows: readonly RebootWindow[], timeZone: string, from: string, count: number): readonly string[] {
  const schedule = createSchedule(options(windows, { timeZone }), 'UTC');
  const short = (wall: number): string => new Date(wall).toISOString().replace(/(:00)?\.000Z$/, '');
  return windowsAfter(schedule, utc(from), count).map((window) => `${short(window.from)}/${short(window.to)}`);
}

describe('a window by a cron expression', () => {
  test('is half-open, to the millisecond', () => {
    const schedule = createSchedule(options([cron('0 2 * * 2', 90)]), 'UTC');
    const [from, to] = [utc('2024-01-09T02:00'), utc('2024-01-09T03:30')];
    expect([from - 1, from, to - 1, to].map((wall) => scheduleAt(schedule, wall))).toEqual([
      { open: false, opens: from },
      { open: true, until: to },
      { open: true, until: to },
      { open: false, opens: from + 7 * DAY },
    ]);
  });

  test.each<[string, string, string, readonly string[]]>([
    ['each Tuesday', '0 2 * * 2', '2024-01-01T00:00', ['2024-01-02', '2024-01-09', '2024-01-16']],
    ['the second Tuesday', '0 2 * * 2#2', '2024-01-01T00:00', ['2024-01-09', '2024-02-13', '2024-03-12']],
    ['a fifth Thursday', '0 2 * * 4#5', '2024-01-01T00:00', ['2024-02-29', '2024-05-30', '2024-08-29']],
    ['the last Sunday', '0 2 * * 7L', '2024-01-01T00:00', ['2024-01-28', '2024-02-25', '2024-03-31']],
    ['the last day', '0 2 L * *', '2024-01-01T00:00', ['2024-01-31', '2024-02-29', '2024-03-31']],
    ['a day that not all months have', '0 2 31 * *', '2024-01-01T00:00', ['2024-01-31', '2024-03-31', '2024-05-31']],
    ['a day of leap years', '0 2 29 2 *', '2095-01-01T00:00', ['2096-02-29', '2104-02-29', '2108-02-29']],
    ['a leap day on a Monday', '0 2 * 2 1#5', '2024-01-01T00:00', ['2044-02-29', '2072-02-29', '2112-02-29']],
    ['either of two days', '0 2 13 * 5', '2024-09-07T00:00', ['2024-09-13', '2024-09-20', '2024-09-27']],
    ['one month', '0 2 1 7 *', '2024-07-02T00:00', ['2025-07-01', '2026-07-01', '2027-07-01']],
  ])('%s', (_, expression, from, days) => {
    expect(next([cron(expression, 60)], 'UTC', from, 3)).toEqual(days.map((day) => `${day}T02:00/${day}T03:00`));
  });

  test.each<[string, string, string, number, string, readonly string[]]>([
    // 02:00 to 03:00 at 01:00 UTC.
    [
      'begins after a gap',
      'Europe/Berlin',
      '30 2 * * *',
      60,
      '2024-03-31T00:00',
      ['2024-03-31T01:00/2024-03-31T02:00'],
    ],
    [
      'lasts its time over a gap',
      'Europe/Berlin',
      '30 1 * * *',
      60,
      '2024-03-31T00:00',
      ['2024-03-31T00:30/2024-03-31T01:30'],
    ],
    [
      'begins once with others in a gap',
      'Europe/Berlin',
      '*/10 2 * * *',
      5,
      '2024-03-31T00:00',
      ['2024-03-31T01:00/2024-03-31T01:05', '2024-04-01T00:00/2024-04-01T00:05'],
    ],
    // 03:00 back to 02:00 at 01:00 UTC.
    [
      'begins once, at the first showing',
      'Europe/Berlin',
      '30 2 * * *',
      20,
      '2024-10-27T00:00',
      ['2024-10-27T00:30/2024-10-27T00:50', '2024-10-28T01:30/2024-10-28T01:50'],
    ],
    [
      'lasts its time over a fold',
      'Europe/Berlin',
      '0 2 * * *',
      180,
      '2024-10-27T00:00',
      ['2024-10-27T00:00/2024-10-27T03:00'],
    ],
    [
      'that comes every hour leaves one out',
      'Europe/Berlin',
      '0 * * * *',
      10,
      '2024-10-27T00:00',
      ['2024-10-27T00:00/2024-10-27T00:10', '2024-10-27T02:00/2024-10-27T02:10'],
    ],
    // 02:00 to 02:30 at 15:30 UTC; 02:00 back to 01:30 at 15:00 UTC.
    [
      'in half an hour',
      'Australia/Lord_Howe',
      '15 2 * * *',
      60,
      '2024-10-05T12:00',
      ['2024-10-05T15:30/2024-10-05T16:30'],
    ],
    [
      'in half an hour that comes twice',
      'Australia/Lord_Howe',
      '45 1 * * *',
      20,
      '2024-04-06T12:00',
      ['2024-04-06T14:45/2024-04-06T15:05', '2024-04-07T15:15/2024-04-07T15:35'],
    ],
    // Midnight to 01:00, at 03:00 UTC.
    [
      'at a midnight that is not',
      'America/Sao_Paulo',
      '0 0 * * 0',
      60,
      '2018-11-03T12:00',
      ['2018-11-04T03:00/2018-11-04T04:00'],
    ],
    // Thursday 24:00 to Saturday 00:00 at 10:00 UTC.
    [
      'on a day that is left out',
      'Pacific/Apia',
      '0 12 30 12 *',
      60,
      '2011-12-28T00:00',
      ['2011-12-30T10:00/2011-12-30T11:00'],
    ],
  ])('%s: %s, %s for %i minutes', (_, zone, expression, length, from, expected) => {
    expect(next([cron(expression, length)], zone, from, expected.length)).toEqual(expected);
  });

  test('is open for ever when each begins before the one before has ended', () => {
    const wall = utc('2024-06-01T12:34');
    const always = createSchedule(options([cron('*/15 * * * *', 15)]), 'UTC');
    expect(scheduleAt(always, wall)).toEqual({ open: true, until: Number.POSITIVE_INFINITY });
    expect(windowsAfter(always, wall, 5)).toEqual([{ from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }]);
    const yearly = createSchedule(options([cron('*/15 * * * *', 15)], { timeZone: 'Europe/Berlin' }), 'UTC');
    expect(scheduleAt(yearly, wall)).toEqual({ open: true, until: Number.POSITIVE_INFINITY });
    expect(scheduleAt(yearly, utc('2024-09-26T12:34'))).toEqual({ open: true, until: utc('2024-10-27T01:00') });
  });
});

describe('windows together', () => {
  test('are one where they overlap or touch, in whatever zone', () => {
    const windows = [
      weekly('Tue 02:00 60 Europe/Berlin'),
      weekly('Tue 02:00 60'),
      cron('0 3 * * 2', 30),
      cron('30 22 9 1 *', 120, 'America/New_York'),
    ];
    expect(next(windows, 'UTC', '2024-01-08T00:00', 3)).toEqual([
      '2024-01-09T01:00/2024-01-09T03:30',
      '2024-01-10T03:30/2024-01-10T05:30',
      '2024-01-16T01:00/2024-01-16T03:30',
    ]);
  });

  test('say the same from wherever in them they are asked', () => {
    const windows = [weekly('Tue 02:00 60'), cron('0 3 * * 2', 30), cron('30 1 * * 2', 30)];
    const whole = '2024-01-09T01:30/2024-01-09T03:30';
    for (const from of ['2024-01-09T00:00', '2024-01-09T01:45', '2024-01-09T02:59', '2024-01-09T03:29']) {
      expect(next(windows, 'UTC', from, 1)).toEqual([whole]);
    }
    expect(next(windows, 'UTC', '2024-01-09T03:30', 1)).toEqual(['2024-01-16T01:30/2024-01-16T03:30']);
  });

  test('of no kind are never open, and those of a whole week always', () => {
    const never = createSchedule(options([]), 'UTC');
    expect(scheduleAt(never, 0)).toEqual({ open: false, opens: null });
    expect(windowsAfter(never, 0, 3)).toEqual([]);
    const always = createSchedule(options([weekly('Wed 12:00 10080'), cron('0 2 * * *', 60)]), 'UTC');
    expect(scheduleAt(always, 0)).toEqual({ open: true, until: Number.POSITIVE_INFINITY });
    const together = createSchedule(options([weekly('Sun 00:00 6000'), weekly('Thu 00:00 6000 Asia/Tokyo')]), 'UTC');
    expect(scheduleAt(together, 0)).toEqual({ open: true, until: Number.POSITIVE_INFINITY });
  });

  test('read localtime as the zone of the host', () => {
    const schedule = createSchedule(options([weekly('Tue 02:00 60')], { timeZone: 'localtime' }), 'Asia/Kathmandu');
    expect(scheduleAt(schedule, utc('2024-01-08T00:00'))).toEqual({ open: false, opens: utc('2024-01-08T20:15') });
  });

  test('in an unknown zone are an error', () => {
    expect(() => createSchedule(options([weekly('Tue 02:00 60 Nowhere/Land')]), 'UTC')).toThrow(RangeError);
    expect(() => createSchedule(options([cron('0 2 * * *', 60, 'Nowhere/Land')]), 'UTC')).toThrow(RangeError);
  });
});

describe('what is looked at for one answer', () => {
  const always = { open: true, until: Number.POSITIVE_INFINITY };
  const minutes = Array.from({ length: 60 }, (_, minute) => minute);
  const inTurns = ['Europe/Berlin', 'Asia/Tokyo'] as const;

  /** The answer, and how often sources were asked. */
  function counted(windows: readonly RebootWindow[], wall: number, other: Partial<ScheduleOptions> = {}) {
    const counts = { asked: 0 };
    const schedule = createSchedule(options(windows, other), 'UTC');
    const sources = schedule.sources.map((source) => ({
      opensAfter: source.opensAfter,
      periodsIn: (from: number, to: number) => {
        counts.asked += 1;
        return source.periodsIn(from, to);
      },
    }));
    return { answer: scheduleAt({ ...schedule, sources }, wall), counts, sources: sources.length };
  }

  test.each<[string, readonly RebootWindow[], Partial<ScheduleOptions>]>([
    ['minutes in turns', [cron('*/2 * * * *', 1), cron('1-59/2 * * * *', 1)], {}],
    ['half hours in turns', [cron('0 * * * *', 30), cron('30 * * * *', 30)], {}],
    ['minutes in turns, in a zone', [cron('*/2 * * * *', 1), cron('1-59/2 * * * *', 1)], { timeZone: 'Europe/Berlin' }],
    ['each minute on its own', minutes.map((minute) => cron(`${minute} * * * *`, 1)), { timeZone: 'Europe/Berlin' }],
    ['minutes in turns in two zones', minutes.map((minute) => cron(`${minute} * * * *`, 1, inTurns[minute % 2])), {}],
    ['days in turns in two zones', [weekly('Mon,Wed,Fri,Sun 00:00 1440'), cron('0 0 * * 2,4,6', 1440, 'Etc/GMT')], {}],
    ['a random place', [cron('*/2 * * * *', 1), cron('1-59/2 * * * *', 1)], { randomPlace: true, graceMs: HOUR }],
  ])('is bounded: %s', (_, windows, other) => {
    const { answer, counts, sources } = counted(windows, utc('2024-06-01T12:34'), other);
    expect(answer).toEqual(always);
    expect(counts.asked).toBeLessThanOrEqual(42 * sources);
  });

  test('is bounded by the days, not by the windows, whatever these are', () => {
    const field = (max: number): fc.Arbitrary<string> =>
      fc.oneof(
        fc.constant('*'),
        fc.integer({ min: 2, max: 30 }).map((step) => `*/${step}`),
        fc.nat(max).map(String),
      );
    const one = fc
      .tuple(field(59), field(23), fc.integer({ min: 1, max: 10_080 }), fc.constantFrom('UTC', ...inTurns))
      .map(([minute, hour, length, zone]) => cron(`${minute} ${hour} * * *`, length, zone));
    const wall = fc.integer({ min: utc('2024-01-01T00:00'), max: utc('2025-01-01T00:00') });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 5 }), wall, (windows, at) => {
        const { counts, sources } = counted(windows, at);
        expect(sources).toBeLessThanOrEqual(3);
        expect(counts.asked).toBeLessThanOrEqual(2 * 42 * sources);
      }),
    );
  });

  test('is looked at once, however often it is asked', () => {
    const looks = vi.spyOn(Intl.DateTimeFormat.prototype as { readonly format: unknown }, 'format', 'get');
    const zoned = { timeZone: 'Europe/Berlin' };
    const schedule = createSchedule(options([cron('*/2 * * * *', 1), cron('1-59/2 * * * *', 1)], zoned), 'UTC');
    const from = utc('2024-06-01T12:34');
    expect(scheduleAt(schedule, from)).toEqual(always);
    const first = looks.mock.calls.length;
    for (let minute = 1; minute < 60; minute += 1) expect(scheduleAt(schedule, from + minute * MINUTE)).toEqual(always);
    expect([first > 0, first < 5_000, looks.mock.calls.length - first]).toEqual([true, true, 0]);
    looks.mockRestore();
  });
});

describe('a place of its own', () => {
  const grace = 11 * MINUTE;
  const from = utc('2024-01-09T02:00');
  const inWindow = (nodeId: string, length: number, graceMs = grace): ReturnType<typeof createSchedule> => {
    return createSchedule(options([weekly(`Tue 02:00 ${length}`)], { randomPlace: true, nodeId, graceMs }), 'UTC');
  };

  test('is within the window, and leaves people their time where the window is long enough', () => {
    const length = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 8640 }));
    fc.assert(
      fc.property(fc.string(), length, fc.integer({ min: 0, max: 24 * HOUR }), fc.nat(), (node, minutes, ms, at) => {
        const schedule = inWindow(node, minutes, ms);
        const to = from + minutes * MINUTE;
        const [window] = windowsAfter(schedule, from - DAY, 1);
        expect(window!.to).toBe(to);
        const latest = Math.min(Math.max(from, to - ms - 1), from + DAY - 1);
        expect(window!.from).toBeGreaterThanOrEqual(from);
        expect(window!.from).toBeLessThanOrEqual(latest);
        const wall = from + (at % (to - from));
        const answer = scheduleAt(schedule, wall);
        expect(answer).toEqual(wall < window!.from ? { open: false, opens: window!.from } : { open: true, until: to });
      }),
    );
  });

  test('is the same after a restart, another one in the next window, and another one for another host', () => {
    const places = (nodeId: string): readonly number[] =>
      windowsAfter(inWindow(nodeId, 120), from - DAY, 20).map((window, index) => window.from - from - index * 7 * DAY);
    expect(places('node-1')).toEqual(places('node-1'));
    expect(new Set(places('node-1')).size).toBeGreaterThan(15);
    expect(places('node-1').filter((place, index) => place === places('node-2')[index]).length).toBeLessThan(3);
  });

  test('spreads hosts evenly', () => {
    const room = 109 * MINUTE;
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let host = 0; host < 2000; host += 1) {
      const [window] = windowsAfter(inWindow(`node-${host}`, 120), from - DAY, 1);
      tenths[Math.floor(((window!.from - from) / room) * 10)]! += 1;
    }
    // 200 each, with a deviation of 13.
    expect(Math.min(...tenths)).toBeGreaterThan(130);
    expect(Math.max(...tenths)).toBeLessThan(270);
  });

  test('is the start of what is too short, and of what is always open', () => {
    expect(windowsAfter(inWindow('node', 11), from - DAY, 1)).toEqual([{ from, to: from + grace }]);
    const always = createSchedule(options([weekly('Tue 02:00 10080')], { randomPlace: true }), 'UTC');
    expect(scheduleAt(always, from)).toEqual({ open: true, until: Number.POSITIVE_INFINITY });
  });
});
