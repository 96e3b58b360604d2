import DBusBuffer from 'dbus-next/lib/dbus-buffer.js';
import { marshallMessage, messageToJsFmt } from 'dbus-next/lib/marshall-compat.js';
import type { MessageFields } from 'dbus-next/lib/message-type.js';

/** Kinds of message, as the D-Bus specification numbers them. */
export const CALL = 1;
export const RETURN = 2;
export const ERROR = 3;
export const SIGNAL = 4;

/** The flag of a call that wants no reply. */
export const NO_REPLY = 1;

/** A message as it goes over the wire, body in plain JavaScript. */
export type Fields = MessageFields;

/** A message that arrived. */
export interface Incoming extends Fields {
  readonly type: number;
  readonly flags: number;
  readonly serial: number;
  readonly signature: string;
  readonly body: readonly unknown[];
}

const LITTLE = 0x6c;
const HEADER = 16;
/** The specification allows 128 MiB; nothing that a simulated host is told comes near this. */
const LARGEST = 16 * 1024 * 1024;

/** Bytes of the message that `bytes` begin with, or null while its header is incomplete. Throws when it is too long. */
export function messageLength(bytes: Buffer): number | null {
  if (bytes.length < HEADER) return null;
  const number = (at: number): number => (bytes[0] === LITTLE ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const length = HEADER + Math.ceil(number(12) / 8) * 8 + number(4);
  if (length > LARGEST) throw new Error(`a message of ${length} bytes: too long`);
  return length;
}

const FIELD_NAMES = [
  '',
  'path',
  'interface',
  'member',
  'errorName',
  'replySerial',
  'destination',
  'sender',
  'signature',
] as const;

/** One whole message to its fields. Throws when it cannot be decoded. */
export function decode(bytes: Buffer): Incoming {
  const reader = new DBusBuffer(bytes, 0, bytes[0] ?? 0);
  const [, type, flags, , , serial, fields] = reader.read('yyyyuua(yv)');
  if (typeof type !== 'number' || typeof flags !== 'number' || typeof serial !== 'number' || !Array.isArray(fields)) {
    throw new Error('a message without a header');
  }
  const header = Object.fromEntries(fields.map(readField));
  const signature = typeof header['signature'] === 'string' ? header['signature'] : '';
  reader.align(3);
  const body = signature === '' ? [] : reader.read(signature);
  return messageToJsFmt({ ...header, type, flags, serial, signature, body });
}

/** A header field as the codec gives it, `[code, [types, [value]]]`, to a pair. */
function readField(field: unknown): readonly [string, unknown] {
  if (!Array.isArray(field)) throw new Error('a malformed header field');
  const [code, variant] = field as readonly unknown[];
  const values: unknown = Array.isArray(variant) ? variant[1] : undefined;
  const name = typeof code === 'number' ? FIELD_NAMES[code] : undefined;
  return [name ?? '', Array.isArray(values) ? values[0] : undefined];
}

/** A message to bytes. Throws when the body is not as the signature says. */
export function encode(fields: Fields): Buffer {
  return marshallMessage({ ...fields })[0];
}
