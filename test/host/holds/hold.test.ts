import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { counts, parseHold, unreadableHold, type HoldReading } from '../../../src/host/holds/hold.ts';

const WRITTEN = Date.UTC(2026, 6, 23, 14);
const NOW = WRITTEN + 5_000;

const parse = (text: string, name = 'backup'): HoldReading => parseHold({ name, text, written: WRITTEN }, NOW);

describe('a file that says what it should', () => {
  it.each([
    ['nightly backup\n', null],
    ['nightly backup', null],
    ['nightly backup\n\n  \n', null],
    ['nightly backup\nttl=3600\n', WRITTEN + 3_600_000],
    ['nightly backup\r\nttl=3600\r\n', WRITTEN + 3_600_000],
    ['nightly backup\n\n ttl=1 \n', WRITTEN + 1_000],
    ['\ufeffnightly backup\nttl=999999999', WRITTEN + 999_999_999_000],
    ['nightly backup\nuntil=2026-07-23T16:30:00Z', Date.UTC(2026, 6, 23, 16, 30)],
    ['nightly backup\nuntil=2026-07-23t16:30:00.25z', Date.UTC(2026, 6, 23, 16, 30, 0, 250)],
    ['nightly backup\nuntil=2026-07-23 16:30:00.123456789+02:00', Date.UTC(2026, 6, 23, 14, 30, 0, 123)],
    ['nightly backup\nuntil=2028-02-29T23:59:59-05:30', Date.UTC(2028, 2, 1, 5, 29, 59)],
  ])('%j', (text, until) => {
    const hold = { name: 'backup', reason: 'nightly backup', since: WRITTEN, until };
    expect(parse(text)).toEqual({ hold, problem: null });
  });

  it.each(['', '\n', '   \nttl=60', '\u0000\u001b'])('or nothing at all: %j', (text) => {
    const { hold, problem } = parse(text);
    expect([hold.reason, problem]).toEqual(['no reason given', null]);
  });
});

describe('a file in doubt holds until it is removed', () => {
  it.each([
    'ttl=0',
    'ttl=-5',
    'ttl=1e3',
    'ttl=60s',
    'ttl=',
    'ttl=1000000000',
    'TTL=60',
    'ttl = 60',
    'until=2026-07-23T16:30:00',
    'until=2026-07-23T16:30Z',
    'until=2026-07-23',
    'until=2026-02-29T00:00:00Z',
    'until=2026-02-30T00:00:00Z',
    'until=2026-13-01T00:00:00Z',
    'until=2026-07-23T24:00:00Z',
    'until=2026-07-23T16:30:60Z',
    'until=2026-07-23T16:30:00+24:00',
    'until=tomorrow',
    'until=',
    'x',
  ])('%s', (line) => {
    const { hold, problem } = parse(`nightly backup\n${line}\n`);
    expect(hold).toEqual({ name: 'backup', reason: 'nightly backup', since: WRITTEN, until: null });
    expect(problem).toBe(
      `hold "backup": line 2: expected ttl=SECONDS or until=2026-07-23T14:00:00Z, found "${line}"; ` +
        'it holds until the file is mended or removed',
    );
  });

  it.each(['ttl=60\nttl=60', 'ttl=60\nuntil=2026-07-23T16:30:00Z', 'until=2026-07-23T16:30:00Z\n\nx'])(
    'also with two ends: %j',
    (lines) => {
      const { hold, problem } = parse(`nightly backup\n${lines}`);
      expect(hold.until).toBeNull();
      expect(problem).toMatch(/^hold "backup": line \d: expected one end, found another, "/);
    },
  );

  it('also when it cannot be read', () => {
    expect(unreadableHold('a\nb', 'EACCES: no\nway', NOW)).toEqual({
      hold: { name: 'a b', reason: 'cannot be read: EACCES: no way', since: NOW, until: null },
      problem: 'hold "a b": EACCES: no way; it holds until the file is mended or removed',
    });
  });
});

describe('a file from the future', () => {
  const at = (wall: number): HoldReading => parseHold({ name: 'a', text: 'x\nttl=60', written: WRITTEN }, wall);

  it('holds as long as it says, and is a problem', () => {
    const { hold, problem } = at(WRITTEN - 3_600_000);
    expect(hold).toMatchObject({ since: WRITTEN - 3_600_000, until: WRITTEN + 60_000 });
    expect(problem).toBe('hold "a": was written at 2026-07-23T14:00:00Z, which is still to come');
  });

  it('is none when clocks differ by a little', () => {
    expect(at(WRITTEN - 60_000)).toMatchObject({ problem: null, hold: { since: WRITTEN - 60_000 } });
  });
});

test('a hold counts up to its end, which is not part of it', () => {
  const { hold } = parse('x\nttl=60');
  expect([59_999, 60_000].map((ms) => counts(hold, WRITTEN + ms))).toEqual([true, false]);
  expect(counts(parse('x').hold, Number.MAX_SAFE_INTEGER)).toBe(true);
});

test('whatever is in a file, what comes of it is one line, bounded, and never ends by mistake', () => {
  const odd = [
    'a',
    ' ',
    '~',
    '=',
    '"',
    '0',
    '\n',
    '\r',
    '\0',
    '\u001b',
    '\u009b',
    '\u2028',
    '\u202e',
    '\ufeff',
    '\ud83d',
    '\udca9',
  ];
  const hostile = fc.string({ unit: fc.constantFrom(...odd, 'ttl='), maxLength: 400, size: 'max' });
  const line = fc.oneof(hostile, fc.constantFrom('ttl=60', 'until=2026-07-23T16:30:00Z', '', '\u202e\n'));
  const lines = fc.array(line).map((all) => all.join('\n'));
  fc.assert(
    fc.property(hostile, lines, (name, text) => {
      const { hold, problem } = parse(text, name);
      for (const shown of [hold.name, hold.reason, problem ?? '']) {
        expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        expect(shown.length).toBeLessThanOrEqual(700);
      }
      expect(hold.reason).not.toBe('');
      if (problem !== null) expect(hold.until).toBeNull();
      if (hold.until !== null) expect(text).toMatch(/^(ttl|until)=/m);
    }),
  );
});

test('any moment that a clock can print is understood', () => {
  const zones = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
  const moments = fc.integer({ min: 0, max: Date.UTC(9998, 0) });
  fc.assert(
    fc.property(moments, zones, (moment, zone) => {
      const [hours, minutes] = [Math.floor(Math.abs(zone) / 60), Math.abs(zone) % 60];
      const two = (n: number): string => String(n).padStart(2, '0');
      const local = new Date(moment + zone * 60_000);
      fc.pre(local.getTime() >= 0);
      const text = `${local.toISOString().slice(0, -1)}${zone < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`;
      expect(parse(`x\nuntil=${text}`).hold.until).toBe(moment);
    }),
  );
});
