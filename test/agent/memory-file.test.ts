import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Memory } from '../../src/agent/machine/memory.ts';
import { parseMemory, serializeMemory } from '../../src/agent/memory-file.ts';

const text = fc.string({ unit: 'binary', maxLength: 40 });
const moment = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }).map((ms) => ms + 0);
const release = fc.record({
  version: text,
  scheme: fc.constantFrom('checksum' as const, 'oci' as const),
  payload: text,
  ageIndex: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
});
const lock = { baseUrl: text, group: text, id: text };
const memories: fc.Arbitrary<Memory> = fc.record({
  bootId: text,
  bootWall: fc.option(moment),
  target: fc.option(fc.record({ release, staged: fc.boolean(), ours: fc.boolean(), deployment: fc.option(text) })),
  discard: fc.option(fc.record({ key: text, version: text, reason: text, deployment: fc.option(text) })),
  finalize: fc.option(
    fc.record({
      target: release,
      bootId: text,
      from: fc.record({ key: text, version: text }),
      since: fc.record({ wall: moment, mono: moment }),
      outcome: fc.constantFrom('called' as const, 'acknowledged' as const, 'unknown' as const),
      allowUnlocked: fc.boolean(),
    }),
  ),
  slot: fc.option(fc.record({ ...lock, state: fc.constantFrom('asked' as const, 'held' as const), since: moment })),
  owed: fc.array(fc.record({ ...lock, slot: fc.boolean() }), { maxLength: 8 }),
  faults: fc.array(fc.record({ key: text, version: text, staging: fc.nat(), missedBoots: fc.nat() }), { maxLength: 4 }),
  quarantine: fc.array(fc.record({ key: text, version: text, reason: text, since: moment, until: moment }), {
    maxLength: 4,
  }),
  skipped: fc.array(text, { maxLength: 4 }),
  pause: fc.option(fc.record({ until: fc.option(moment), reason: text, by: text, since: moment })),
  order: fc.option(fc.record({ by: text, since: moment, until: moment })),
  cancelled: fc.option(fc.record({ by: text, since: moment, until: moment })),
  postponed: fc.option(fc.record({ until: moment, by: text, spentMs: moment })),
  graceUntil: fc.option(moment),
  acted: fc.option(fc.record({ version: text, undo: fc.boolean() })),
  wasHealthy: fc.boolean(),
  postBoot: fc.record({ passed: fc.boolean(), problem: fc.option(text), notRun: fc.boolean() }),
  lastBoot: fc.option(fc.record({ key: text, version: text, from: fc.option(text), proven: fc.boolean() })),
  goingBack: fc.option(fc.record({ to: text, since: moment, acknowledged: fc.boolean() })),
  arrival: fc.option(fc.record({ bootId: text, from: text, since: fc.integer() })),
});

function withoutField(memory: Memory, key: keyof Memory, value: unknown): string {
  return JSON.stringify({ ...(JSON.parse(serializeMemory(memory)) as object), [key]: value });
}

const EMPTY: Memory = parseMemory('{"layout":1}').memory;

test('a memory that is written is read as it was', () => {
  fc.assert(
    fc.property(memories, (memory) => {
      expect(parseMemory(serializeMemory(memory))).toEqual({ memory, problems: [] });
    }),
  );
});

test('a bad field loses only itself, and is named', () => {
  const keys = Object.keys(EMPTY) as (keyof Memory)[];
  const bad = fc.constantFrom<unknown>(7, true, { nonsense: 1 });
  fc.assert(
    fc.property(memories, fc.constantFrom(...keys), bad, (memory, key, value) => {
      fc.pre((key !== 'bootWall' && key !== 'graceUntil') || typeof value !== 'number');
      fc.pre(key !== 'wasHealthy' || typeof value !== 'boolean');
      const { memory: read, problems } = parseMemory(withoutField(memory, key, value));
      expect(read).toEqual({ ...memory, [key]: EMPTY[key] });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(key);
    }),
  );
});

test('a bad entry of a list loses only itself', () => {
  const good = { key: 'k', version: '42.1', reason: 'r', since: 1, until: 2 };
  const source = JSON.stringify({
    layout: 1,
    quarantine: [good, { ...good, until: 'never' }, good],
    skipped: ['1', 2],
  });
  const { memory, problems } = parseMemory(source);
  expect(memory.quarantine).toEqual([good, good]);
  expect(memory.skipped).toEqual(['1']);
  expect(problems).toEqual([
    'quarantine[1].until: a number was expected, a text was found',
    'skipped[1]: a text was expected, 2 was found',
  ]);
});

test('a report of an earlier version may be one for a slot', () => {
  const lock = { baseUrl: 'https://a.example/', group: 'g', id: '1' };
  expect(parseMemory(JSON.stringify({ layout: 1, owed: [lock] })).memory.owed).toEqual([{ ...lock, slot: true }]);
});

test('no problem repeats what was found, which may be an address with a password', () => {
  const secret = 'https://user:hunter2@lock.example/';
  const source = JSON.stringify({ layout: 1, slot: secret, owed: [secret, { baseUrl: [secret] }], pause: secret });
  expect(parseMemory(source).problems.join('\n')).not.toMatch('hunter2');
});

describe('what is no memory', () => {
  test.each([
    ['no JSON', 'so {', /JSON/],
    ['a list', '[]', 'the file: an object was expected, an array was found'],
    ['an empty file', '', /JSON/],
    ['a later layout', '{"layout":2}', 'layout 1 was expected, 2 was found'],
    ['no layout', '{}', 'layout 1 was expected, undefined was found'],
  ])('%s throws', (_, source, message) => {
    expect(() => parseMemory(source)).toThrow(message);
  });

  test('whatever the text is, nothing but an Error comes of it', () => {
    const json = fc.json().map((source) => `{"layout":1,"slot":${source},"owed":[${source}],"finalize":${source}}`);
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json(), json), (source) => {
        try {
          parseMemory(source);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });

  test('keys of objects are no way in', () => {
    const { memory } = parseMemory('{"layout":1,"__proto__":{"bootId":"x"},"slot":{"__proto__":{"baseUrl":"x"}}}');
    expect(memory).toEqual(EMPTY);
  });

  test('a text of one bit less or more', () => {
    fc.assert(
      fc.property(memories, fc.nat(), fc.nat({ max: 127 }), (memory, place, code) => {
        const source = serializeMemory(memory);
        const at = place % source.length;
        const changed = source.slice(0, at) + String.fromCharCode(code) + source.slice(at + 1);
        try {
          expect(Object.keys(parseMemory(changed).memory)).toEqual(Object.keys(EMPTY));
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          if (error instanceof Error && error.name === 'AssertionError') throw error;
        }
      }),
    );
  });
});
