import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AdminOrder,
  historyQuery,
  orderBody,
  parseHistoryQuery,
  parseOrder,
} from '../../../src/manager/admin/orders.ts';

const NOW = Date.UTC(2026, 6, 23, 14);

const by = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 }).map((name) => name.trim() || 'anna');
const reason = fc.string({ unit: 'grapheme-ascii', maxLength: 40 }).map((text) => text.trim());
const group = fc.stringMatching(/^[a-zA-Z0-9.-]{1,20}$/);
const groupOrAll = fc.option(group);
const id = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const order: fc.Arbitrary<AdminOrder> = fc.oneof(
  fc.record({ operation: fc.constant('lock'), group, id, by, reason }),
  fc.record({ operation: fc.constant('unlock'), group, id, force: fc.constant(false), by, reason }),
  fc.record({
    operation: fc.constant('unlock'),
    group,
    id,
    force: fc.constant(true),
    by,
    reason: reason.map((text) => text || 'x'),
  }),
  fc.record({ operation: fc.constant('resize'), group, slots: fc.integer({ min: 0, max: 100_000 }), by, reason }),
  fc.record({
    operation: fc.constant('freeze'),
    group: groupOrAll,
    until: fc.option(fc.integer({ min: NOW + 1, max: NOW * 2 })),
    by,
    reason,
  }),
  fc.record({ operation: fc.constant('thaw'), group: groupOrAll, by, reason }),
);

test('an order is read as it was written', () => {
  fc.assert(
    fc.property(order, (given) => {
      expect(parseOrder(given.operation, orderBody(given), NOW)).toEqual(given);
    }),
  );
});

test.each(['', 'x'.repeat(100_000), '\ud800', 'a\nb'])('by force whatever holds a slot is released', (odd) => {
  const given = { operation: 'unlock', group: 'g', id: odd, force: true, by: 'me', reason: 'x' } as const;
  expect(parseOrder('unlock', orderBody(given), NOW)).toEqual(given);
  const gently = { ...given, force: false };
  if (odd !== 'a\nb') expect(() => parseOrder('unlock', orderBody(gently), NOW)).toThrow(/^id: /);
  expect(() => parseOrder('unlock', JSON.stringify({ ...GOOD.unlock, id: 7 }), NOW)).toThrow(/^id: /);
});

test('what may be left out is', () => {
  const parse = (operation: AdminOrder['operation'], body: unknown): AdminOrder =>
    parseOrder(operation, JSON.stringify(body), NOW);
  expect(parse('unlock', { group: 'g', id: 'a', by: 'me' })).toMatchObject({ force: false, reason: '' });
  expect(parse('freeze', { group: null, by: 'me', reason: 'x' })).toMatchObject({ group: null, until: null });
});

const GOOD: Readonly<Record<AdminOrder['operation'], Readonly<Record<string, unknown>>>> = {
  lock: { group: 'g', id: 'a', by: 'me', reason: 'x' },
  unlock: { group: 'g', id: 'a', by: 'me', reason: 'x', force: true },
  resize: { group: 'g', slots: 2, by: 'me', reason: 'x' },
  freeze: { group: 'g', until: '2026-07-23T15:00:00Z', by: 'me', reason: 'x' },
  thaw: { group: null, by: 'me', reason: 'x' },
};

