import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CalendarDate, Freeze, YearDay } from '../../src/config/freeze.ts';
import { createFreezes, freezeAt, type Frozenness } from '../../src/strategy/freeze.ts';
import { frozenMinutes, MINUTE, MinuteClock } from './minutes.ts';
import { FROM, TO, ZONES } from './zones.ts';

const DAY = 86_400_000;

/** `2026-12-20` or `12-20`, up to and including the second one. */
function freeze(from: string, until: string = from, reason = 'closed', timeZone: string | null = null): Freeze {
  const [first, last] = [from, until].map((text) => text.split('-').map(Number));
  const day = (parts: readonly number[]): YearDay => ({ month: parts.at(-2)!, day: parts.at(-1)! });
  const common = { reason, timeZone };
  if (first!.length === 2) return { kind: 'yearly', from: day(first!), until: day(last!), ...common };
  const date = (parts: readonly number[]): CalendarDate => ({ year: parts[0]!, ...day(parts) });
  return { kind: 'once', from: date(first!), until: date(last!), ...common };
}

function utc(text: string): number {
  return Date.parse(`${text}Z`);
}

function at(list: readonly Freeze[], moment: string, zone = 'UTC'): Frozenness {
  return freezeAt(createFreezes(list, zone, 'UTC'), utc(moment));
}

/** Every frozen time in [from, to), as `from/until` in UTC. */
function times(zone: string, list: readonly Freeze[], from: string, to: string): readonly string[] {
  const freezes = createFreezes(list, zone, 'UTC');
  const found: string[] = [];
  for (let wall = utc(from); wall < utc(to);) {
    const now = freezeAt(freezes, wall);
    if (now.frozen) found.push([wall, now.until].map((end) => new Date(end).toISOString().slice(0, 16)).join('/'));
    wall = now.frozen ? now.until : (now.next ?? Number.POSITIVE_INFINITY);
  }
  return found;
}

