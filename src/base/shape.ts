/** Reads a value that may be anything; throws an error that says where, what was expected and what was found. */
export type Reader<T> = (value: unknown, where: string) => T;
type Raw = Readonly<Record<string, unknown>>;

/** An object that is no array. */
export function record(value: unknown, where: string): Raw {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Raw;
  return wrong(where, 'an object', value);
}

/** An array of whatever. */
export function array(value: unknown, where: string): readonly unknown[] {
  return Array.isArray(value) ? value : wrong(where, 'an array', value);
}

/** A text, also an empty one. */
export function string(value: unknown, where: string): string {
  return typeof value === 'string' ? value : wrong(where, 'a text', value);
}

/** A finite number. */
export function number(value: unknown, where: string): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : wrong(where, 'a number', value);
}

/** True or false. */
export function boolean(value: unknown, where: string): boolean {
  return typeof value === 'boolean' ? value : wrong(where, 'true or false', value);
}

/** One of some words. */
export function oneOf<const T extends string>(values: readonly T[]): Reader<T> {
  return (value, where) => values.find((one) => one === value) ?? wrong(where, values.join(' or '), value);
}

/** Null, or what another reader takes. */
export function orNull<T>(read: Reader<T>): Reader<T | null> {
  return (value, where) => (value === null ? null : read(value, where));
}

/** Throws: `where` names the place, `expected` completes `… was expected`. */
export function wrong(where: string, expected: string, found: unknown): never {
  throw new Error(`${where || 'the file'}: ${expected} was expected, ${kindOf(found)} was found`);
}

/** What was found, without its content: that may be the address of a lock server, with a password in it. */
function kindOf(found: unknown): string {
  if (found === undefined) return 'nothing';
  if (found === null || typeof found === 'number' || typeof found === 'boolean') return String(found);
  if (typeof found === 'string') return 'a text';
  return Array.isArray(found) ? 'an array' : 'an object';
}

/** A reader of objects, from one reader for each key. */
export function object<T>(readers: { readonly [K in keyof T]: Reader<T[K]> }): Reader<T> {
  return (value, where) => {
    const raw = record(value, where);
    const read = Object.entries<Reader<unknown>>(readers).map(([key, reader]) => [
      key,
      reader(raw[key], where === '' ? key : `${where}.${key}`),
    ]);
    return Object.fromEntries(read) as T;
  };
}

/** An array, each of whose entries a reader takes. */
export function listOf<T>(read: Reader<T>): Reader<readonly T[]> {
  return (value, where) => array(value, where).map((entry, index) => read(entry, `${where}[${index}]`));
}

/** A whole number in a range, both ends included. */
export function wholeNumber(min: number, max: number): Reader<number> {
  return (value, where) => {
    const found = number(value, where);
    return Number.isInteger(found) && found >= min && found <= max
      ? found
      : wrong(where, `a whole number, ${min} to ${max}`, value);
  };
}
