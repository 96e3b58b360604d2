import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { preferredWait } from '../../../src/manager/http/prefer.ts';

describe('the wait in a Prefer header', () => {
  it.each([
    ['wait=50', 50],
    ['Wait=50', 50],
    ['wait = 50', 50],
    ['wait="50"', 50],
    [' \twait=50 ', 50],
    ['wait=50; x=y', 50],
    ['wait=50;', 50],
    ['wait=007', 7],
    ['respond-async, wait=50', 50],
    ['respond-async,wait=50,handling=lenient', 50],
    [',, wait=50', 50],
    ['a;b="c, wait=1", wait=50', 50],
    ['a="\\", wait=1", wait=50', 50],
    ['wait=10, wait=50', 10],
  ])('%s is %i', (header, seconds) => expect(preferredWait(header)).toBe(seconds));

  it.each([
    '',
    'wait',
    'wait=',
    'wait=""',
    'wait=-1',
    'wait=1.5',
    'wait=1e3',
    'wait=5 0',
    'wait=9999999999',
    'waiting=50',
    'a=wait=50',
    'a="wait=50"',
    'a="wait=50',
    'a; wait=50',
    'wait=soon, wait=50',
    '"',
    `${'a'.repeat(300)}, wait=50`,
  ])('%j is none', (header) => expect(preferredWait(header)).toBe(0));

  const token = fc.stringMatching(/^[a-z]{1,8}$/).filter((name) => name !== 'wait');
  const quoted = fc.stringMatching(/^[a-z=, ;]{0,12}$/).map((text) => `"${text}"`);
  const other = fc.oneof(
    token,
    fc.tuple(token, fc.oneof(token, quoted)).map(([name, value]) => `${name}=${value}`),
    fc.tuple(token, token, quoted).map(([name, parameter, value]) => `${name}; ${parameter}=${value}`),
  );

  it('is found among any others', () => {
    fc.assert(
      fc.property(
        fc.array(other, { maxLength: 3 }),
        fc.nat(999_999_999),
        fc.array(other, { maxLength: 3 }),
        (before, seconds, after) => {
          const header = [...before, `wait=${seconds}`, ...after].join(', ');
          fc.pre(header.length <= 256);
          expect(preferredWait(header)).toBe(seconds);
        },
      ),
    );
  });

  it('is a whole number that is not negative, whatever the header', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('w', 'wait', '=', '"', ',', ';', '\\', ' ', '5') }), (header) => {
        expect(Number.isSafeInteger(preferredWait(header))).toBe(true);
        expect(preferredWait(header)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
