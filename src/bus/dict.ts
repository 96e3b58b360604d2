/**
 * Typed reading of `a{sv}` dictionaries as the codec decodes them: plain objects whose values are variants, that is
 * objects with `signature` and `value`. Everything is unknown until one of these has looked at it; what is absent or
 * of another type reads as undefined, so that one odd key never spoils a whole dictionary.
 */
export type Dict = Readonly<Record<string, unknown>>;

/** The value as a dictionary, or undefined. Takes a dictionary or a variant that holds one. */
export function asDict(value: unknown): Dict | undefined {
  const inner = unwrap(value);
  return isRecord(inner) ? inner : undefined;
}

/** The text under `key`, or undefined. */
export function text(dict: Dict | undefined, key: string): string | undefined {
  const value = entry(dict, key);
  return typeof value === 'string' ? value : undefined;
}

/** The boolean under `key`; false when absent or something else. */
export function flag(dict: Dict | undefined, key: string): boolean {
  return entry(dict, key) === true;
}

/** The number under `key`, of any width, or undefined. Of one beyond 2^53 the last digits are lost. */
export function number(dict: Dict | undefined, key: string): number | undefined {
  const value = entry(dict, key);
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}

/** The dictionary under `key`, or undefined. */
export function nested(dict: Dict | undefined, key: string): Dict | undefined {
  return asDict(entry(dict, key));
}

/** The array under `key`; empty when absent or something else. */
export function list(dict: Dict | undefined, key: string): readonly unknown[] {
  const value = entry(dict, key);
  return Array.isArray(value) ? value : [];
}

/** The value under `key` with its variant removed. */
function entry(dict: Dict | undefined, key: string): unknown {
  return dict !== undefined && Object.hasOwn(dict, key) ? unwrap(dict[key]) : undefined;
}

function unwrap(value: unknown): unknown {
  return isRecord(value) && typeof value['signature'] === 'string' && 'value' in value ? value['value'] : value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
