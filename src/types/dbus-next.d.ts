// The parts of dbus-next 0.10.2 that this project uses: its codec. The package's own types cover only its bus classes.

declare module 'dbus-next/lib/signature.js' {
  /** One complete type: `type` is its first character, `child` the types inside (one for an array, two for `{`). */
  export interface TypeTree {
    readonly type: string;
    readonly child: readonly TypeTree[];
  }

  /** Splits a signature into complete types. Accepts much that is not valid, for example `()`, `a)` and `{s}`. */
  export function parseSignature(signature: string): TypeTree[];
  /** The signature of one complete type. */
  export function collapseSignature(tree: TypeTree): string;
}

declare module 'dbus-next/lib/variant.js' {
  /** A value together with its D-Bus signature (one complete type). */
  export class Variant<Value = unknown> {
    signature: string;
    value: Value;
    constructor(signature: string, value: Value);
  }
}

declare module 'dbus-next/lib/validators.js' {
  /** Accepts everything that begins with a colon. */
  export function isBusNameValid(name: string): boolean;
  export function isObjectPathValid(path: string): boolean;
  export function isInterfaceNameValid(name: string): boolean;
  export function isMemberNameValid(name: string): boolean;
}

declare module 'dbus-next/lib/message-type.js' {
  export interface MessageFields {
    /** 1 method call (default), 2 method return, 3 error, 4 signal. */
    type?: number | undefined;
    serial?: number | undefined;
    path?: string | undefined;
    interface?: string | undefined;
    member?: string | undefined;
    errorName?: string | undefined;
    replySerial?: number | undefined;
    destination?: string | undefined;
    sender?: string | undefined;
    signature?: string | undefined;
    body?: readonly unknown[] | undefined;
    /** 1 no reply expected, 2 no auto start. */
    flags?: number | undefined;
  }

  /** A message whose constructor checks names (but not `member`) and required fields. */
  export class Message {
    type: number;
    get serial(): number | null;
    set serial(value: number | null);
    path: string | undefined;
    interface: string | undefined;
    member: string | undefined;
    errorName: string | undefined;
    replySerial: number | undefined;
    destination: string | undefined;
    sender: string | undefined;
    signature: string;
    body: unknown[];
    flags: number;
    constructor(fields: MessageFields);
    static newError(message: Message, errorName: string, errorText?: string): Message;
    static newMethodReturn(message: Message, signature?: string, body?: readonly unknown[]): Message;
    static newSignal(path: string, iface: string, name: string, signature?: string, body?: readonly unknown[]): Message;
  }
}

declare module 'dbus-next/lib/message.js' {
  import type { Readable } from 'node:stream';
  import type { MessageFields } from 'dbus-next/lib/message-type.js';

  /** A message whose body is in the marshaller's own form: variants are `[signature, value]`, dictionaries pairs. */
  export type RawMessage = MessageFields & { type: number; flags: number; serial: number };

  /** Message to bytes (little endian) and file descriptors. Changes the message. Throws when the body is not as `signature` says. */
  export function marshall(message: MessageFields): [Buffer, unknown[]];
  /** One whole message; no check of lengths, version, type or required fields. */
  export function unmarshall(bytes: Buffer, options?: { ayBuffer?: boolean }): RawMessage;
  /** Throws inside the stream's listener when a message cannot be decoded. */
  export function unmarshalMessages(
    stream: Readable,
    onMessage: (message: RawMessage) => void,
    options?: { ayBuffer?: boolean },
  ): void;
}

declare module 'dbus-next/lib/marshall-compat.js' {
  import type { MessageFields } from 'dbus-next/lib/message-type.js';
  import type { RawMessage } from 'dbus-next/lib/message.js';

  /** Changes the body of a decoded message to plain JavaScript: `Variant`, objects for dictionaries. */
  export function messageToJsFmt(message: RawMessage): RawMessage & { signature: string; body: unknown[] };
  /** Message with a plain JavaScript body to bytes and file descriptors. Changes the message. */
  export function marshallMessage(message: MessageFields): [Buffer, unknown[]];
}

declare module 'dbus-next/lib/marshall.js' {
  /** Values in the marshaller's own form to bytes; `offset` is the place in the message, for alignment. */
  export default function marshall(
    signature: string,
    data: readonly unknown[],
    offset?: number,
    fds?: unknown[],
  ): Buffer;
}

declare module 'dbus-next/lib/dbus-buffer.js' {
  import type { TypeTree } from 'dbus-next/lib/signature.js';

  /** A reader over one message. Checks neither lengths of strings and arrays nor nesting; 64-bit only little endian. */
  export default class DBusBuffer {
    buffer: Buffer;
    /** 0x6c is little endian, every other value big endian. */
    endian: number;
    /** Position, in bytes from the beginning of `buffer`. */
    pos: number;
    startPos: number;
    constructor(
      buffer: Buffer,
      startPos: number,
      endian: number,
      fds?: unknown[] | null,
      options?: { ayBuffer?: boolean },
    );
    /** Moves on to the next multiple of 2^power. */
    align(power: number): void;
    readInt8(): number;
    readInt16(): number;
    readSInt16(): number;
    readInt32(): number;
    readSInt32(): number;
    readDouble(): number;
    readString(length: number): string;
    readSimpleType(type: string): unknown;
    readTree(tree: TypeTree): unknown;
    readStruct(members: readonly TypeTree[]): unknown[];
    readArray(element: TypeTree, bytes: number): unknown;
    readVariant(): unknown;
    read(signature: string): unknown[];
  }
}