describe('freezes', () => {
  test('are half-open, with both days included', () => {
    const list = [freeze('2026-12-20', '2026-12-22')];
    const [from, until] = [utc('2026-12-20T00:00'), utc('2026-12-23T00:00')];
    const freezes = createFreezes(list, 'UTC', 'UTC');
    expect([from - 1, from, until - 1, until].map((wall) => freezeAt(freezes, wall))).toEqual([
      { frozen: false, next: from },
      { frozen: true, until, reason: 'closed', index: 0 },
      { frozen: true, until, reason: 'closed', index: 0 },
      { frozen: false, next: null },
    ]);
  });

  test('without any, nothing is frozen', () => {
    expect(at([], '2026-01-01T00:00')).toEqual({ frozen: false, next: null });
  });

  test.each([
    ['touch', ['2026-12-20', '2026-12-22'], ['2026-12-23', '2026-12-24'], '2026-12-20T00:00/2026-12-25T00:00'],
    ['overlap', ['2026-12-20', '2026-12-23'], ['2026-12-22', '2026-12-24'], '2026-12-20T00:00/2026-12-25T00:00'],
    ['contain one another', ['2026-12-20', '2026-12-24'], ['2026-12-22'], '2026-12-20T00:00/2026-12-25T00:00'],
    ['are yearly and not', ['2026-12-31'], ['01-01', '01-06'], '2026-12-31T00:00/2027-01-07T00:00'],
  ])('that %s are one', (_, one, other, expected) => {
    const list = [one, other].map(([from, until]) => freeze(from!, until));
    expect(times('UTC', list, '2026-12-01T00:00', '2027-01-01T00:00')).toEqual([expected]);
    expect(times('UTC', list.toReversed(), '2026-12-01T00:00', '2027-01-01T00:00')).toEqual([expected]);
  });

  test('a day between them is not frozen', () => {
    const list = [freeze('2026-12-20'), freeze('2026-12-22')];
    expect(times('UTC', list, '2026-12-01T00:00', '2027-01-01T00:00')).toEqual([
      '2026-12-20T00:00/2026-12-21T00:00',
      '2026-12-22T00:00/2026-12-23T00:00',
    ]);
  });

  test('give the reason of the one that lasts longest of those that hold', () => {
    const list = [
      freeze('2026-12-20', '2026-12-22', 'inventory'),
      freeze('2026-12-21', '2026-12-31', 'holidays'),
      freeze('2027-01-01', '2027-02-01', 'audit'),
    ];
    const until = utc('2027-02-02T00:00');
    expect(at(list, '2026-12-20T12:00')).toEqual({ frozen: true, until, reason: 'inventory', index: 0 });
    expect(at(list, '2026-12-21T12:00')).toEqual({ frozen: true, until, reason: 'holidays', index: 1 });
    expect(at(list, '2027-01-01T12:00')).toEqual({ frozen: true, until, reason: 'audit', index: 2 });
  });

  test('that are yearly may run over the end of the year', () => {
    const list = [freeze('12-20', '01-06')];
    expect(times('UTC', list, '2026-01-01T00:00', '2028-01-01T00:00')).toEqual([
      '2026-01-01T00:00/2026-01-07T00:00',
      '2026-12-20T00:00/2027-01-07T00:00',
      '2027-12-20T00:00/2028-01-07T00:00',
    ]);
  });

  test('know the 29th of February', () => {
    const years = ['2095-01-01T00:00', '2105-01-01T00:00'] as const;
    expect(times('UTC', [freeze('02-29')], ...years)).toEqual([
      '2096-02-29T00:00/2096-03-01T00:00',
      '2104-02-29T00:00/2104-03-01T00:00',
    ]);
    const short = ['2027-01-01T00:00', '2029-01-01T00:00'] as const;
    expect(times('UTC', [freeze('02-29', '03-02')], ...short)).toEqual([
      '2027-03-01T00:00/2027-03-03T00:00',
      '2028-02-29T00:00/2028-03-03T00:00',
    ]);
    expect(times('UTC', [freeze('02-27', '02-29')], ...short)).toEqual([
      '2027-02-27T00:00/2027-03-01T00:00',
      '2028-02-27T00:00/2028-03-01T00:00',
    ]);
  });

  test('of a whole year are for ever, and those of all but a rare day are not', () => {
    const whole = { frozen: true, until: Number.POSITIVE_INFINITY, reason: 'closed', index: 0 };
    expect(at([freeze('01-01', '12-31')], '2026-06-01T00:00')).toEqual(whole);
    expect(at([freeze('01-01', '06-30'), freeze('07-01', '12-31')], '2026-06-01T00:00')).toEqual(whole);
    expect(at([freeze('03-01', '02-28')], '2026-06-01T00:00')).toEqual({ ...whole, until: utc('2028-02-29T00:00') });
    expect(at([freeze('03-01', '02-28')], '2096-06-01T00:00')).toEqual({ ...whole, until: utc('2104-02-29T00:00') });
    const long = [freeze('1990-01-01', '2089-12-31'), freeze('03-01', '02-28')];
    expect(at(long, '2026-06-01T00:00')).toEqual({ ...whole, until: utc('2092-02-29T00:00') });
  });

  test('have the dates of their zones', () => {
    const list = [freeze('2026-12-20', '2026-12-20', 'a'), freeze('2026-12-20', '2026-12-20', 'b', 'Pacific/Auckland')];
    expect(at(list, '2026-12-19T12:00', 'America/New_York')).toMatchObject({ frozen: true, reason: 'b' });
    expect(at(list, '2026-12-19T10:59', 'America/New_York')).toEqual({ frozen: false, next: utc('2026-12-19T11:00') });
    expect(at(list, '2026-12-20T11:00', 'America/New_York')).toMatchObject({ frozen: true, reason: 'a' });
    expect(at(list, '2026-12-21T05:00', 'America/New_York')).toEqual({ frozen: false, next: null });
    const local = createFreezes([freeze('2026-12-20')], 'localtime', 'Asia/Kathmandu');
    expect(freezeAt(local, utc('2026-12-19T18:15'))).toMatchObject({ frozen: true });
    expect(() => createFreezes(list, 'Nowhere/Land', 'UTC')).toThrow(RangeError);
  });

  test.each([
    ['a day that begins at 01:00', 'America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00/2018-11-05T02:00'],
    ['a day that ends twice at 23:00', 'America/Sao_Paulo', '2018-02-17', '2018-02-17T02:00/2018-02-18T03:00'],
    ['a day whose first minute comes twice', 'America/St_Johns', '2010-11-07', '2010-11-07T02:30/2010-11-08T03:30'],
    ['a day that comes back after midnight', 'America/St_Johns', '2010-11-06', '2010-11-06T02:30/2010-11-07T03:30'],
  ])('%s', (_, zone, day, expected) => {
    expect(times(zone, [freeze(day)], '2010-01-01T00:00', '2020-01-01T00:00')).toEqual([expected]);
  });

  test('a day that a zone leaves out is not frozen', () => {
    const leftOut = [freeze('2011-12-30')];
    expect(times('Pacific/Apia', leftOut, '2011-12-01T00:00', '2012-02-01T00:00')).toEqual([]);
    expect(at(leftOut, '2011-12-29T00:00', 'Pacific/Apia')).toEqual({ frozen: false, next: null });
    expect(times('Pacific/Apia', [freeze('12-29', '12-30')], '2011-12-01T00:00', '2012-02-01T00:00')).toEqual([
      '2011-12-29T10:00/2011-12-30T10:00',
    ]);
  });
});

describe.each(ZONES)('ten years of freezes in %s', (zone) => {
  test('agree with reading the date minute by minute', () => {
    const clock = new MinuteClock(zone, FROM / MINUTE, TO / MINUTE);
    const shifts = clock.shifts().map((minute) => minute * MINUTE);
    const anywhere = fc.integer({ min: FROM, max: TO - 1 });
    const days = fc
      .tuple(
        shifts.length === 0 ? anywhere : fc.oneof(anywhere, fc.constantFrom(...shifts)),
        fc.integer({ min: -2, max: 2 }),
      )
      .map(([wall, away]) => new Date(wall + away * DAY).toISOString().slice(0, 10));
    const one = fc.tuple(days, days, fc.boolean()).map(([a, b, yearly]) => {
      const [from, until] = a < b ? [a, b] : [b, a];
      return yearly ? freeze(a.slice(5), b.slice(5)) : freeze(from, until);
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 3 }), (list) => {
        const expected = frozenMinutes(list.map((each) => ({ freeze: each, clock })));
        const freezes = createFreezes(list, zone, 'UTC');
        const found: [number, number][] = [];
        for (let wall = FROM; wall < TO;) {
          const now = freezeAt(freezes, wall);
          const next = Math.min(now.frozen ? now.until : (now.next ?? TO), TO);
          if (now.frozen) found.push([wall / MINUTE, next / MINUTE]);
          // Which of several that hold lasts longest may change meanwhile.
          expect({ ...freezeAt(freezes, next - 1), index: 0 }).toEqual({ ...now, index: 0 });
          wall = next;
        }
        expect(found).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });
});
