import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toTomlValue } from '../../src/config/show.ts';
import { parseToml, type TomlTable, type TomlValue } from '../../src/config/toml.ts';
import type { Plain } from '../../src/config/types.ts';

const key = fc.oneof(fc.constantFrom('a', 'b', '__proto__', 'constructor', 'a.b', ''), fc.string({ maxLength: 6 }));
const { tree } = fc.letrec<{ tree: Plain }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme' }).filter((text) => !/[\u007f\ufffd]/.test(text)),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(
      key.filter((name) => !/[\u007f\ufffd]/.test(name)),
      tie('tree'),
      { maxKeys: 3 },
    ),
  ),
}));

/** Entries as lists of pairs, so that a key named `__proto__` is compared like any other. */
function pairs(value: TomlValue): unknown {
  if (value.type === 'array') return value.items.map(pairs);
  if (value.type === 'table') return [...value.entries].map(([name, entry]) => [name, pairs(entry.value)]);
  return value.value;
}

function plainPairs(value: Plain): unknown {
  if (value instanceof Array) return value.map(plainPairs);
  if (typeof value !== 'object') return value;
  return Object.entries(value).map(([name, item]: [string, Plain]) => [name, plainPairs(item)]);
}

/** Like `toTomlValue`, but quotes every key. */
function write(value: Plain): string {
  if (value instanceof Array) return `[${value.map(write).join(', ')}]`;
  if (typeof value !== 'object') return toTomlValue(value);
  const entries = Object.entries(value).map(
    ([name, item]: [string, Plain]) => `${JSON.stringify(name)} = ${write(item)}`,
  );
  return `{${entries.join(', ')}}`;
}

function parsed(text: string): TomlTable {
  const table = parseToml(text, 'x.toml');
  if ('severity' in table) throw new Error(table.message);
  return table;
}

describe('parseToml', () => {
  test('reads back whatever is written as TOML', () => {
    fc.assert(
      fc.property(tree, (value) => {
        expect(pairs(parsed(`value = ${write(value)}\n`))).toEqual([['value', plainPairs(value)]]);
      }),
    );
  });

  test('gives each value and key its line and column, from 1, byte order mark and CRLF or not', () => {
    const text = '\ufeff# comment\r\n[a.b]\r\n  c = 1\r\n[[w]]\r\nd = [ "x", { e = true } ]\r\n[[w]]\r\n';
    const root = parsed(text);
    const places: string[] = [];
    const visit = (path: string, { line, column }: { line: number; column: number }, value: TomlValue): void => {
      places.push(`${path} key ${line}:${column} value ${value.at.line}:${value.at.column}`);
      if (value.type === 'table') value.entries.forEach((entry, name) => visit(name, entry.keyAt, entry.value));
      if (value.type === 'array') value.items.forEach((item) => visit('[]', item.at, item));
    };
    root.entries.forEach((entry, name) => visit(name, entry.keyAt, entry.value));
    expect(places).toEqual([
      'a key 2:2 value 2:2',
      'b key 2:4 value 2:4',
      'c key 3:3 value 3:7',
      'w key 4:3 value 4:1',
      '[] key 4:1 value 4:1',
      'd key 5:1 value 5:5',
      '[] key 5:7 value 5:7',
      '[] key 5:12 value 5:12',
      'e key 5:14 value 5:18',
      '[] key 6:1 value 6:1',
    ]);
  });

  test('a table under an array of tables belongs to the last of them', () => {
    const root = parsed('[[a]]\nb.c = 1\n[a.d]\ne = 2\n[[a]]\n[a.d]\ne = 3\n');
    expect(pairs(root)).toEqual([
      [
        'a',
        [
          [
            ['b', [['c', 1]]],
            ['d', [['e', 2]]],
          ],
          [['d', [['e', 3]]]],
        ],
      ],
    ]);
  });

  test('keys that mean something in JavaScript stay keys', () => {
    parsed('[__proto__]\npolluted = 1\n[constructor.prototype]\npolluted = 1\n');
    expect(Reflect.has({}, 'polluted')).toBe(false);
  });

  test('never throws, whatever the text', () => {
    const folder = join(import.meta.dirname, 'cases');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.toml'));
    const texts = files.map((name) => readFileSync(join(folder, name), 'utf8'));
    const cut = fc.tuple(fc.constantFrom(...texts), fc.nat(600), fc.nat(600), fc.string({ maxLength: 3 }));
    const mutated = cut.map(([text, a, b, middle]) => text.slice(0, a) + middle + text.slice(b));
    fc.assert(
      fc.property(fc.oneof(mutated, fc.string({ unit: 'binary' })), (text) => {
        const result = parseToml(text, 'x.toml');
        if (!('severity' in result)) return;
        expect(result.message).not.toMatch(/[\n\0]/);
        expect(result.line).toBeLessThanOrEqual(text.split('\n').length);
      }),
      { numRuns: 1000 },
    );
  });

  test.each(['[', '{a=', 'a.'])('thousands of levels of %s are refused', (level) => {
    const text = level === 'a.' ? `${level.repeat(20_000)}a = 1` : `a = ${level.repeat(5000)}`;
    const closed = level === '[' ? `${text}${']'.repeat(5000)}` : text;
    expect(parseToml(closed, 'x.toml')).toMatchObject({ severity: 'error' });
  });
});
