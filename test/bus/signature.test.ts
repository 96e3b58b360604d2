import { describe, expect, it } from 'vitest';
import { readSignature, readSingleType } from '../../src/bus/signature.ts';

describe('readSignature', () => {
  it.each([
    '',
    's',
    'a{sv}',
    'aa{s(iv)}',
    '(tt)(uu)(uuu)',
    `${'a'.repeat(32)}y`,
    `${'('.repeat(32)}y${')'.repeat(32)}`,
  ])('accepts "%s"', (signature) => {
    expect(() => readSignature(signature)).not.toThrow();
  });

  it.each([
    ...[
      'a',
      'z',
      '()',
      'a()',
      '(',
      ')',
      'a)',
      '(s',
      'a{s}',
      'a{svs}',
      'a{vs}',
      '{sv}',
      'a{(s)v}',
      'r',
      'e',
      '*',
      '(a)',
    ],
    `${'a'.repeat(33)}y`,
    `${'('.repeat(33)}y${')'.repeat(33)}`,
    's'.repeat(256),
  ])('refuses "%s"', (signature) => {
    expect(() => readSignature(signature)).toThrow();
  });
});

describe('readSingleType', () => {
  it('wants exactly one type', () => {
    expect(readSingleType('as').type).toBe('a');
    expect(() => readSingleType('ss')).toThrow('one complete type');
    expect(() => readSingleType('')).toThrow('one complete type');
  });
});
