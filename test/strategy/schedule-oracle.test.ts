import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCron } from '../../src/config/cron-library.ts';
import type { RebootWindow } from '../../src/config/reboot-window.ts';
import { createSchedule, scheduleAt, windowsAfter, type Openness } from '../../src/strategy/schedule.ts';
import { cronText, MINUTE, MinuteClock, openMinutes, type CronSpec, type OracleWindow } from './minutes.ts';
import { FROM, TO, ZONES } from './zones.ts';

const DAY = 1440;
/** The zone of windows that have one of their own. */
const OTHER = 'Australia/Lord_Howe';
/** So far ahead an answer is compared; what comes later must be said to come later. */
const AHEAD = 22 * DAY;

type Shape =
  | { readonly kind: 'weekly'; readonly days: readonly number[]; readonly start: number; readonly length: number }
  | { readonly kind: 'cron'; readonly spec: CronSpec; readonly length: number };

/** Mostly where clocks change, which is at night. */
const length = fc.oneof(
  fc.integer({ min: 1, max: 240 }),
  fc.integer({ min: 1, max: 3000 }),
  fc.constantFrom(60, 10_080),
);
const few = (min: number, max: number) => fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 3 });
const spec: fc.Arbitrary<CronSpec> = fc.record({
  minutes: fc.oneof(few(0, 59), fc.constantFrom([0], [30], [0, 15, 30, 45])),
  hours: fc.oneof(few(0, 3), few(0, 23), fc.constant(Array.from({ length: 24 }, (_, hour) => hour))),
  daysOfMonth: fc.oneof(
    fc.constant(null),
    fc.uniqueArray(fc.oneof(fc.integer({ min: 1, max: 28 }), fc.constant('L' as const)), {
      minLength: 1,
      maxLength: 4,
    }),
  ),
  months: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, few(1, 12)),
  daysOfWeek: fc.oneof(
    { weight: 2, arbitrary: fc.constant(null) },
    few(0, 6).map((days) => days.map((day) => ({ day, nth: null }))),
    fc.tuple(few(0, 6), fc.constant('L' as const)).map(([days, nth]) => days.map((day) => ({ day, nth }))),
    fc.record({ day: fc.nat(7), nth: fc.integer({ min: 1, max: 5 }) }).map((one) => [one]),
  ),
});
const shape: fc.Arbitrary<Shape> = fc.oneof(
  fc.record({
    kind: fc.constant('weekly' as const),
    days: fc.subarray([0, 1, 2, 3, 4, 5, 6], { minLength: 1 }),
    start: fc.oneof(fc.nat(1439), fc.nat(240)),
    length,
  }),
  fc.record({ kind: fc.constant('cron' as const), spec, length }),
);

function window(of: Shape, timeZone: string | null): RebootWindow {
  if (of.kind === 'weekly') {
    return { kind: 'weekly', days: of.days, startMinute: of.start, lengthMinutes: of.length, timeZone };
  }
  const schedule = cronText(of.spec);
  const fields = readCron(schedule);
  if (typeof fields === 'string') throw new Error(`${schedule}: ${fields}`);
  return { kind: 'cron', schedule, fields, lengthMinutes: of.length, timeZone };
}

function oracle(of: Shape, clock: MinuteClock): OracleWindow {
  return of.kind === 'weekly'
    ? { kind: 'weekly', days: of.days, startMinute: of.start, lengthMinutes: of.length, clock }
    : { kind: 'cron', spec: of.spec, lengthMinutes: of.length, clock };
}

const [FIRST, LAST] = [FROM / MINUTE, TO / MINUTE];
const options = { timeZone: 'localtime', randomPlace: false, nodeId: 'node', graceMs: 0 };
let other: MinuteClock;
let otherShifts: readonly number[] = [];
beforeAll(() => {
  other = new MinuteClock(OTHER, FIRST - 20 * DAY, LAST + 30 * DAY);
  otherShifts = other.shifts();
});

