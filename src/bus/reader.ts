import DBusBuffer from 'dbus-next/lib/dbus-buffer.js';
import { Variant } from 'dbus-next/lib/variant.js';
import { readSignature, readSingleType, type TypeTree } from './signature.ts';

/** The first byte of a little-endian message, `l`. */
export const LITTLE_ENDIAN = 0x6c;
/** The first byte of a big-endian message, `B`. */
export const BIG_ENDIAN = 0x42;

/** Limits of the D-Bus specification. */
const MAX_ARRAY_BYTES = 2 ** 26;
const MAX_DEPTH = 64;

/** Types whose values begin at a multiple of eight bytes. */
const EIGHT_ALIGNED = 'xtd({';

/** The bytes are not what the D-Bus specification allows. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';
}

/** A message that D-Bus allows, but that is larger than we are ready to hold. */
export class OversizeMessageError extends Error {
  override readonly name = 'OversizeMessageError';
}

/**
 * dbus-next's reader with the checks that it lacks: every length against the buffer, valid signatures, nesting, and
 * the number of values (one byte on the wire can become a hundred in memory). Yields plain JavaScript: `Variant`, Buffer
 * for `ay`, bigint for 64-bit integers, and objects without prototype for dictionaries, in which a key such as
 * `__proto__` is like any other. A file descriptor yields its index.
 */
export class Reader extends DBusBuffer {
  #depth = 0;
  #values: number;

  constructor(bytes: Buffer, endian: number, maxValues: number) {
    super(bytes, 0, endian);
    this.#values = maxValues;
  }

  /** All values of a signature. Throws `MalformedMessageError` or `OversizeMessageError`. */
  override read(signature: string): unknown[] {
    try {
      return this.readStruct(readSignature(signature));
    } catch (error) {
      if (error instanceof MalformedMessageError || error instanceof OversizeMessageError) throw error;
      throw new MalformedMessageError(error instanceof Error ? error.message : 'not readable');
    }
  }

  override readTree(tree: TypeTree): unknown {
    this.#values -= 1;
    if (this.#values < 0) throw new OversizeMessageError('more values than we are ready to hold');
    if (tree.type !== '(' && tree.type !== 'a' && tree.type !== 'v') return this.readSimpleType(tree.type);
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new MalformedMessageError(`containers nested deeper than ${MAX_DEPTH}`);
    const value = super.readTree(tree);
    this.#depth -= 1;
    return value;
  }

  override readVariant(): Variant {
    const signature = this.readString(this.readInt8());
    return new Variant(signature, this.readTree(readSingleType(signature)));
  }

  override readArray(element: TypeTree, bytes: number): unknown {
    if (bytes > MAX_ARRAY_BYTES) throw new MalformedMessageError(`array of ${bytes} bytes`);
    if (EIGHT_ALIGNED.includes(element.type)) this.align(3);
    const end = this.#need(bytes);
    const value = this.#readElements(element, end);
    if (this.pos !== end) throw new MalformedMessageError('array does not end where its length says');
    return value;
  }

  #readElements(element: TypeTree, end: number): unknown {
    if (element.type === 'y') {
      // A copy: a view would keep the whole message, and what came with it, in memory.
      const bytes = Buffer.from(this.buffer.subarray(this.pos, end));
      this.pos = end;
      return bytes;
    }
    if (element.type === '{') return this.#readEntries(element, end);
    const values: unknown[] = [];
    while (this.pos < end) values.push(this.readTree(element));
    return values;
  }

  #readEntries(entry: TypeTree, end: number): Record<string, unknown> {
    const [keyType, valueType] = entry.child;
    if (keyType === undefined || valueType === undefined) throw new MalformedMessageError('incomplete dictionary type');
    const entries: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    while (this.pos < end) {
      this.align(3);
      const key = String(this.readTree(keyType));
      entries[key] = this.readTree(valueType);
    }
    return entries;
  }

  override readSimpleType(type: string): unknown {
    switch (type) {
      case 'b':
        return this.#readBoolean();
      case 'h':
        return this.readInt32();
      case 'x':
      case 't':
        return this.#read64(type === 'x');
      default:
        return super.readSimpleType(type);
    }
  }

  #readBoolean(): boolean {
    const value = this.readInt32();
    if (value > 1) throw new MalformedMessageError(`boolean of value ${value}`);
    return value === 1;
  }

  #read64(signed: boolean): bigint {
    this.align(3);
    const at = this.pos;
    this.pos = this.#need(8);
    if (this.endian === LITTLE_ENDIAN) return signed ? this.buffer.readBigInt64LE(at) : this.buffer.readBigUInt64LE(at);
    return signed ? this.buffer.readBigInt64BE(at) : this.buffer.readBigUInt64BE(at);
  }

  override readInt8(): number {
    this.#need(1);
    return super.readInt8();
  }

  override readString(length: number): string {
    const end = this.#need(length + 1) - 1;
    if (this.buffer[end] !== 0) throw new MalformedMessageError('string without a NUL at its end');
    return super.readString(length);
  }

  /** The position after so many more bytes; throws when the message ends before. */
  #need(bytes: number): number {
    const end = this.pos + bytes;
    if (end > this.buffer.length) throw new MalformedMessageError('ends before its values do');
    return end;
  }
}
