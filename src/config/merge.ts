import type { Setting } from './check.ts';
import type { Key, KeyTable } from './keys.ts';
import type { Origin } from './problem.ts';
import type { Plain } from './types.ts';

/** The value of a key after all files were merged. */
export interface MergedValue {
  readonly value: unknown;
  /** As people write it, without secrets; null when unset. */
  readonly plain: Plain | null;
  /** Where it was set; one place for each table of a list. Empty for a default. */
  readonly from: readonly Origin[];
  /** A list of tables, which is written `[[…]]`. */
  readonly adds: boolean;
  /** False when a file sets this key to something unacceptable. */
  readonly good: boolean;
}

/** A merged value for every key of the table. */
export type Merged = ReadonlyMap<string, MergedValue>;

/** Merges what the files say, in the order in which they are given: the last one wins, lists of tables add up. */
export function merge(files: readonly (readonly Setting[])[], keys: KeyTable): Merged {
  const merged = new Map<string, MergedValue>(
    Object.entries(keys).map(([path, { fallback, plain, adds }]) => {
      return [path, { value: fallback, plain, from: [], adds, good: true }];
    }),
  );
  for (const { path, from, decoded } of files.flat()) {
    const before = merged.get(path);
    const key = keys[path];
    if (before === undefined || key === undefined) continue;
    if (decoded === null) merged.set(path, { ...before, good: false });
    else if (key.adds) merged.set(path, added(before, decoded.value, decoded.plain, from));
    else merged.set(path, { ...before, value: decoded.value, plain: decoded.plain, from: [from] });
  }
  return merged;
}

function added(before: MergedValue, value: unknown, plain: Plain, from: Origin): MergedValue {
  return {
    ...before,
    value: [...listOf(before.value), value],
    plain: [...(before.plain instanceof Array ? before.plain : []), plain],
    from: [...before.from, from],
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

type ValueOf<K> = K extends Key<infer T> ? T : never;

/** Gives the merged value of a key with the type that the table of keys says. */
export type ValueReader<Keys extends KeyTable> = <Path extends keyof Keys & string>(path: Path) => ValueOf<Keys[Path]>;

/** A typed view of merged values. Both arguments of `merge` must have been made with this table. */
export function valueReader<Keys extends KeyTable>(keys: Keys, merged: Merged): ValueReader<Keys> {
  return (path) => {
    const found = merged.get(path);
    // A value stands here only if the `type` of the same key has read it, so it has the type of that key.
    return (found === undefined ? keys[path]?.fallback : found.value) as ValueOf<Keys[typeof path]>;
  };
}
