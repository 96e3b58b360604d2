import { marshall } from 'dbus-next/lib/message.js';
import {
  isBusNameValid,
  isInterfaceNameValid,
  isMemberNameValid,
  isObjectPathValid,
} from 'dbus-next/lib/validators.js';
import { Variant } from 'dbus-next/lib/variant.js';
import { BIG_ENDIAN, LITTLE_ENDIAN, MalformedMessageError, OversizeMessageError, Reader } from './reader.ts';
import { toWire } from './wire.ts';

export { MalformedMessageError, OversizeMessageError, Variant };

/** Types of messages; others are to be ignored (D-Bus specification, "Message Format"). */
export const MESSAGE_TYPE = { call: 1, reply: 2, error: 3, signal: 4 } as const;

/** Flags of a message, to be combined. */
export const MESSAGE_FLAG = { noReplyExpected: 1, noAutoStart: 2, allowInteractiveAuthorization: 4 } as const;

/** Length of the fixed part of every message, in bytes. */
export const HEADER_BYTES = 16;

/** What the D-Bus specification allows for one message and for one array, in bytes. */
const MAX_MESSAGE_BYTES = 2 ** 27;
const MAX_ARRAY_BYTES = 2 ** 26;

/** Values in one message beyond which it is not read: more would cost over 50 MB of memory. */
const MAX_VALUES = 200_000;

/** The header of a message. */
export interface Header {
  /** One of `MESSAGE_TYPE`, or a number that this version of D-Bus does not know. */
  readonly type: number;
  /** Sum of `MESSAGE_FLAG`. */
  readonly flags?: number | undefined;
  /** 1 .. 2^32-1, chosen by the sender. */
  readonly serial: number;
  readonly path?: string | undefined;
  readonly interface?: string | undefined;
  readonly member?: string | undefined;
  readonly errorName?: string | undefined;
  readonly replySerial?: number | undefined;
  readonly destination?: string | undefined;
  readonly sender?: string | undefined;
  /** Signature of the body; empty when there is none. */
  readonly signature?: string | undefined;
}

/** A message to send. */
export interface Outgoing extends Header {
  readonly body?: readonly unknown[] | undefined;
}

/** A message that was received. Its header has been checked; its body is decoded when it is asked for. */
export interface Incoming extends Header {
  readonly flags: number;
  readonly signature: string;
  /** Decodes the body. Throws `MalformedMessageError`, or `OversizeMessageError` when it holds too many values. */
  readonly body: () => readonly unknown[];
}

/**
 * One message as bytes, little endian. Throws a TypeError that says what does not agree with its signature or is not a
 * valid name: the bus would close the connection over it. The marshaller refuses -2^63, infinity and NaN, and
 * sends -0 as 0.
 */
export function encodeMessage(message: Outgoing): Buffer {
  checkNames(message);
  const signature = message.signature ?? '';
  // A copy, because the marshaller changes what it is given.
  const [bytes] = marshall({ ...message, signature, body: toWire(signature, message.body ?? []) });
  if (bytes.length > MAX_MESSAGE_BYTES)
    throw new TypeError(`message of ${bytes.length} bytes is longer than D-Bus allows`);
  return bytes;
}

function checkNames(message: Header): void {
  checkName('destination', message.destination, isDestination);
  checkName('path', message.path, isObjectPathValid);
  checkName('interface', message.interface, isInterfaceNameValid);
  checkName('member', message.member, isMemberNameValid);
  checkName('errorName', message.errorName, isInterfaceNameValid);
}

function checkName(field: string, value: string | undefined, valid: (name: string) => boolean): void {
  if (value !== undefined && !valid(value)) throw new TypeError(`${field} "${value}" is not a valid D-Bus name`);
}

/** True for a bus name, well-known or unique. */
export function isDestination(name: string): boolean {
  return name.startsWith(':') ? /^:[\w-]+(\.[\w-]+)+$/.test(name) && name.length <= 255 : isBusNameValid(name);
}

/**
 * Length in bytes of the whole message that begins with these 16 bytes. Throws `MalformedMessageError` when they are
 * not the beginning of a message that D-Bus allows.
 */
