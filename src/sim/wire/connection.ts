import type { Socket } from 'node:net';
import { CALL, decode, encode, ERROR, messageLength, NO_REPLY, RETURN, SIGNAL } from './codec.ts';
import type { Fields, Incoming } from './codec.ts';

/** A D-Bus error, to answer with or as it was answered. */
export class WireError extends Error {
  override readonly name = 'WireError';
  readonly errorName: string;

  constructor(errorName: string, text: string) {
    super(text);
    this.errorName = errorName;
  }
}

/** A call to make. */
export interface OutgoingCall {
  readonly destination?: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

/** A signal to send. */
export interface Sent {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly body: readonly unknown[];
}

interface Waiting {
  resolve(body: readonly unknown[]): void;
  reject(error: Error): void;
}

type Handler = (message: Incoming) => void;

/** An authenticated D-Bus stream, to a bus or a peer. A message that cannot be decoded ends it. */
export class Connection {
  /** Settles once, when the connection has ended. */
  readonly closed: Promise<void>;
  private readonly socket: Socket;
  private readonly waiting = new Map<number, Waiting>();
  private readonly callHandlers: Handler[] = [];
  private readonly signalHandlers = new Set<Handler>();
  private pending = Buffer.alloc(0);
  private serial = 0;

  /** Takes over a socket that is authenticated and paused; nothing is read before the next turn of the event loop. */
  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        for (const call of this.waiting.values()) call.reject(new Error('the D-Bus connection was closed'));
        this.waiting.clear();
        resolve();
      });
    });
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      try {
        this.read(chunk);
      } catch {
        socket.destroy();
      }
    });
    setImmediate(() => socket.resume());
  }

  /** Sends a call and waits for its answer; rejects with `WireError`, or when the connection ends. */
  call(call: OutgoingCall): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => {
      this.waiting.set(this.send({ ...call, type: CALL }), { resolve, reject });
    });
  }

  /** Answers a call. */
  reply(to: Incoming, signature: string, body: readonly unknown[]): void {
    if ((to.flags & NO_REPLY) !== 0) return;
    this.send({ type: RETURN, replySerial: to.serial, destination: to.sender, signature, body });
  }

  /** Answers a call with an error. */
  fail(to: Incoming, error: WireError): void {
    if ((to.flags & NO_REPLY) !== 0) return;
    const body = [error.message];
    const { errorName } = error;
    this.send({ type: ERROR, errorName, replySerial: to.serial, destination: to.sender, signature: 's', body });
  }

  signal(path: string, iface: string, member: string, signature = '', body: readonly unknown[] = []): void {
    this.send({ type: SIGNAL, path, interface: iface, member, signature, body });
  }

  /** Sends a signal that was put together elsewhere. */
  emit({ path, interface: iface, member, signature, body }: Sent): void {
    this.signal(path, iface, member, signature, body);
  }

  /** Sends bytes that may be no message at all. */
  sendRaw(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** Handles every incoming call. */
  onCall(handler: Handler): void {
    this.callHandlers.push(handler);
  }

  /** Handles every incoming signal until the returned function is called. */
  onSignal(handler: Handler): () => void {
    this.signalHandlers.add(handler);
    return () => this.signalHandlers.delete(handler);
  }

  /** Ends the connection when everything that was sent is on its way. */
  close(): void {
    this.socket.destroySoon();
  }

  private send(fields: Fields): number {
    this.serial += 1;
    if (!this.socket.destroyed) this.socket.write(encode({ ...fields, serial: this.serial }));
    return this.serial;
  }

  private read(chunk: Buffer): void {
    this.pending = Buffer.concat([this.pending, chunk]);
    for (;;) {
      const length = messageLength(this.pending);
      if (length === null || this.pending.length < length) return;
      const message = decode(Buffer.from(this.pending.subarray(0, length)));
      this.pending = this.pending.subarray(length);
      this.deliver(message);
    }
  }

  private deliver(message: Incoming): void {
    if (message.type === CALL) for (const handler of this.callHandlers) handler(message);
    else if (message.type === SIGNAL) for (const handler of [...this.signalHandlers]) handler(message);
    else this.settle(message);
  }

  private settle(message: Incoming): void {
    const serial = message.replySerial ?? 0;
    const call = this.waiting.get(serial);
    this.waiting.delete(serial);
    if (message.type === RETURN) call?.resolve(message.body);
    else call?.reject(new WireError(message.errorName ?? '', errorBody(message)));
  }
}

function errorBody({ body: [text] }: Incoming): string {
  return typeof text === 'string' ? text : '';
}