describe('an order is refused', () => {
  test.each<[AdminOrder['operation'], Readonly<Record<string, unknown>>, string]>([
    ['lock', { group: undefined }, "group: expected letters, digits, '.' and '-'"],
    ['lock', { group: null }, "group: expected letters, digits, '.' and '-'"],
    ['lock', { group: 'a b' }, "group: expected letters, digits, '.' and '-'"],
    ['lock', { group: 'g'.repeat(257) }, "group: expected letters, digits, '.' and '-'"],
    ['lock', { id: undefined }, 'id: expected a text that is not empty'],
    ['lock', { id: '' }, 'id: expected a text that is not empty'],
    ['lock', { id: 7 }, 'id: expected a text that is not empty'],
    ['lock', { id: 'x'.repeat(1025) }, 'id: longer than 1024 characters'],
    ['lock', { id: '\ud800' }, 'id: holds half of a character'],
    ['lock', { by: undefined }, 'by: expected a name of 1 to 128 characters in one line'],
    ['lock', { by: '' }, 'by: expected a name of 1 to 128 characters in one line'],
    ['lock', { by: 'a\nb' }, 'by: expected a name of 1 to 128 characters in one line'],
    ['lock', { by: 'x'.repeat(129) }, 'by: expected a name of 1 to 128 characters in one line'],
    ['lock', { reason: 7 }, 'reason: expected a text of at most 500 characters in one line'],
    ['lock', { reason: 'x'.repeat(501) }, 'reason: expected a text of at most 500 characters in one line'],
    ['lock', { reason: 'a\u001b[31m' }, 'reason: expected a text of at most 500 characters in one line'],
    ['lock', { force: true }, 'force: not a field of lock, which has group, id, by, reason'],
    ['lock', { 'a\nb': 1 }, 'a b: not a field of lock, which has group, id, by, reason'],
    ['unlock', { force: 'yes' }, 'force: expected true or false'],
    ['unlock', { reason: '' }, 'reason: needed with force'],
    ['unlock', { forced: true }, 'forced: not a field of unlock, which has group, id, force, by, reason'],
    ['resize', { slots: undefined }, 'slots: expected a whole number, 0 to 100000'],
    ['resize', { slots: -1 }, 'slots: expected a whole number, 0 to 100000'],
    ['resize', { slots: 1.5 }, 'slots: expected a whole number, 0 to 100000'],
    ['resize', { slots: '2' }, 'slots: expected a whole number, 0 to 100000'],
    ['resize', { slots: 100_001 }, 'slots: expected a whole number, 0 to 100000'],
    ['freeze', { group: undefined }, "group: expected letters, digits, '.' and '-', or null for all groups"],
    ['freeze', { until: 1_784_815_200_000 }, 'until: expected a moment such as 2026-07-23T14:00:00Z, or null'],
    ['freeze', { until: 'tomorrow' }, 'until: expected a moment such as 2026-07-23T14:00:00Z, or null'],
    ['freeze', { until: '2026-07-23T14:00:00Z' }, 'until: lies in the past'],
    ['thaw', { group: undefined }, "group: expected letters, digits, '.' and '-', or null for all groups"],
    ['thaw', { until: null }, 'until: not a field of thaw, which has group, by, reason'],
  ])('%s with %j', (operation, change, message) => {
    expect(() => parseOrder(operation, JSON.stringify({ ...GOOD[operation], ...change }), NOW)).toThrow(message);
    expect(parseOrder(operation, JSON.stringify(GOOD[operation]), NOW)).toMatchObject({ operation, by: 'me' });
  });

  test.each([
    ['', 'the body is not JSON'],
    ['{', 'the body is not JSON'],
    ['[]', 'the body is no JSON object'],
    ['null', 'the body is no JSON object'],
    ['"x"', 'the body is no JSON object'],
    ['{"__proto__":{"group":"g","id":"a","by":"me"}}', '__proto__: not a field of lock'],
    ['{}', 'by: expected a name'],
  ])('whose body is %s', (body, message) => {
    expect(() => parseOrder('lock', body, NOW)).toThrow(message);
  });
});

describe('a question for the history', () => {
  test('is read as it was written', () => {
    const query = fc.record({ group, id, most: fc.integer({ min: 1, max: 10_000 }) }, { requiredKeys: ['most'] });
    fc.assert(
      fc.property(query, (given) => {
        expect(parseHistoryQuery(new URLSearchParams(historyQuery(given)), 1)).toEqual(given);
      }),
    );
    expect(parseHistoryQuery(new URLSearchParams(), 7)).toEqual({ most: 7 });
  });

  test.each([
    ['most=0', 'most: expected a whole number, 1 to 10000'],
    ['most=10001', 'most: expected a whole number, 1 to 10000'],
    ['most=1e3', 'most: expected a whole number, 1 to 10000'],
    ['most=', 'most: expected a whole number, 1 to 10000'],
    ['group=', "group: expected letters, digits, '.' and '-'"],
    ['id=', 'id: expected a text that is not empty'],
    ['id=a&id=b', 'id: given twice'],
    ['limit=5', 'limit: not known here, only group, id, most'],
  ])('%s is refused', (query, message) => {
    expect(() => parseHistoryQuery(new URLSearchParams(query), 1)).toThrow(message);
  });
});
