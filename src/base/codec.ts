import * as shape from './shape.ts';
import { utcMs } from './moment.ts';

/** A part of a JSON Schema (2020-12). */
export type Schema = Readonly<Record<string, unknown>>;

/**
 * How a kind of value looks in JSON: one table from which the server writes, the client reads and the documentation is
 * made, so that the three cannot differ.
 */
export interface Codec<T> {
  /** Takes what may be anything; throws an error that says where it is wrong. */
  readonly read: shape.Reader<T>;
  /** Makes what `JSON.stringify` takes. */
  write(value: T): unknown;
  readonly schema: Schema;
}

/** A text. */
export const text: Codec<string> = plain(shape.string, { type: 'string' });

/** True or false. */
export const flag: Codec<boolean> = plain(shape.boolean, { type: 'boolean' });

/** True. */
export const yes: Codec<true> = plain((value, where) => (value === true ? value : shape.wrong(where, 'true', value)), {
  const: true,
});

/** A whole number in a range, both ends included. */
export function whole(min: number, max: number): Codec<number> {
  return plain(shape.wholeNumber(min, max), { type: 'integer', minimum: min, maximum: max });
}

/** One of some words. */
export function word<const W extends string>(...words: readonly W[]): Codec<W> {
  return plain(shape.oneOf(words), { enum: words });
}

/** Milliseconds since 1970, in JSON a moment in UTC: `2026-07-23T14:00:00.000Z`. */
export const moment: Codec<number> = {
  read: (value, where) => {
    const found = shape.string(value, where);
    const ms = ISO.test(found) ? Date.parse(found) : Number.NaN;
    return Number.isNaN(ms) ? shape.wrong(where, 'a moment in UTC (2026-07-23T14:00:00.000Z)', value) : ms;
  },
  write: utcMs,
  schema: { type: 'string', format: 'date-time', pattern: 'Z$' },
};

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** The same, or null. */
export function nullable<T>(codec: Codec<T>): Codec<T | null> {
  return {
    read: shape.orNull(codec.read),
    write: (value) => (value === null ? null : codec.write(value)),
    schema: { anyOf: [codec.schema, { type: 'null' }] },
  };
}

/** Any number of the same. */
export function list<T>(codec: Codec<T>): Codec<readonly T[]> {
  return {
    read: shape.listOf(codec.read),
    write: (values) => values.map((value) => codec.write(value)),
    schema: { type: 'array', items: codec.schema },
  };
}

/** The same, with a sentence for the documentation. */
export function about<T>(description: string, codec: Codec<T>): Codec<T> {
  return { ...codec, schema: { description, ...codec.schema } };
}

/** An object, from a codec for each of its fields. What else is in it is left out: newer servers may say more. */
export function fields<T>(codecs: { readonly [K in keyof T]: Codec<T[K]> }): Codec<T> {
  const entries = Object.entries<Codec<unknown>>(codecs);
  const readers = Object.fromEntries(entries.map(([name, { read }]) => [name, read]));
  return {
    read: (value, where) => shape.object<T>(readers as { readonly [K in keyof T]: shape.Reader<T[K]> })(value, where),
    write: (value) => {
      const raw = value as Readonly<Record<string, unknown>>;
      return Object.fromEntries(entries.map(([name, codec]) => [name, codec.write(raw[name])]));
    },
    schema: {
      type: 'object',
      properties: Object.fromEntries(entries.map(([name, { schema }]) => [name, schema])),
      required: entries.map(([name]) => name),
    },
  };
}

function plain<T>(read: shape.Reader<T>, schema: Schema): Codec<T> {
  return { read, write: (value) => value, schema };
}
