import { nearest, oneLine } from '../base/text.ts';
import type { Report } from './problem.ts';
import type { TomlValue } from './toml.ts';
import { redactUrl } from './redact.ts';

/** A value in the form in which people write and read it; secrets are already taken out. */
export type Plain = string | number | boolean | readonly Plain[] | { readonly [key: string]: Plain };

/** A value that was read: as the program uses it, and as it is shown. */
export interface Decoded<T> {
  readonly value: T;
  readonly plain: Plain;
}

/** A table that was read, shown field by field. */
export interface DecodedTable<T> extends Decoded<T> {
  readonly plain: Readonly<Record<string, Plain>>;
}

/** How a value is read from a file. */
export interface Type<T> {
  /** What is accepted, so that it completes `expected …`: `an integer, 1 to 600`. */
  readonly expected: string;
  /** Reads a value. Null after at least one error was reported. */
  readonly decode: (value: TomlValue, report: Report) => Decoded<T> | null;
}

/** What a file holds, so that it completes `found …`. Shows no password. */
export function describe(value: TomlValue): string {
  switch (value.type) {
    case 'string':
      return value.value === '' ? 'an empty string' : `"${oneLine(redactUrl(value.value), 80)}"`;
    case 'array':
      return value.items.length === 0 ? 'an empty array' : 'an array';
    case 'table':
      return 'a table';
    case 'boolean':
      return `the boolean ${String(value.value)}`;
    case 'integer':
    case 'float':
      return `the ${value.type} ${oneLine(value.text, 80)}`;
    case 'date or time':
      return `the date or time ${value.value}`;
  }
}

/** A type whose values are shown as they are used; `read` gives undefined for what is not accepted. */
export function simple<T extends Plain>(expected: string, read: (value: TomlValue) => T | undefined): Type<T> {
  return {
    expected,
    decode: (value, report) => {
      const result = read(value);
      if (result !== undefined) return { value: result, plain: result };
      report(value.at, `expected ${expected}, found ${describe(value)}`);
      return null;
    },
  };
}

/** `true` or `false`. */
export const boolean: Type<boolean> = simple('true or false', (value) =>
  value.type === 'boolean' ? value.value : undefined,
);

/** A whole number in a range, both ends included. */
export function integer(min: number, max: number): Type<number> {
  return simple(`an integer, ${min} to ${max}`, (value) =>
    value.type === 'integer' && value.value >= min && value.value <= max ? value.value : undefined,
  );
}

/** A number in a range, both ends included; never NaN. */
export function float(min: number, max: number): Type<number> {
  return simple(`a number, ${min} to ${max}`, (value) =>
    (value.type === 'float' || value.type === 'integer') && value.value >= min && value.value <= max
      ? value.value
      : undefined,
  );
}

/** Text that matches a pattern, which `expected` describes; `read` may bring it to one form. */
export function text(expected: string, pattern: RegExp, read: (text: string) => string = (same) => same): Type<string> {
  return simple(expected, (value) =>
    value.type === 'string' && pattern.test(value.value) ? read(value.value) : undefined,
  );
}

/** An absolute path; `example` shows what is meant. */
export function absolutePath(example: string): Type<string> {
  return text(`an absolute path such as "${example}"`, /^\/[^\p{Cc}]*$/u);
}

/** A group of hosts, as the FleetLock protocol names it. */
export const groupName: Type<string> = text("a group name (letters, digits, '.', '-')", /^[a-zA-Z0-9.-]+$/);

/** `a`, `a or b`, `a, b or c`. */
export function either(words: readonly string[]): string {
  return [words.slice(0, -1).join(', '), ...words.slice(-1)].filter((part) => part !== '').join(' or ');
}

/** One word of a list. */
export function oneOf<const Word extends string>(words: readonly Word[]): Type<Word> {
  const expected = either(words.map((word) => `"${word}"`));
  return {
    expected,
    decode: (value, report) => {
      const word = value.type === 'string' ? words.find((known) => known === value.value) : undefined;
      if (word !== undefined) return { value: word, plain: word };
      const near = value.type === 'string' ? nearest(value.value, words) : null;
      const hint = near === null ? '' : `, did you mean "${near}"?`;
      report(value.at, `expected ${expected}, found ${describe(value)}${hint}`);
      return null;
    },
  };
}

/** One word of a list, or an array of at least one of them without repetition. */
export function someOf<const Word extends string>(words: readonly Word[]): Type<readonly Word[]> {
  const word = oneOf(words);
  const expected = `${word.expected}, or an array of them`;
  return {
    expected,
    decode: (value, report) => {
      if (value.type !== 'array' && value.type !== 'string') {
        report(value.at, `expected ${expected}, found ${describe(value)}`);
        return null;
      }
      const items = value.type === 'array' ? value.items : [value];
      if (items.length === 0) report(value.at, `expected at least one of ${word.expected}, found an empty array`);
      const found = distinct(items, word, report);
      return found === null || items.length === 0 ? null : found;
    },
  };
}

/** An array of values without repetition, possibly empty; `expected` completes `expected …`. */
export function arrayOf(item: Type<string>, expected: string): Type<readonly string[]> {
  return {
    expected,
    decode: (value, report) => {
      if (value.type === 'array') return distinct(value.items, item, report);
      report(value.at, `expected ${expected}, found ${describe(value)}`);
      return null;
    },
  };
}

/** Null when an item is not acceptable or stands there twice; each of them is reported. */
function distinct<T extends string>(
  items: readonly TomlValue[],
  type: Type<T>,
  report: Report,
): (Decoded<readonly T[]> & { readonly plain: readonly Plain[] }) | null {
  const found: Decoded<T>[] = [];
  for (const item of items) {
    const decoded = type.decode(item, report);
    if (decoded === null) continue;
    if (found.some(({ value }) => value === decoded.value)) report(item.at, `${describe(item)} is there twice`);
    else found.push(decoded);
  }
  if (found.length < items.length) return null;
  return { value: found.map(({ value }) => value), plain: found.map(({ plain }) => plain) };
}
