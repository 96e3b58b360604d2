import { parseSignature, type TypeTree } from 'dbus-next/lib/signature.js';

export type { TypeTree };

/** Limits of the D-Bus specification, "Valid Signatures". */
const MAX_LENGTH = 255;
const MAX_ARRAYS = 32;
const MAX_STRUCTS = 32;

const BASIC = 'ybnqiuxtdsogh';

/**
 * Splits a signature into its complete types; throws when the specification does not allow it. dbus-next's parser
 * alone accepts empty structs, which take no bytes, so that an array of them never ends.
 */
export function readSignature(signature: string): readonly TypeTree[] {
  if (signature.length > MAX_LENGTH)
    throw new Error(`signature of ${signature.length} characters, at most 255 allowed`);
  const types = parseSignature(signature);
  for (const type of types) check(type, signature, 0, 0);
  return types;
}

/** The only complete type of a signature; throws when there are more or fewer. */
export function readSingleType(signature: string): TypeTree {
  const [type, ...more] = readSignature(signature);
  if (type === undefined || more.length > 0) throw new Error(`signature "${signature}": expected one complete type`);
  return type;
}

/** True for a type that holds no other: these may be keys of a dictionary. */
export function isBasic(type: TypeTree): boolean {
  return BASIC.includes(type.type);
}

function check(type: TypeTree, signature: string, arrays: number, structs: number): void {
  if (arrays > MAX_ARRAYS || structs > MAX_STRUCTS) throw new Error(`signature "${signature}": nested too deep`);
  if (isBasic(type) || type.type === 'v') return;
  if (type.type === '(' && type.child.length > 0) {
    for (const member of type.child) check(member, signature, arrays, structs + 1);
    return;
  }
  const [element] = type.child;
  if (type.type !== 'a' || element === undefined)
    throw new Error(`signature "${signature}": "${type.type}" not valid there`);
  if (element.type !== '{') {
    check(element, signature, arrays + 1, structs);
    return;
  }
  const [key, value] = element.child;
  if (key === undefined || value === undefined || element.child.length !== 2 || !isBasic(key))
    throw new Error(`signature "${signature}": a dictionary entry is a basic type and one other type`);
  check(value, signature, arrays + 1, structs);
}
