import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DAY_NAMES, type Window } from '../../src/config/window.ts';
import { createCalendar, isOpen, nextOpening, openUntil } from '../../src/strategy/calendar.ts';
import { DAY, expectedNext, expectedOpen, inZone, MINUTE, shiftsBetween } from './oracle.ts';
import { ZONES } from './zones.ts';

/** `Sat,Sun 22:00 240`: days, start, minutes. */
function windows(...texts: readonly string[]): readonly Window[] {
  return texts.map((text) => {
    const [days = '', start = '', length = ''] = text.split(' ');
    const [hour = '', minute = ''] = start.split(':');
    return {
      days: days.split(',').map((day) => DAY_NAMES.findIndex((name) => name.startsWith(day))),
      startMinute: Number(hour) * 60 + Number(minute),
      lengthMinutes: Number(length),
    };
  });
}

const EVERY_DAY = 'Sun,Mon,Tue,Wed,Thu,Fri,Sat';

function utc(text: string): number {
  return Date.parse(`${text}Z`);
}

/** Every opening in [from, to), as `opens/closes` in UTC. */
function openings(zone: string, texts: readonly string[], from: string, to: string): readonly string[] {
  const calendar = createCalendar(windows(...texts), zone);
  const found: string[] = [];
  let at = nextOpening(calendar, utc(from))!;
  while (at < utc(to)) {
    const until = openUntil(calendar, at)!;
    found.push([at, until].map((wall) => new Date(wall).toISOString().replace(/(:00)?\.000Z$/, '')).join('/'));
    at = nextOpening(calendar, until)!;
  }
  return found;
}

describe('a week without shifts', () => {
  // 2024-01-07 is a Sunday.
  test.each([
    ['one', ['Tue 02:00 90'], ['2024-01-09T02:00/2024-01-09T03:30']],
    ['several days', ['Mon,Wed 23:59 1'], ['2024-01-08T23:59/2024-01-09T00:00', '2024-01-10T23:59/2024-01-11T00:00']],
    ['over midnight', ['Wed 22:00 240'], ['2024-01-10T22:00/2024-01-11T02:00']],
    [
      'over the end of the week',
      ['Sat 22:00 240'],
      ['2024-01-07T00:00/2024-01-07T02:00', '2024-01-13T22:00/2024-01-14T02:00'],
    ],
    ['to the end of the week', ['Sat 22:00 120'], ['2024-01-13T22:00/2024-01-14T00:00']],
    ['overlapping', ['Mon 02:00 60', 'Mon 02:30 60'], ['2024-01-08T02:00/2024-01-08T03:30']],
    ['one in another', ['Mon 02:30 30', 'Mon 02:00 90'], ['2024-01-08T02:00/2024-01-08T03:30']],
    ['adjacent', ['Mon 03:00 60', 'Mon 02:00 60'], ['2024-01-08T02:00/2024-01-08T04:00']],
    [
      'a minute apart',
      ['Mon 02:00 60', 'Mon 03:01 59'],
      ['2024-01-08T02:00/2024-01-08T03:00', '2024-01-08T03:01/2024-01-08T04:00'],
    ],
    ['adjacent at midnight', ['Mon,Tue 00:00 1440'], ['2024-01-08T00:00/2024-01-10T00:00']],
    [
      'a week without a minute',
      ['Wed 12:01 10079'],
      ['2024-01-07T00:00/2024-01-10T12:00', '2024-01-10T12:01/2024-01-17T12:00'],
    ],
    ['the same twice', ['Mon 02:00 60', 'Mon 02:00 60'], ['2024-01-08T02:00/2024-01-08T03:00']],
  ])('%s', (_, texts, expected) => {
    expect(openings('UTC', texts, '2024-01-07T00:00', '2024-01-14T00:00')).toEqual(expected);
  });

  test('on the clocks of a zone', () => {
    const asked = ['2024-01-07T00:00', '2024-01-14T00:00'] as const;
    expect(openings('Asia/Kathmandu', ['Tue 02:00 90'], ...asked)).toEqual(['2024-01-08T20:15/2024-01-08T21:45']);
    expect(openings('America/New_York', ['Tue 22:00 90'], ...asked)).toEqual(['2024-01-10T03:00/2024-01-10T04:30']);
  });

  test('ends are half-open, to the millisecond', () => {
    const calendar = createCalendar(windows('Tue 02:00 90'), 'Europe/Berlin');
    const [from, to] = [utc('2024-01-09T01:00'), utc('2024-01-09T02:30')];
    expect([from - 1, from, to - 1, to].map((wall) => isOpen(calendar, wall))).toEqual([false, true, true, false]);
    expect([from - 1, from, to - 1, to].map((wall) => nextOpening(calendar, wall))).toEqual([
      from,
      from,
      to - 1,
      from + 7 * DAY,
    ]);
    expect([from - 1, from, to - 1, to].map((wall) => openUntil(calendar, wall))).toEqual([null, to, to, null]);
  });
});

