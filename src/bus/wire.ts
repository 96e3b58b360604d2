import { isObjectPathValid } from 'dbus-next/lib/validators.js';
import { Variant } from 'dbus-next/lib/variant.js';
import { isBasic, readSignature, readSingleType, type TypeTree } from './signature.ts';

/** JavaScript types that may be sent as a basic D-Bus type; ranges are checked by the marshaller. */
const ACCEPTED: Readonly<Record<string, readonly string[]>> = {
  y: ['number'],
  n: ['number'],
  q: ['number'],
  i: ['number'],
  u: ['number'],
  d: ['number'],
  x: ['bigint', 'number'],
  t: ['bigint', 'number'],
  b: ['boolean'],
  s: ['string'],
  o: ['string'],
  g: ['string'],
};

/**
 * Turns a body into the form that dbus-next's marshaller takes (dictionaries as pairs, variants as signature and
 * value), and checks every value against its type on the way: the package's own conversion sends some that do not
 * agree. Throws a TypeError that says where (`body[1]["reboot"]`), what was expected, and what was found.
 */
export function toWire(signature: string, body: readonly unknown[]): unknown[] {
  const types = readSignature(signature);
  if (types.length !== body.length)
    throw new TypeError(`body: expected ${types.length} values for signature "${signature}", found ${body.length}`);
  return types.map((type, index) => convert(type, body[index], `body[${index}]`));
}

function convert(type: TypeTree, value: unknown, where: string): unknown {
  if (isBasic(type)) return basic(type.type, value, where);
  const [element] = type.child;
  if (type.type === 'v') return variant(value, where);
  if (type.type === '(') return struct(type.child, value, where);
  if (element?.type === '{') return dictionary(element.child, value, where);
  if (element?.type === 'y' && value instanceof Uint8Array) return value;
  if (element === undefined || !Array.isArray(value)) return fail(where, 'an array', value);
  return value.map((item: unknown, index) => convert(element, item, `${where}[${index}]`));
}

function basic(type: string, value: unknown, where: string): unknown {
  const accepted = ACCEPTED[type];
  if (accepted === undefined) throw new TypeError(`${where}: file descriptors cannot be sent`);
  if (!accepted.includes(typeof value)) return fail(where, `a ${accepted.join(' or ')}`, value);
  // The bus closes the connection of a client that sends a bad one.
  if (type === 'o' && !isObjectPathValid(String(value))) return fail(where, 'an object path', value);
  if (type === 'g') readSignature(String(value));
  return value;
}

function variant(value: unknown, where: string): unknown {
  if (!(value instanceof Variant)) return fail(where, 'a Variant', value);
  return [value.signature, convert(readSingleType(value.signature), value.value, where)];
}

function struct(members: readonly TypeTree[], value: unknown, where: string): unknown {
  if (!Array.isArray(value) || value.length !== members.length)
    return fail(where, `an array of ${members.length} values`, value);
  return members.map((member, index) => convert(member, value[index], `${where}[${index}]`));
}

function dictionary(entry: readonly TypeTree[], value: unknown, where: string): unknown {
  const [keyType, valueType] = entry;
  if (keyType === undefined || valueType === undefined || typeof value !== 'object' || value === null)
    return fail(where, 'an object', value);
  if (Array.isArray(value) || value instanceof Variant) return fail(where, 'an object', value);
  return Object.entries(value).map(([key, item]) => {
    const inside = `${where}[${JSON.stringify(key)}]`;
    return [convert(keyType, keyValue(keyType.type, key), inside), convert(valueType, item, inside)];
  });
}

/** The names of an object's properties are strings; keys of other types are read from them. */
function keyValue(type: string, key: string): unknown {
  if ('sog'.includes(type)) return key;
  if (type === 'b') return key === 'true' ? true : key === 'false' ? false : key;
  if ('xt'.includes(type)) return /^-?\d+$/.test(key) ? BigInt(key) : key;
  const number = Number(key);
  return String(number) === key ? number : key;
}

function fail(where: string, expected: string, found: unknown): never {
  const kind = found === null ? 'null' : Array.isArray(found) ? 'an array' : typeof found;
  throw new TypeError(`${where}: expected ${expected}, found ${found instanceof Variant ? 'a Variant' : kind}`);
}
