import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { workOut } from '../../../src/cli/windows/work-out.ts';
import type { WindowsReport } from '../../../src/cli/windows/report.ts';
import { buildConfig } from '../../../src/config/load.ts';
import { readCron } from '../../../src/config/cron-library.ts';
import { firstShift, offsetsOf } from '../../../src/strategy/zone.ts';
import { calendarOf } from '../../../src/agent/calendar.ts';
import { scheduleAt } from '../../../src/strategy/schedule.ts';
import { FROM, TO, ZONES } from '../../strategy/zones.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What comes of a configuration with the strategy `periodic`. */
function windowsOf(toml: string, from: string | number, next = 3): WindowsReport {
  const { config, problems } = buildConfig(
    [{ path: 'a.toml', text: `updates.strategy = ["periodic"]\n${toml}` }],
    [],
    readCron,
  );
  if (config === null) throw new Error(JSON.stringify(problems));
  const at = typeof from === 'number' ? from : Date.parse(from);
  const origins = { windowOrigins: ['a.toml:2', 'a.toml:6'], freezeOrigins: ['a.toml:9', 'a.toml:14'] };
  return workOut({ config, nodeId: null, at, next, hostZone: 'UTC', ...origins });
}

function weekly(days: string, start: string, minutes: number, zone: string): string {
  const all = days === '*' ? ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] : days.split(',');
  return `[[updates.periodic.window]]\ndays = ${JSON.stringify(all)}\nstart_time = "${start}"\nlength_minutes = ${minutes}\ntime_zone = "${zone}"\n`;
}

function cron(schedule: string, minutes: number, zone: string): string {
  return `[[updates.periodic.window]]\nschedule = "${schedule}"\nlength_minutes = ${minutes}\ntime_zone = "${zone}"\n`;
}

/** `from/to` in UTC and the notes of each window. */
function told({ windows }: WindowsReport): readonly (readonly [string, readonly string[]])[] {
  const short = (wall: number): string => new Date(wall).toISOString().slice(0, 16);
  return windows.map(({ from, to, clocks }) => [`${short(from)}/${short(to)}`, clocks]);
}