describe('never and always', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const wall = utc('2024-03-31T00:59');

  test('without windows it is never open', () => {
    const calendar = createCalendar([], 'Europe/Berlin');
    expect([isOpen(calendar, wall), nextOpening(calendar, wall), openUntil(calendar, wall)]).toEqual([
      false,
      null,
      null,
    ]);
  });

  test.each([
    [['Wed 12:00 10080']],
    [['Sun 00:00 10080']],
    [[`${EVERY_DAY} 07:00 1440`]],
    [['Sun 00:00 5000', 'Wed 00:00 6000']],
  ])('windows of a whole week are open for ever: %j', (texts) => {
    const calendar = createCalendar(windows(...texts), 'Europe/Berlin');
    expect([isOpen(calendar, wall), nextOpening(calendar, wall), openUntil(calendar, wall)]).toEqual([
      true,
      wall,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test('an unknown zone is an error where it matters', () => {
    expect(() => createCalendar(windows('Mon 02:00 60'), 'Nowhere/Land')).toThrow(RangeError);
    expect(() => createCalendar(windows('Mon 02:00 60'), 'localtime')).toThrow(RangeError);
  });

  test.each([
    [[], 'Europe/Berlin'],
    [['Sun 00:00 10080'], 'Europe/Berlin'],
    [['Mon 02:00 60'], 'UTC'],
  ])('windows %j in %s load no time zones', (texts, zone) => {
    const format = vi.spyOn(Intl, 'DateTimeFormat');
    const calendar = createCalendar(windows(...texts), zone);
    nextOpening(calendar, wall);
    openUntil(calendar, wall);
    expect(format).not.toHaveBeenCalled();
  });
});

describe('clocks that change', () => {
  interface Change {
    readonly what: string;
    readonly zone: string;
    readonly around: readonly [string, string];
    readonly cases: readonly (readonly [texts: readonly string[], expected: readonly string[]])[];
  }

  const changes: readonly Change[] = [
    {
      what: '02:00 to 03:00 at 01:00 UTC',
      zone: 'Europe/Berlin',
      around: ['2024-03-30T12:00', '2024-03-31T12:00'],
      cases: [
        [['Sun 02:15 30'], []],
        [['Sun 02:00 60'], []],
        [['Sun 02:30 60'], ['2024-03-31T01:00/2024-03-31T01:30']],
        [['Sun 01:30 60'], ['2024-03-31T00:30/2024-03-31T01:00']],
        [['Sun 01:00 180'], ['2024-03-31T00:00/2024-03-31T02:00']],
        [['Sun 01:00 60', 'Sun 03:00 60'], ['2024-03-31T00:00/2024-03-31T02:00']],
      ],
    },
    {
      what: '03:00 back to 02:00 at 01:00 UTC',
      zone: 'Europe/Berlin',
      around: ['2024-10-26T12:00', '2024-10-27T12:00'],
      cases: [
        [['Sun 02:15 30'], ['2024-10-27T00:15/2024-10-27T00:45', '2024-10-27T01:15/2024-10-27T01:45']],
        [['Sun 02:00 60'], ['2024-10-27T00:00/2024-10-27T02:00']],
        [['Sun 02:30 60'], ['2024-10-27T00:30/2024-10-27T01:00', '2024-10-27T01:30/2024-10-27T02:30']],
        [['Sun 01:30 60'], ['2024-10-26T23:30/2024-10-27T00:30', '2024-10-27T01:00/2024-10-27T01:30']],
        [['Sun 01:00 180'], ['2024-10-26T23:00/2024-10-27T03:00']],
      ],
    },
    {
      what: 'half an hour, 02:00 to 02:30 at 15:30 UTC',
      zone: 'Australia/Lord_Howe',
      around: ['2024-10-05T00:00', '2024-10-06T00:00'],
      cases: [
        [['Sun 02:00 30'], []],
        [['Sun 02:15 30'], ['2024-10-05T15:30/2024-10-05T15:45']],
        [['Sun 01:30 90'], ['2024-10-05T15:00/2024-10-05T16:00']],
      ],
    },
    {
      what: 'half an hour, 02:00 back to 01:30 at 15:00 UTC',
      zone: 'Australia/Lord_Howe',
      around: ['2024-04-06T00:00', '2024-04-07T00:00'],
      cases: [
        [['Sun 01:30 30'], ['2024-04-06T14:30/2024-04-06T15:30']],
        [['Sun 01:00 45'], ['2024-04-06T14:00/2024-04-06T14:45', '2024-04-06T15:00/2024-04-06T15:15']],
      ],
    },
    {
      what: 'midnight to 01:00, at 03:00 UTC',
      zone: 'America/Sao_Paulo',
      around: ['2018-11-03T12:00', '2018-11-04T12:00'],
      cases: [
        [['Sun 00:00 30'], []],
        [['Sat 23:30 60'], ['2018-11-04T02:30/2018-11-04T03:00']],
        [['Sat 23:30 120'], ['2018-11-04T02:30/2018-11-04T03:30']],
      ],
    },
    {
      what: 'midnight back to Saturday 23:00, at 02:00 UTC',
      zone: 'America/Sao_Paulo',
      around: ['2018-02-17T12:00', '2018-02-18T12:00'],
      cases: [
        [['Sat 23:30 60'], ['2018-02-18T01:30/2018-02-18T02:00', '2018-02-18T02:30/2018-02-18T03:30']],
        [['Sun 00:00 60'], ['2018-02-18T03:00/2018-02-18T04:00']],
      ],
    },
    {
      what: 'a minute past midnight to 01:01, at 03:31 UTC',
      zone: 'America/St_Johns',
      around: ['2011-03-12T12:00', '2011-03-13T12:00'],
      cases: [
        [['Sun 00:00 30'], ['2011-03-13T03:30/2011-03-13T03:31']],
        [['Sun 00:30 60'], ['2011-03-13T03:31/2011-03-13T04:00']],
      ],
    },
    {
      what: 'over the date line, Thursday 24:00 to Saturday 00:00 at 10:00 UTC',
      zone: 'Pacific/Apia',
      around: ['2011-12-28T00:00', '2012-01-03T00:00'],
      cases: [
        [['Fri 00:00 1440'], []],
        [['Thu 22:00 240'], ['2011-12-30T08:00/2011-12-30T10:00']],
        [['Fri 22:00 240'], ['2011-12-30T10:00/2011-12-30T12:00']],
        [['Thu 22:00 3000'], ['2011-12-30T08:00/2011-12-31T10:00']],
      ],
    },
    {
      what: 'seconds, at 00:44:30 UTC to the same',
      zone: 'Africa/Monrovia',
      around: ['1972-01-06T00:00', '1972-01-08T00:00'],
      cases: [
        [['Thu,Fri 00:00 30'], ['1972-01-06T00:44:30/1972-01-06T01:14:30']],
        [['Thu,Fri 02:00 1'], ['1972-01-06T02:44:30/1972-01-06T02:45:30', '1972-01-07T02:00/1972-01-07T02:01']],
        [['Fri 00:30 30'], ['1972-01-07T00:44:30/1972-01-07T01:00']],
      ],
    },
  ];

  describe.each(changes)('$zone, $what', ({ zone, around, cases }) => {
    test.each(cases.map(([texts, expected]) => ({ texts, expected })))('$texts', ({ texts, expected }) => {
      expect(openings(zone, texts, ...around)).toEqual(expected);
    });
  });

  test('a window that is skipped comes again in a week', () => {
    const berlin = createCalendar(windows('Sun 02:15 30'), 'Europe/Berlin');
    expect(nextOpening(berlin, utc('2024-03-31T00:00'))).toBe(utc('2024-04-07T00:15'));
    const apia = createCalendar(windows('Fri 00:00 1440'), 'Pacific/Apia');
    expect(nextOpening(apia, utc('2011-12-30T09:59:59'))).toBe(utc('2012-01-05T10:00'));
  });
});

/** Ten years like those of the other tests, but from where all of their clocks change at quarters of an hour. */
const FROM = utc('2011-11-10T00:00');
const TO = utc('2021-11-10T00:00');

describe.each(ZONES)('ten years in %s agree with reading the clock', (zone) => {
  /** Mostly where clocks change: at night, some on few days. */
  const window = fc.record({
    days: fc.subarray([0, 1, 2, 3, 4, 5, 6], { minLength: 1 }),
    startMinute: fc.oneof(fc.integer({ min: 0, max: 1439 }), fc.integer({ min: 0, max: 240 })),
    lengthMinutes: fc.oneof(
      fc.integer({ min: 1, max: 240 }),
      fc.integer({ min: 1, max: 3000 }),
      fc.integer({ min: 1, max: 10_080 }),
    ),
  });
  const instants = inZone(zone, () => {
    const anywhere = fc.integer({ min: FROM, max: TO });
    const shifts = shiftsBetween(FROM, TO);
    if (shifts.length === 0) return anywhere;
    const near = fc.integer({ min: -3 * DAY, max: DAY });
    const atShift = fc.tuple(fc.constantFrom(...shifts), fc.oneof(near, near, fc.constantFrom(-1, 0, 1)));
    return fc.oneof(anywhere, { weight: 3, arbitrary: atShift.map(([shift, before]) => shift + before) });
  });

  test('at any moment, minute by minute', () => {
    inZone(zone, () => {
      fc.assert(
        fc.property(fc.array(window, { minLength: 1, maxLength: 4 }), instants, (some, wall) => {
          const calendar = createCalendar(some, zone);
          const open = expectedOpen(some, wall);
          const end = wall + 22 * DAY;
          expect(isOpen(calendar, wall)).toBe(open);
          const from = nextOpening(calendar, wall)!;
          expect(from).toBe(open ? wall : expectedNext(some, true, wall, end, MINUTE));
          expect(Math.min(openUntil(calendar, from)!, end)).toBe(expectedNext(some, false, from, end, MINUTE));
          expect(openUntil(calendar, wall) === null).toBe(!open);
        }),
        { numRuns: 100 },
      );
    });
  });

  test('from opening to closing without a break, by quarters of an hour', () => {
    const some = windows(
      'Sun 00:00 30',
      'Sun 01:45 60',
      'Sun 02:45 15',
      'Thu 22:00 240',
      'Fri 23:30 120',
      'Sat 01:00 75',
    );
    inZone(zone, () => {
      const calendar = createCalendar(some, zone);
      const found: string[] = [];
      const expected: string[] = [];
      for (let at = FROM; at < TO;) {
        const from = nextOpening(calendar, at)!;
        const to = openUntil(calendar, from)!;
        const fromExpected = expectedOpen(some, at) ? at : expectedNext(some, true, at, TO + 14 * DAY, 15 * MINUTE);
        const toExpected = expectedNext(some, false, fromExpected, TO + 14 * DAY, 15 * MINUTE);
        found.push(`${new Date(from).toISOString()}/${new Date(to).toISOString()}`);
        expected.push(`${new Date(fromExpected).toISOString()}/${new Date(toExpected).toISOString()}`);
        at = toExpected;
      }
      expect(found).toEqual(expected);
    });
  });
});
