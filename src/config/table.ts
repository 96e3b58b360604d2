import { nearest, oneLine } from '../base/text.ts';
import { prefixed, type Report } from './problem.ts';
import type { TomlTable } from './toml.ts';
import { describe, type Decoded, type Type } from './types.ts';

/** A type whose values are tables; `read` gives null after at least one error was reported. */
export function tableType<T>(expected: string, read: (table: TomlTable, report: Report) => Decoded<T> | null): Type<T> {
  return {
    expected,
    decode: (value, report) => {
      if (value.type === 'table') return read(value, report);
      report(value.at, `expected ${expected}, found ${describe(value)}`);
      return null;
    },
  };
}

/** Warns of fields that a table of a list does not have; `what` such a table is, so that it begins `… has FIELDS`. */
export function warnUnknown({ entries }: TomlTable, known: readonly string[], what: string, report: Report): void {
  for (const [name, { keyAt }] of entries) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const hint = near === null ? `: ${what} has ${known.join(', ')}` : `, did you mean '${near}'?`;
    report(keyAt, `unknown key '${oneLine(name, 120)}' is ignored${hint}`, 'warning');
  }
}

/** Reads a field that must be there. Null after an error was reported. */
export function field<T>(
  table: TomlTable,
  name: string,
  { decode }: Pick<Type<T>, 'decode'>,
  report: Report,
): Decoded<T> | null {
  const entry = table.entries.get(name);
  if (entry !== undefined) return decode(entry.value, prefixed(name, report));
  report(table.at, `${name} is missing`);
  return null;
}

/** Reads a field that may be left out: undefined then. Null after an error was reported. */
export function optionalField<T>(
  table: TomlTable,
  name: string,
  type: Pick<Type<T>, 'decode'>,
  report: Report,
): Decoded<T> | null | undefined {
  return table.entries.has(name) ? field(table, name, type, report) : undefined;
}

/** Reports those fields that cannot stand beside `other`. True when there are none. */
export function refuseBeside(table: TomlTable, names: readonly string[], other: string, report: Report): boolean {
  const found = names.filter((name) => table.entries.has(name));
  for (const name of found) report(table.entries.get(name)?.keyAt ?? table.at, `${name} cannot stand beside ${other}`);
  return found.length === 0;
}