describe('when the clocks change', () => {
  test.each<[string, string, string, string, string]>([
    [
      'Europe/Berlin',
      weekly('Sat', '22:00', 360, 'Europe/Berlin'),
      '2026-03-28T12:00Z',
      '2026-03-28T21:00/2026-03-29T02:00',
      'the clocks skip 02:00 to 03:00 (+01:00 to +02:00) while it is open: it lasts 5 h rather than 6 h',
    ],
    [
      'Europe/Berlin',
      weekly('Sat', '22:00', 360, 'Europe/Berlin'),
      '2026-10-24T12:00Z',
      '2026-10-24T20:00/2026-10-25T03:00',
      'the clocks show 02:00 to 03:00 twice (+02:00 to +01:00) while it is open: it lasts 7 h rather than 6 h',
    ],
    [
      'America/New_York',
      weekly('Sun', '02:30', 120, 'America/New_York'),
      '2026-03-08T00:00Z',
      '2026-03-08T07:00/2026-03-08T08:30',
      'the clocks skip 02:00 to 03:00 (-05:00 to -04:00), and with them 02:30, where it would begin: it opens at 03:00',
    ],
    [
      'America/New_York',
      weekly('Sun', '00:30', 120, 'America/New_York'),
      '2026-03-08T00:00Z',
      '2026-03-08T05:30/2026-03-08T07:00',
      'the clocks skip 02:00 to 03:00 (-05:00 to -04:00), and with them 02:30, where it would end: it closes at that moment',
    ],
    [
      'Australia/Lord_Howe',
      weekly('Sun', '01:00', 120, 'Australia/Lord_Howe'),
      '2026-04-04T12:00Z',
      '2026-04-04T14:00/2026-04-04T16:30',
      'the clocks show 01:30 to 02:00 twice (+11:00 to +10:30) while it is open: it lasts 2 h 30 min rather than 2 h',
    ],
    [
      'America/New_York',
      cron('0 1 * * 0', 120, 'America/New_York'),
      '2026-03-08T00:00Z',
      '2026-03-08T06:00/2026-03-08T08:00',
      'the clocks skip 02:00 to 03:00 (-05:00 to -04:00) while it is open: it lasts its 2 h all the same',
    ],
    [
      'Europe/Berlin',
      cron('0 2 * * 0', 60, 'Europe/Berlin'),
      '2026-03-29T00:00Z',
      '2026-03-29T01:00/2026-03-29T02:00',
      'the clocks skip 02:00 to 03:00 (+01:00 to +02:00), and with them 02:00, where it would begin: it opens at 03:00',
    ],
    [
      'Europe/Berlin',
      cron('30 2 * * 0', 60, 'Europe/Berlin'),
      '2026-10-25T00:00Z',
      '2026-10-25T00:30/2026-10-25T01:30',
      'the clocks show 02:00 to 03:00 twice (+02:00 to +01:00): it begins once, the first time they show 02:30',
    ],
  ])('a window in %s says so', (_, toml, from, time, note) => {
    expect(told(windowsOf(toml, from, 1))).toEqual([[time, [note]]]);
    // A month later there is nothing to say.
    expect(told(windowsOf(toml, Date.parse(from) + 28 * DAY, 1))[0]?.[1]).toEqual([]);
  });

  test('a window that they show twice is open twice', () => {
    const note =
      'the clocks show 02:00 to 03:00 twice (+02:00 to +01:00): it is open twice, each time the clocks show it';
    const report = windowsOf(weekly('Sun', '02:15', 30, 'Europe/Berlin'), '2026-10-24T12:00Z', 3);
    expect(told(report)).toEqual([
      ['2026-10-25T00:15/2026-10-25T00:45', [note]],
      ['2026-10-25T01:15/2026-10-25T01:45', [note]],
      ['2026-11-01T01:15/2026-11-01T01:45', []],
    ]);
  });

  test('a window that they skip is told of in its place', () => {
    const report = windowsOf(weekly('Sun', '02:05', 20, 'Australia/Lord_Howe'), '2026-09-26T12:00Z', 3);
    expect(report.windows.map(({ from }) => new Date(from).toISOString().slice(0, 10))).toEqual([
      '2026-09-26',
      '2026-10-10',
      '2026-10-17',
    ]);
    expect(report.skipped).toEqual([
      {
        at: Date.parse('2026-10-03T15:30Z'),
        text: 'Sun 2026-10-04 02:05 to 02:25 Australia/Lord_Howe: the clocks skip 02:00 to 02:30 (+10:30 to +11:00), so it does not open at all',
        origin: 'a.toml:2',
      },
    ]);
  });

  test('of one that several tables make only that they do is told', () => {
    const toml = weekly('Sun', '01:00', 90, 'Europe/Berlin') + weekly('Sun', '02:30', 90, 'Europe/Berlin');
    const report = windowsOf(toml, '2026-10-25T00:00Z', 1);
    expect(told(report)).toEqual([
      ['2026-10-24T23:00/2026-10-25T03:00', ['the clocks show 02:00 to 03:00 twice (+02:00 to +01:00)']],
    ]);
    expect(report.windows[0]?.origins).toEqual(['a.toml:2', 'a.toml:6']);
  });

  test('every window that is not as long as planned says why, and no other says anything', () => {
    const moments = fc.integer({ min: FROM / HOUR, max: TO / HOUR }).map((hours) => hours * HOUR);
    const starts = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 15, 30, 59));
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        starts,
        fc.integer({ min: 1, max: 600 }),
        moments,
        (zone, start, minutes, at) => {
          const time = start.map((part) => String(part).padStart(2, '0')).join(':');
          const offsetAt = offsetsOf(zone);
          // Near a change, where there is one.
          const shift = firstShift(offsetAt, at, at + 200 * DAY);
          const { windows } = windowsOf(weekly('*', time, minutes, zone), (shift ?? at) - 2 * DAY, 4);
          for (const { from, to, clocks } of windows) {
            if (to - from !== minutes * MINUTE) expect(clocks, `${zone} ${time}`).toHaveLength(1);
            if (clocks.length > 0) expect(firstShift(offsetAt, from - 25 * HOUR, to + 25 * HOUR)).not.toBeNull();
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('a freeze', () => {
  const windows = weekly('Sat', '22:00', 240, 'UTC');
  const freeze = '[[updates.freeze]]\nfrom = "2026-12-20"\nuntil = "2027-01-06"\nreason = "holidays"\n';

  test('takes away what it covers', () => {
    const report = windowsOf(windows + freeze, '2026-12-18T00:00Z', 4);
    expect(
      report.windows.map(({ usableMs, frozen }) => [usableMs / MINUTE, frozen.map(({ from, to }) => to - from)]),
    ).toEqual([
      [120, [2 * HOUR]],
      [0, [4 * HOUR]],
      [0, [4 * HOUR]],
      [240, []],
    ]);
    expect(report.windows[1]?.frozen[0]).toMatchObject({ reason: 'holidays', origin: 'a.toml:9' });
  });

  test('is found by its place in the configuration, also where two have the same reason', () => {
    const other = freeze.replace('2026-12-20', '2027-03-01').replace('2027-01-06', '2027-03-31');
    const { windows: found, freezes } = windowsOf(windows + freeze + other, '2027-03-01T00:00Z', 1);
    expect(found[0]?.frozen).toMatchObject([{ reason: 'holidays', origin: 'a.toml:14' }]);
    expect(freezes).toMatchObject([{ origin: 'a.toml:14' }]);
  });

  test('may leave less than people need to finish', () => {
    const late = freeze.replace('[[updates.freeze]]', '[[updates.freeze]]\ntime_zone = "Etc/GMT+2"');
    const { windows: found } = windowsOf(
      weekly('Sat', '01:50', 15, 'UTC') + late.replace('2026-12-20', '2026-12-19'),
      '2026-12-18T12:00Z',
      1,
    );
    expect(found).toMatchObject([{ usableMs: 10 * MINUTE, tooShort: true }]);
  });
});

test('what is told is what the agent goes by', () => {
  const nodeId = '00112233445566778899aabbccddeeff';
  const windows = weekly('Sat,Sun', '01:30', 120, 'Europe/Berlin') + cron('15 2 * * *', 200, 'Australia/Lord_Howe');
  const text = `updates.strategy = "periodic"\nupdates.periodic.random_place = true\n${windows}`;
  const { config } = buildConfig([{ path: 'a.toml', text }], [], readCron);
  const { schedule } = calendarOf(config!, nodeId);
  for (const month of [3, 4, 10, 11]) {
    const at = Date.UTC(2026, month - 1, 1);
    const report = workOut({
      config: config!,
      nodeId,
      at,
      next: 60,
      hostZone: 'UTC',
      windowOrigins: [],
      freezeOrigins: [],
    });
    expect(report.windows).toHaveLength(60);
    for (const { from, to, place } of report.windows) {
      expect(scheduleAt(schedule!, place ?? from)).toEqual({ open: true, until: to });
      expect(scheduleAt(schedule!, (place ?? from) - 1)).toEqual({ open: false, opens: place ?? from });
    }
  }
});

test('a window is too short where it is no longer than people get, to the millisecond', () => {
  const people = 'updates.sessions.grace_secs = 600\nupdates.sessions.final_notice_secs = 0\n';
  const shortest = (minutes: number): unknown => {
    const { graceMs, windows } = windowsOf(people + weekly('Sat', '22:00', minutes, 'UTC'), '2026-12-18T00:00Z', 1);
    return [graceMs / MINUTE, windows[0]?.usableMs, windows[0]?.tooShort];
  };
  expect([10, 11].map(shortest)).toEqual([
    [10, 10 * MINUTE, true],
    [10, 11 * MINUTE, false],
  ]);
});

describe('what is open', () => {
  test('has its start, its origin and the time for people', () => {
    const report = windowsOf(weekly('Sat', '22:00', 10, 'UTC'), '2026-12-19T22:05Z', 1);
    expect(report.windows).toMatchObject([
      { from: Date.parse('2026-12-19T22:00Z'), open: true, tooShort: true, origins: ['a.toml:2'] },
    ]);
  });

  test('all the time is so without end', () => {
    const report = windowsOf(weekly('*', '00:00', 1440, 'Europe/Berlin'), '2026-12-19T22:05Z', 5);
    expect(report.windows).toMatchObject([{ from: -Infinity, to: Infinity, open: true, usableMs: Infinity }]);
  });
});
