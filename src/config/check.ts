import { nearest, oneLine } from '../base/text.ts';
import type { Key, KeyTable } from './keys.ts';
import { prefixed, problem, wholeFile, type Origin, type Problem, type Report } from './problem.ts';
import type { TomlTable, TomlValue } from './toml.ts';
import { describe, type Decoded } from './types.ts';

/** What one file says about one key; a list of tables gives one setting for each of them. */
export interface Setting {
  readonly path: string;
  readonly from: Origin;
  /** Null when the value is not acceptable; a problem says why. */
  readonly decoded: Decoded<unknown> | null;
}

/** One file, compared with the table of keys. */
export interface CheckedFile {
  readonly settings: readonly Setting[];
  readonly problems: readonly Problem[];
}

const MAX_PROBLEMS = 100;

/** Reads every value of a file by its key, and reports unknown keys and unacceptable values, all of them at once. */
export function checkFile(root: TomlTable, keys: KeyTable): CheckedFile {
  const problems: Problem[] = [];
  const report: Report = (at, message, severity) => {
    if (problems.length < MAX_PROBLEMS) problems.push(problem(at, message, severity));
    else if (problems.length === MAX_PROBLEMS) problems.push(problem(wholeFile(at.file), 'more problems, not shown'));
  };
  return { settings: checkTable(root, keys, report), problems };
}

/**
 * Reads every value of one table by its key, and reports unknown keys and unacceptable values. `place` is the full name
 * of the table where it is not the whole file; the names of the keys are relative to it.
 */
export function checkTable(table: TomlTable, keys: KeyTable, report: Report, place = ''): Setting[] {
  return [...walk(table, '', new Names(keys, place), report)];
}

function* walk(table: TomlTable, prefix: string, names: Names, report: Report): Generator<Setting> {
  for (const [name, entry] of table.entries) {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const key = names.key(path);
    if (key !== undefined) yield* settings(path, key, names.full(path), entry.value, report);
    else if (!names.isTable(path)) report(entry.keyAt, names.unknown(path, name, prefix), 'warning');
    else if (entry.value.type === 'table') yield* walk(entry.value, path, names, report);
    else report(entry.value.at, `expected a table [${names.full(path)}], found ${describe(entry.value)}`);
  }
}

function* settings(
  path: string,
  key: Key<unknown>,
  full: string,
  value: TomlValue,
  report: Report,
): Generator<Setting> {
  if (!key.adds) {
    yield { path, from: value.at, decoded: key.type.decode(value, prefixed(path, report)) };
  } else if (value.type === 'array') {
    for (const item of value.items) {
      yield { path, from: item.at, decoded: key.type.decode(item, prefixed(path, report)) };
    }
  } else {
    report(value.at, `${path}: expected [[${full}]] with two brackets, found ${describe(value)}`);
    yield { path, from: value.at, decoded: null };
  }
}

/** The names of keys and tables, for looking up what was written and guessing what was meant. */
class Names {
  readonly #keys: ReadonlyMap<string, Key<unknown>>;
  readonly #tables: ReadonlySet<string>;
  readonly #place: string;

  constructor(keys: KeyTable, place: string) {
    this.#place = place;
    this.#keys = new Map(Object.entries(keys));
    this.#tables = new Set(Object.keys(keys).flatMap(parents));
  }

  key(path: string): Key<unknown> | undefined {
    return this.#keys.get(path);
  }

  isTable(path: string): boolean {
    return this.#tables.has(path);
  }

  /** The name as it stands in the header of a table. */
  full(path: string): string {
    return this.#place === '' ? path : `${this.#place}.${path}`;
  }

  unknown(path: string, name: string, prefix: string): string {
    const all = [...this.#tables, ...this.#keys.keys()];
    const siblings = all.filter((known) => parentOf(known) === prefix).map(lastOf);
    const sibling = nearest(name, siblings);
    const near = nearest(name, all.map(lastOf));
    const elsewhere = all.filter((known) => lastOf(known) === near);
    const meant = sibling === null ? elsewhere : [prefix === '' ? sibling : `${prefix}.${sibling}`];
    const hint = meant.length === 0 ? '' : `, did you mean ${meant.map((word) => `'${word}'`).join(' or ')}?`;
    return `unknown key '${oneLine(path, 120)}' is ignored${hint}`;
  }
}

function parents(path: string): string[] {
  const parent = parentOf(path);
  return parent === '' ? [] : [parent, ...parents(parent)];
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')));
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}
