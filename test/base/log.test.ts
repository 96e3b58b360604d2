import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLog, type Log, type LogOptions } from '../../src/base/log.ts';

/** A log, and the lines that it has written. */
function open(options: Partial<LogOptions> = {}): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  return { log: createLog({ format: 'text', level: 'debug', journald: false, write, ...options }), lines };
}

describe('text', () => {
  it('begins with time and level, then the message, then the fields', () => {
    const { log, lines } = open();
    log.warn({ version: '43.1', count: 2, reason: 'two words', gates: ['pause'] }, 'it waits');
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARN {2}it waits /);
    expect(lines[0]).toMatch(/ version=43\.1 count=2 reason="two words" gates=\["pause"\]\n$/);
  });

  it('has fields without a message, and a message without fields', () => {
    const { log, lines } = open({ journald: true });
    log.info({ a: 1 });
    log.info('text');
    expect(lines).toEqual(['<6>a=1\n', '<6>text\n']);
  });

  it('leaves no doubt where a field ends', () => {
    const { log, lines } = open({ journald: true });
    log.info({ url: 'https://x/y:1', odd: 'a=b "c"', empty: '' }, 'm');
    expect(lines).toEqual(['<6>m url=https://x/y:1 odd="a=b \\"c\\"" empty=""\n']);
  });
});

describe('for journald', () => {
  it.each([
    ['error', 3],
    ['warn', 4],
    ['info', 6],
    ['debug', 7],
  ] as const)('%s has the priority %s, in both formats', (level, priority) => {
    for (const format of ['text', 'json'] as const) {
      const { log, lines } = open({ format, journald: true });
      log[level]('something');
      expect(lines[0]?.startsWith(`<${priority}>`)).toBe(true);
      expect(lines[0]).not.toMatch(/^<\d>\d{4}-/);
    }
  });

  it('is not misled by a message that looks like a priority', () => {
    const { log, lines } = open({ journald: true });
    log.info('<0>emergency\n<0>second');
    expect(lines).toEqual(['<6><0>emergency <0>second\n']);
  });
});

describe('json', () => {
  it('is one object a line', () => {
    const { log, lines } = open({ format: 'json' });
    log.error({ state: 'holding' }, 'first\nsecond');
    expect(lines).toHaveLength(1);
    const { time, ...record } = JSON.parse(lines[0] ?? '') as { time: string };
    expect(record).toEqual({ level: 'error', state: 'holding', msg: 'first\nsecond' });
    expect(new Date(time).toISOString()).toBe(time);
  });
});

describe('levels', () => {
  it.each([
    ['error', ['error']],
    ['warn', ['error', 'warn']],
    ['info', ['error', 'warn', 'info']],
    ['debug', ['error', 'warn', 'info', 'debug']],
  ] as const)('%s shows what is at least as important', (level, shown) => {
    const { log, lines } = open({ format: 'json', level });
    for (const one of ['error', 'warn', 'info', 'debug'] as const) log[one]('x');
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(shown);
  });
});

it('writes one line for one record, whatever is in it', () => {
  const record = fc.dictionary(
    fc.stringMatching(/^[a-z]{5,8}$/),
    fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
  );
  const format = fc.constantFrom('text', 'json');
  fc.assert(
    fc.property(record, fc.string({ unit: 'binary' }), format, fc.boolean(), (fields, text, format, journald) => {
      const { log, lines } = open({ format, journald });
      log.info(fields, text);
      expect(lines).toHaveLength(1);
      expect(lines[0]?.indexOf('\n')).toBe((lines[0]?.length ?? 0) - 1);
      expect(Buffer.from(lines[0] ?? '').findIndex((byte) => byte < 0x20)).toBe(Buffer.byteLength(lines[0] ?? '') - 1);
    }),
  );
});

it('bears values that JSON cannot express', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  const { log, lines } = open();
  log.info({ big: 2n ** 64n, circular, missing: undefined, symbol: Symbol('x'), error: new Error('inside') }, 'all');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('all');
});

describe('lines that belong together', () => {
  it('are written at once, in order, also when what wrote them failed', () => {
    const { log, lines } = open({ journald: true });
    log.info('before');
    log.together(() => {
      log.info('one');
      log.together(() => log.warn('two'));
      log.info('three');
    });
    expect(() =>
      log.together(() => {
        log.info('four');
        throw new Error('broken');
      }),
    ).toThrow('broken');
    log.together(() => undefined);
    log.info('after');
    expect(lines).toEqual(['<6>before\n', '<6>one\n<4>two\n<6>three\n', '<6>four\n', '<6>after\n']);
  });
});