describe.each(ZONES)('ten years of windows in %s', (zone) => {
  let clock: MinuteClock | null = null;
  let shifts: readonly number[] = [];
  beforeAll(() => {
    clock = new MinuteClock(zone, FIRST - 20 * DAY, LAST + 30 * DAY);
    shifts = [...clock.shifts(), ...otherShifts].filter((minute) => minute > FIRST && minute < LAST);
  });
  afterAll(() => {
    clock = null;
  });

  test('membership, next start and next end agree with reading the clock minute by minute', () => {
    const anywhere = fc.integer({ min: FIRST, max: LAST - 1 });
    const near = fc.oneof(fc.integer({ min: -4 * DAY, max: DAY }), fc.integer({ min: -200, max: 200 }));
    const atShift = fc.tuple(fc.constantFrom(...shifts), near).map(([shift, minutes]) => shift + minutes);
    const instant = fc.oneof(anywhere, { weight: 4, arbitrary: atShift });
    const windows = fc.array(fc.tuple(shape, fc.boolean()), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(windows, instant, fc.nat(MINUTE - 1), (some, minute, ms) => {
        const schedule = createSchedule(
          { ...options, windows: some.map(([of, own]) => window(of, own ? OTHER : null)) },
          zone,
        );
        const open = openMinutes(
          some.map(([of, own]) => oracle(of, own ? other : clock!)),
          minute,
          minute + AHEAD,
        );
        expect(limited(scheduleAt(schedule, minute * MINUTE + ms), minute)).toEqual(expected(open, minute));
      }),
      { numRuns: 120 },
    );
  });

  test('from opening to closing without a break', () => {
    const some: readonly [Shape, boolean][] = [
      [{ kind: 'weekly', days: [0], start: 105, length: 60 }, false],
      [{ kind: 'weekly', days: [4, 6], start: 1350, length: 75 }, false],
      [{ kind: 'weekly', days: [6], start: 1410, length: 60 }, true],
      [
        {
          kind: 'cron',
          spec: { ...EVERY_DAY, hours: [0, 2], minutes: [30], daysOfWeek: [{ day: 7, nth: null }] },
          length: 45,
        },
        false,
      ],
      [{ kind: 'cron', spec: { ...EVERY_DAY, hours: [1], minutes: [45], daysOfMonth: [1, 'L'] }, length: 200 }, false],
    ];
    const open = openMinutes(
      some.map(([of, own]) => oracle(of, own ? other : clock!)),
      FIRST,
      LAST,
    );
    const found: string[] = [];
    for (let at = FIRST; at < LAST;) {
      const from = open.indexOf(1, at - FIRST) + FIRST;
      if (from < FIRST) break;
      const end = open.indexOf(0, from - FIRST);
      at = end === -1 ? LAST : end + FIRST;
      found.push(text(from * MINUTE, at * MINUTE));
    }
    const schedule = createSchedule(
      { ...options, windows: some.map(([of, own]) => window(of, own ? OTHER : null)) },
      zone,
    );
    const answers = windowsAfter(schedule, FROM, found.length);
    expect(answers.map(({ from, to }) => text(from, Math.min(to, TO)))).toEqual(found);
  });
});

const EVERY_DAY: CronSpec = { minutes: [0], hours: [0], daysOfMonth: null, months: null, daysOfWeek: null };

function text(from: number, to: number): string {
  return [from, to].map((wall) => new Date(wall).toISOString().slice(0, 16)).join('/');
}

/** The answer in minutes, as far as it is looked at. */
function limited(answer: Openness, minute: number): { open: boolean; next: number } {
  const next = answer.open ? answer.until : (answer.opens ?? Number.POSITIVE_INFINITY);
  return { open: answer.open, next: Math.min(next / MINUTE, minute + AHEAD) };
}

function expected(open: Uint8Array, minute: number): { open: boolean; next: number } {
  const change = open.indexOf(open[0] === 1 ? 0 : 1);
  return { open: open[0] === 1, next: minute + (change === -1 ? AHEAD : change) };
}
