import type { Plain, Type } from './types.ts';

/** One key of the configuration. `T` is what the program gets when it asks for it. */
export interface Key<T> {
  /** How a value is read; where `adds` is true, how one table of the list is read. */
  readonly type: Type<unknown>;
  /** The value when no file sets the key; null for a key that may stay unset. */
  readonly fallback: T;
  /** The same as people write it. */
  readonly plain: Plain | null;
  /** An array of tables: those of all files add up, instead of the last file winning. */
  readonly adds: boolean;
  /** What the key does, one sentence or two, in Markdown. */
  readonly doc: string;
}

/** All keys of a kind of configuration, by their full names (`updates.fleet_lock.base_url`), tables kept together. */
export type KeyTable = Readonly<Record<string, Key<unknown>>>;

/** A key with one value and a default; the last file that sets it wins. */
export function key<T extends Plain>(type: Type<T>, fallback: NoInfer<T>, doc: string): Key<T> {
  return { type, fallback, plain: fallback, adds: false, doc };
}

/** A key with one value that may stay unset; the last file that sets it wins. */
export function optional<T>(type: Type<T>, doc: string): Key<T | null> {
  return { type, fallback: null, plain: null, adds: false, doc };
}

/** A list of tables `[[…]]`; those of all files add up. */
export function list<T>(type: Type<T>, doc: string): Key<readonly T[]> {
  return { type, fallback: [], plain: [], adds: true, doc };
}
