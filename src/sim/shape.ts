/** How each property of a flat record is checked; leaving one out is a compile error. */
export type ShapeOf<Record> = { readonly [Key in keyof Record]-?: KindOf<Record[Key]> };

type KindOf<Value> = [Value] extends [boolean]
  ? 'boolean'
  : [Value] extends [number]
    ? 'number'
    : [Value] extends [string]
      ? 'string'
      : [Value] extends [string | null]
        ? 'string or null'
        : [Value] extends [readonly string[]]
          ? 'strings'
          : 'list';

const CHECKS: Readonly<Record<string, (value: unknown) => boolean>> = {
  boolean: (value) => typeof value === 'boolean',
  number: (value) => typeof value === 'number',
  string: (value) => typeof value === 'string',
  'string or null': (value) => value === null || typeof value === 'string',
  strings: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  list: Array.isArray,
};

/** Why `value` is not a record of this shape, or null when it is. */
export function misfit(shape: Readonly<Record<string, string>>, value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return 'expected an object';
  const record: Readonly<Record<string, unknown>> = { ...value };
  const wrong = Object.entries(shape).find(([key, kind]) => CHECKS[kind]?.(record[key]) !== true);
  return wrong === undefined ? null : `${wrong[0]}: expected ${wrong[1]}, found ${typeof record[wrong[0]]}`;
}
