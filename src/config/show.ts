import type { Merged, MergedValue } from './merge.ts';
import { formatOrigin, type Origin } from './problem.ts';
import type { Plain } from './types.ts';

/**
 * The effective configuration as TOML; read back it gives the same configuration, but for secrets in URLs. Keys that
 * are unset are shown as comments. With `origins`, a comment beside each value says where it was set.
 */
export function toToml(values: Merged, origins: boolean): string {
  const entries = [...values].map(([path, value]) => ({ table: path.slice(0, path.lastIndexOf('.')), path, ...value }));
  const tables = [...new Set(entries.map(({ table }) => table))];
  return tables
    .map((table) => {
      const keys = entries.filter((entry) => entry.table === table);
      return section(table, keys, origins);
    })
    .join('\n');
}

interface Entry extends MergedValue {
  readonly path: string;
}

function section(table: string, keys: readonly Entry[], origins: boolean): string {
  const lines = keys.map(({ path, plain, from, adds }) => {
    const name = path.slice(table.length + 1);
    if (adds) return '';
    const comment = origins ? `  # ${whence(from[0])}` : '';
    return plain === null ? `# ${name} is not set` : `${name} = ${toTomlValue(plain)}${comment}`;
  });
  const lists = keys.flatMap(({ path, plain, from, adds }) => {
    const items: readonly Plain[] = adds && plain instanceof Array ? plain : [];
    return items.map((item, index) => listed(path, item, origins ? whence(from[index]) : null));
  });
  const head = `[${table}]\n${lines.map((line) => (line === '' ? '' : `${line}\n`)).join('')}`;
  return [head, ...lists].join('\n');
}

function listed(path: string, item: Plain, origin: string | null): string {
  const fields = typeof item === 'object' ? Object.entries(item) : [];
  const lines = fields.map(([name, value]: [string, Plain]) => `${name} = ${toTomlValue(value)}\n`);
  return `[[${path}]]${origin === null ? '' : `  # ${origin}`}\n${lines.join('')}`;
}

function whence(origin: Origin | undefined): string {
  return origin === undefined ? 'default' : `from ${formatOrigin(origin)}`;
}

/** A value as TOML writes it. */
export function toTomlValue(plain: Plain): string {
  if (plain instanceof Array) return `[${plain.map(toTomlValue).join(', ')}]`;
  if (typeof plain === 'object') {
    return `{ ${Object.entries(plain)
      .map(([name, value]: [string, Plain]) => `${name} = ${toTomlValue(value)}`)
      .join(', ')} }`;
  }
  // Every string that JSON writes is a basic string of TOML; DEL, the exception, is not accepted in any value.
  return typeof plain === 'string' ? JSON.stringify(plain) : String(plain);
}

/** The effective configuration as plain data, nested as in TOML; unset keys are null. */
export function toData(values: Merged): Record<string, unknown> {
  const data: Record<string, unknown> = {};
  for (const [path, { plain }] of values) {
    const steps = path.split('.');
    const last = steps.pop() ?? path;
    let table = data;
    for (const step of steps) table = child(table, step);
    table[last] = plain;
  }
  return data;
}

function child(table: Record<string, unknown>, name: string): Record<string, unknown> {
  const fresh: Record<string, unknown> = {};
  const found = table[name] ?? fresh;
  table[name] = found;
  return found as Record<string, unknown>;
}

/** For every key the places where it was set, `FILE:LINE`; an empty list for a default. */
export function toOrigins(values: Merged): Record<string, string[]> {
  return Object.fromEntries([...values].map(([path, { from }]) => [path, from.map(formatOrigin)]));
}
