import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duration, errorText, nearest, oneLine, utc } from '../../src/base/text.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('oneLine', () => {
  it.each([
    ['plain', 'plain'],
    ['  around  ', 'around'],
    ['two\nlines\r\n', 'two lines'],
    ['tab\tand\0nul', 'tab and nul'],
    ['\u001b[31mred\u001b[0m', '[31mred [0m'],
    ['C1 \u009b31m', 'C1  31m'],
    ['line\u2028and\u2029paragraph', 'line and paragraph'],
    ['abc\u202edcba\u2066x\u2069', 'abc dcba x'],
    ['Zürich 東京 🙂', 'Zürich 東京 🙂'],
    ['a\u200e\u200f\u061cb', 'ab'],
    ['r\u200bo\u200co\u200dt\u2060\ufeff', 'root'],
    ['so\u00adft \u2063\u206a\u115f\u3164\u{e0041}', 'soft'],
    ['\ufeff \u200b x \u200b', 'x'],
    ['e\u0301 ❤\ufe0f \u0600', 'e\u0301 ❤\ufe0f \u0600'],
  ])('%j: %j', (text, line) => {
    expect(oneLine(text)).toBe(line);
  });

  it('cuts what is too long, and says so', () => {
    expect(oneLine('x'.repeat(10), 10)).toBe('x'.repeat(10));
    expect(oneLine('x'.repeat(11), 10)).toBe(`${'x'.repeat(9)}…`);
  });

  it('cuts no character in two', () => {
    for (let max = 1; max < 8; max += 1) expect(oneLine('🙂🙂🙂🙂', max)).toMatch(/^(?:🙂)*…?$/u);
  });

  it('leaves nothing unseen in a name, wherever it is', () => {
    const unseen = fc.constantFrom(
      ...['\u200b', '\u200c', '\u200d', '\u200e', '\u200f', '\u061c', '\u2060', '\ufeff', '\u00ad'],
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,5}$/), unseen)), (parts) => {
        expect(oneLine(parts.flat().join(''), 1_000)).toBe(parts.map(([seen]) => seen).join(''));
      }),
    );
  });

  it('makes one line of any text, within its limit, and the same one of that', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 40 }), (text, max) => {
        const line = oneLine(text, max);
        expect(line).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
        expect(line).not.toMatch(/[\u061c\u200b-\u200f\u2060-\u2064\ufeff]/u);
        expect(line.length).toBeLessThanOrEqual(max);
        expect(oneLine(line, max)).toBe(line);
      }),
    );
  });
});

describe('errorText', () => {
  it.each([
    [new Error('broken\npipe'), 'broken pipe'],
    [new TypeError(''), 'TypeError'],
    [Object.assign(new Error(''), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [Object.assign(new Error('connect ENOENT'), { code: 'ENOENT' }), 'connect ENOENT'],
    ['text', 'text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [42n, '42'],
  ])('%s', (error, text) => {
    expect(errorText(error)).toBe(text);
  });
});

describe('duration', () => {
  it.each([
    [-5, '0 s'],
    [0, '0 s'],
    [499, '0 s'],
    [500, '1 s'],
    [45 * SECOND, '45 s'],
    [119 * SECOND, '119 s'],
    [119.6 * SECOND, '2 min'],
    [2 * MINUTE, '2 min'],
    [59 * MINUTE + 29 * SECOND, '59 min'],
    [59 * MINUTE + 30 * SECOND, '1 h'],
    [2 * HOUR + 10 * MINUTE, '2 h 10 min'],
    [23 * HOUR + 59 * MINUTE + 45 * SECOND, '1 d'],
    [3 * DAY + 4 * HOUR, '3 d 4 h'],
    [3 * DAY + 4 * HOUR + 59 * MINUTE, '3 d 4 h'],
    [400 * DAY, '400 d'],
  ])('%s ms: %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it('never says 60 min or 24 h', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 * DAY }), (ms) => {
        expect(duration(ms)).not.toMatch(/\b60 min|\b24 h/);
      }),
    );
  });
});

describe('utc', () => {
  it.each([
    [0, '1970-01-01T00:00:00Z'],
    [Date.UTC(2026, 6, 23, 14, 0, 0, 999), '2026-07-23T14:00:00Z'],
    [Number.NaN, 'an unknown time'],
    [Infinity, 'an unknown time'],
    [8.64e15 + 1, 'an unknown time'],
  ])('%s: %s', (wall, text) => {
    expect(utc(wall)).toBe(text);
  });
});

describe('nearest', () => {
  const KEYS = ['updates.strategy', 'updates.enabled', 'identity.group'];

  it.each([
    ['updates.stratgy', 'updates.strategy'],
    ['UPDATES.ENABLED', 'updates.enabled'],
    ['group', null],
    ['quite another thing', null],
  ])('%s: %s', (word, found) => {
    expect(nearest(word, KEYS)).toBe(found);
  });

  it('has nothing to offer without candidates', () => {
    expect(nearest('word', [])).toBeNull();
  });

  it('finds a word among others, and after one slip of the finger', () => {
    const words = fc.uniqueArray(fc.stringMatching(/^[a-z]{4,12}$/), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(words, fc.nat(), (candidates, seed) => {
        const word = candidates[seed % candidates.length]!;
        expect(nearest(word, candidates)).toBe(word);
        const slip = `${word.slice(0, seed % word.length)}${word.slice((seed % word.length) + 1)}`;
        expect(nearest(slip, [word])).toBe(word);
      }),
    );
  });
});
