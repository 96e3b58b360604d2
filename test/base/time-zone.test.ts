import { afterEach, expect, test } from 'vitest';
import { resolveTimeZone } from '../../src/base/time-zone.ts';

const before = process.env['TZ'];

afterEach(() => {
  if (before === undefined) delete process.env['TZ'];
  else process.env['TZ'] = before;
});

test('a name stands for itself', () => {
  expect(resolveTimeZone('Pacific/Chatham')).toBe('Pacific/Chatham');
});

test.each([
  ['Europe/Berlin', 'Europe/Berlin'],
  [':Asia/Tokyo', 'Asia/Tokyo'],
  ['UTC', 'UTC'],
  ['', 'UTC'],
  ['Nowhere/Land', 'UTC'],
])('localtime under TZ=%j is %s', (zone, expected) => {
  process.env['TZ'] = zone;
  expect(resolveTimeZone('localtime')).toBe(expected);
});
