import { join } from 'node:path';
import fc from 'fast-check';
import { format } from 'prettier';
import { describe, expect, test } from 'vitest';
import { HISTORY, STATUS, STATUS_SCHEMA } from '../../../src/manager/admin/wire.ts';
import type { FleetStatus } from '../../../src/manager/api.ts';
import type { AuditRecord, Freeze } from '../../../src/manager/document.ts';
import { refuse } from '../../../src/manager/answer.ts';
import { expectGolden } from '../../support/golden.ts';
import { AT, fleet, freeze, group, holder, MINUTE, waiter } from '../../support/manager-status.ts';

const moment = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) });
const words = fc.string({ unit: 'grapheme', maxLength: 8 });
const count = fc.nat(100_000);
const aFreeze: fc.Arbitrary<Freeze> = fc.record({
  since: moment,
  until: fc.option(moment),
  by: words,
  reason: words,
});
const aHolder = fc.record({
  id: words,
  since: moment,
  soakUntil: fc.option(moment),
  stale: fc.boolean(),
  lastSeen: fc.option(moment),
});
const aGroup = fc.record({
  name: words,
  problem: fc.option(words),
  configured: fc.boolean(),
  slots: count,
  wanted: words,
  resized: fc.boolean(),
  freeze: fc.option(aFreeze),
  holders: fc.array(aHolder, { maxLength: 3 }),
  waiters: fc.array(fc.record({ id: words, since: moment, lastAsked: moment, connected: fc.boolean() }), {
    maxLength: 3,
  }),
  waiting: count,
  waitingConnected: count,
  halted: fc.boolean(),
  closed: fc.option(fc.tuple(words, fc.option(count)).map(([value, ms]) => refuse('blocked', value, ms))),
  gate: fc.option(fc.record({ asked: fc.option(moment), refusal: fc.option(words), current: fc.boolean() })),
  seen: count,
});
const aStatus: fc.Arbitrary<FleetStatus> = fc.record({
  at: moment,
  store: fc.record({
    kind: fc.constantFrom('embedded', 'etcd'),
    warnings: fc.array(words, { maxLength: 2 }),
    oursOnly: fc.array(words, { maxLength: 2 }),
  }),
  freeze: fc.option(aFreeze),
  groups: fc.array(aGroup, { maxLength: 3 }),
});
const aRecord: fc.Arbitrary<AuditRecord> = fc.record({
  number: fc.nat(),
  at: moment,
  action: fc.constantFrom('granted', 'taken-back', 'frozen'),
  group: fc.option(words),
  id: fc.option(words),
  by: words,
  reason: words,
});

function wire(value: unknown): unknown {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as unknown);
}

describe('a status in JSON', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(aStatus, (status) => {
        expect(STATUS.read(wire(STATUS.write(status)), '')).toEqual(status);
      }),
    );
  });

  test('has moments in UTC, and null where there is none', () => {
    const holders = [holder('a', MINUTE, { lastSeen: null })];
    expect(wire(STATUS.write(fleet([group('g', { holders })])))).toMatchObject({
      at: '2026-07-23T14:00:00.000Z',
      freeze: null,
      groups: [{ holders: [{ since: '2026-07-23T13:59:00.000Z', soakUntil: null, lastSeen: null }] }],
    });
  });

  test('has no moment that is none, whatever the store holds', () => {
    const written = wire(STATUS.write(fleet([group('g', { holders: [{ ...holder('a', 0), since: 1e300 }] })])));
    expect(written).toMatchObject({ groups: [{ holders: [{ since: '9999-12-31T23:59:59.999Z' }] }] });
  });

  test('is what the published schema says', async () => {
    const text = await format(JSON.stringify(STATUS_SCHEMA), { parser: 'json', printWidth: 120 });
    expectGolden(text, join(import.meta.dirname, '../../../docs/manager-status.schema.json'));
  });
});

const FULL = wire(
  STATUS.write(
    fleet(
      [
        group('g', {
          freeze: freeze({ until: AT + MINUTE }),
          holders: [holder('a', MINUTE, { soakUntil: AT })],
          waiters: [waiter('b', MINUTE)],
          closed: refuse('blocked', 'no', 1),
          gate: { asked: AT, refusal: 'no', current: true },
          problem: 'p',
        }),
      ],
      { freeze: freeze(), store: { kind: 'etcd', warnings: ['w'], oursOnly: ['soak'] } },
    ),
  ),
);

/** Every place in a value, as a path. */
function places(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...path, key]))];
}

function replaced(value: unknown, [first, ...rest]: readonly string[], by: unknown): unknown {
  if (first === undefined) return by;
  if (Array.isArray(value))
    return value.map((inner: unknown, index) => (String(index) === first ? replaced(inner, rest, by) : inner));
  const raw = value as Readonly<Record<string, unknown>>;
  return { ...raw, [first]: replaced(raw[first], rest, by) };
}

describe('a status that is none', () => {
  test.each(places(FULL).map((path) => [path.join('.'), path] as const))('wrong at %s', (_, path) => {
    for (const bad of [undefined, 7.5, [[]], { x: 1 }]) {
      expect(() => STATUS.read(wire(replaced(FULL, path, bad)), '')).toThrow(/ was expected, .* was found$/);
    }
  });

  test.each([
    ['groups.0.holders.0.since', 'yesterday'],
    ['groups.0.holders.0.since', '2026-07-23T14:00:00+02:00'],
    ['groups.0.slots', -1],
    ['groups.0.closed.kind', 'whatever'],
    ['store.kind', 'redis'],
  ])('%s: %j', (path, bad) => {
    expect(() => STATUS.read(replaced(FULL, path.split('.'), bad), '')).toThrow('was expected');
  });

  test('may say more than we know', () => {
    expect(STATUS.read(replaced(FULL, ['groups', '0', 'new'], [1]), '')).toEqual(STATUS.read(FULL, ''));
  });
});

test('a history is read as it was written', () => {
  fc.assert(
    fc.property(fc.array(aRecord, { maxLength: 4 }), (records) => {
      expect(HISTORY.read(wire(HISTORY.write({ records })), '')).toEqual({ records });
    }),
  );
});
