import { describe, expect, test } from 'vitest';
import type { CronFields } from '../../src/config/cron.ts';
import { readCron } from '../../src/config/cron-library.ts';
import { buildConfig } from '../../src/config/load.ts';

const upTo = (last: number): number[] => Array.from({ length: last + 1 }, (_, index) => index);
const EVERY: CronFields = {
  minutes: upTo(59),
  hours: upTo(23),
  months: upTo(12).slice(1),
  daysOfMonth: null,
  daysOfWeek: null,
};
const weekdays = (...days: number[]) => days.map((day) => ({ day, nth: null }));

describe('a cron expression', () => {
  test.each<[string, Partial<CronFields>]>([
    ['* * * * *', {}],
    ['? ? ? ? ?', {}],
    ['*/20 1-3 * * *', { minutes: [0, 20, 40], hours: [1, 2, 3] }],
    ['5/25 2-10/4 * * *', { minutes: [5, 30, 55], hours: [2, 6, 10] }],
    ['30,5 0 * Jan,MAR *', { minutes: [5, 30], hours: [0], months: [1, 3] }],
    ['* * 1,15 * *', { daysOfMonth: [1, 15] }],
    ['* * L * *', { daysOfMonth: ['last'] }],
    ['* * * * 0', { daysOfWeek: weekdays(0) }],
    ['* * * * 7', { daysOfWeek: weekdays(0) }],
    ['* * * * thu,Sat', { daysOfWeek: weekdays(4, 6) }],
    ['* * * * 5L', { daysOfWeek: [{ day: 5, nth: 'last' }] }],
    ['* * * * 7L', { daysOfWeek: [{ day: 0, nth: 'last' }] }],
    ['* * * * tue#2', { daysOfWeek: [{ day: 2, nth: 2 }] }],
    ['* * 13 * 5', { daysOfMonth: [13], daysOfWeek: weekdays(5) }],
  ])('%s', (text, fields) => {
    expect(readCron(text)).toEqual({ ...EVERY, ...fields });
  });

  test.each([
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * 32 * *',
    '* * * 13 *',
    '* * * * 8',
    '5-1 * * * *',
    '* * 30 2 *',
  ])('refuses %s', (text) => {
    expect(readCron(text)).toEqual(expect.any(String));
  });

  test('is an error of the configuration where it is not read', () => {
    const text = '[[updates.periodic.window]]\nschedule = "0 3 * * *"\nlength_minutes = 60\n';
    expect(buildConfig([{ path: 'x.toml', text }]).config).toBe(null);
    expect(buildConfig([{ path: 'x.toml', text }], [], readCron).config?.updates.periodic.windows).toEqual([
      {
        kind: 'cron',
        schedule: '0 3 * * *',
        fields: { ...EVERY, minutes: [0], hours: [3] },
        lengthMinutes: 60,
        timeZone: null,
      },
    ]);
  });
});