export function messageLength(start: Buffer): number {
  const [endian, type, , version] = start;
  if (endian !== LITTLE_ENDIAN && endian !== BIG_ENDIAN)
    throw new MalformedMessageError('does not begin like a D-Bus message');
  if (type === 0) throw new MalformedMessageError('message type 0');
  if (version !== 1) throw new MalformedMessageError(`protocol version ${version ?? 0}, expected 1`);
  const read = (at: number): number => (endian === LITTLE_ENDIAN ? start.readUInt32LE(at) : start.readUInt32BE(at));
  const [body, fields] = [read(4), read(12)];
  const total = bodyStart(fields) + body;
  if (fields > MAX_ARRAY_BYTES || total > MAX_MESSAGE_BYTES)
    throw new MalformedMessageError(`message of ${total} bytes is longer than D-Bus allows`);
  return total;
}

function bodyStart(fieldsBytes: number): number {
  return HEADER_BYTES + Math.ceil(fieldsBytes / 8) * 8;
}

/** Reads one whole message. Throws `MalformedMessageError` or `OversizeMessageError`. */
export function decodeMessage(bytes: Buffer): Incoming {
  if (bytes.length < HEADER_BYTES || messageLength(bytes) !== bytes.length)
    throw new MalformedMessageError('is not as long as its header says');
  const endian = bytes.readUInt8(0);
  const reader = new Reader(bytes, endian, MAX_VALUES);
  const [, type, flags, , , serial, fields] = reader.read('yyyyuua(yv)');
  reader.align(3);
  const body = bytes.subarray(reader.pos);
  const header = { type: Number(type), flags: Number(flags), serial: Number(serial), ...readFields(fields) };
  checkRequired(header);
  if (header.signature === '' && body.length > 0) throw new MalformedMessageError('has a body without a signature');
  return { ...header, body: () => decodeBody(body, endian, header.signature) };
}

function decodeBody(bytes: Buffer, endian: number, signature: string): readonly unknown[] {
  const reader = new Reader(bytes, endian, MAX_VALUES);
  const values = reader.read(signature);
  if (reader.pos !== bytes.length) throw new MalformedMessageError('body does not end where its values do');
  return values;
}

type Fields = Omit<Header, 'type' | 'flags' | 'serial' | 'signature'> & { readonly signature: string };

/** Header fields by their code, "Header Fields" in the specification; unknown ones are to be ignored. */
function readFields(list: unknown): Fields {
  const values = new Map<unknown, unknown>();
  for (const entry of Array.isArray(list) ? list : []) {
    const [code, variant] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (values.has(code)) throw new MalformedMessageError(`header field ${String(code)} is given twice`);
    values.set(code, variant);
  }
  const text = (code: number, type: string): string | undefined => {
    const value = field(values.get(code), code, type);
    return typeof value === 'string' ? value : undefined;
  };
  const replySerial = field(values.get(5), 5, 'u');
  return {
    path: text(1, 'o'),
    interface: text(2, 's'),
    member: text(3, 's'),
    errorName: text(4, 's'),
    replySerial: typeof replySerial === 'number' ? replySerial : undefined,
    destination: text(6, 's'),
    sender: text(7, 's'),
    signature: text(8, 'g') ?? '',
  };
}

function field(variant: unknown, code: number, type: string): unknown {
  if (variant === undefined) return undefined;
  if (variant instanceof Variant && variant.signature === type) return variant.value;
  throw new MalformedMessageError(`header field ${code} is not of type ${type}`);
}

function checkRequired(header: Header): void {
  if (header.serial === 0) throw new MalformedMessageError('serial 0');
  for (const name of requiredFields(header.type))
    if (header[name] === undefined || header[name] === 0) throw new MalformedMessageError(`has no ${name}`);
}

function requiredFields(type: number): readonly (keyof Header)[] {
  switch (type) {
    case MESSAGE_TYPE.call:
      return ['path', 'member'];
    case MESSAGE_TYPE.reply:
      return ['replySerial'];
    case MESSAGE_TYPE.error:
      return ['replySerial', 'errorName'];
    case MESSAGE_TYPE.signal:
      return ['path', 'interface', 'member'];
    default:
      return [];
  }
}
