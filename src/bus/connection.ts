import type { Socket } from 'node:net';
import { isInterfaceNameValid } from 'dbus-next/lib/validators.js';
import { errorText } from '../base/text.ts';
import { BusClosedError, BusError, BusTimeoutError, type MethodCall } from './api.ts';
import { ExternalAuth } from './auth.ts';
import {
  decodeMessage,
  encodeMessage,
  type Incoming,
  MalformedMessageError,
  MESSAGE_FLAG,
  MESSAGE_TYPE,
  type Outgoing,
  OversizeMessageError,
} from './codec.ts';
import { Framer } from './framing.ts';

/** Milliseconds until a call fails, unless told otherwise; what other D-Bus libraries use. */
const CALL_TIMEOUT_MS = 25_000;
/** The longest that a timer of Node can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Longest message that is read, and most that may wait to be sent, unless told otherwise. */
const MAX_BYTES = 2 ** 24;

/** What a method answers. */
export interface Answer {
  readonly signature: string;
  readonly body: readonly unknown[];
}

/** How a connection behaves. */
export interface ConnectionOptions {
  /** Milliseconds for connecting and authentication together. Default 10 000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Longest message that is read, in bytes; longer ones are passed over. Default 16 MiB. */
  readonly maxMessageBytes?: number | undefined;
  /** Most bytes that may wait to be sent; calls beyond fail with LimitsExceeded. Default 16 MiB. */
  readonly maxQueuedBytes?: number | undefined;
  /** Closes the connection. */
  readonly signal?: AbortSignal | undefined;
  /** Takes every signal. What it throws is taken for a malformed message and ends the connection. */
  readonly onSignal?: ((signal: Incoming) => void) | undefined;
  /** Answers method calls; a `BusError` is passed on to the caller, other errors only as "failed". */
  readonly onCall?: ((call: Incoming) => Promise<Answer>) | undefined;
  /** Told of what went wrong without ending the connection. */
  readonly onError?: ((error: Error) => void) | undefined;
}

interface Pending {
  readonly resolve: (body: readonly unknown[]) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * One stream of D-Bus messages, to a bus or to a peer. It ends once, for whatever reason, and stays ended: a message
 * that cannot be read ends it, and nothing that arrives can throw outside of it.
 */
export class Connection {
  /** Settles once: null after `close()` without a reason, else why the connection ended. Never rejects. */
  readonly closed: Promise<Error | null>;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #framer: Framer;
  readonly #pending = new Map<number, Pending>();
  #settle: (error: Error | null) => void = () => undefined;
  readonly #abort = (): void => this.close();
  #consume: (chunk: Buffer) => void;
  #ended = false;
  #serial = 0;

  /** Takes a socket that is connecting; `onReady` is called when authentication is done. */
  constructor(socket: Socket, options: ConnectionOptions, onReady: () => void) {
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#socket = socket;
    this.#options = options;
    this.#framer = new Framer(options.maxMessageBytes ?? MAX_BYTES, (bytes) => {
      this.#report(new OversizeMessageError(`a message of ${bytes} bytes was passed over`));
    });
    const auth = new ExternalAuth(process.getuid?.() ?? 0);
    this.#consume = (chunk): void => this.#authenticate(auth, chunk, onReady);
    options.signal?.addEventListener('abort', this.#abort);
    socket.on('connect', () => socket.write(auth.first));
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#end(new BusClosedError(errorText(error), { cause: error })));
    socket.on('close', () => this.#end(new BusClosedError('the other side closed the connection')));
  }

  /** Calls a method. Rejects with `BusError`, `BusTimeoutError`, `BusClosedError`, or TypeError when not encodable. */
  call(call: MethodCall): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => {
      const { timeoutMs = CALL_TIMEOUT_MS, noAutoStart = false, interactive = false, signal, ...message } = call;
      const flags =
        (noAutoStart ? MESSAGE_FLAG.noAutoStart : 0) + (interactive ? MESSAGE_FLAG.allowInteractiveAuthorization : 0);
      const serial = this.send({ ...message, type: MESSAGE_TYPE.call, flags });
      const giveUp = (why: string): void => {
        if (!this.#pending.delete(serial)) return;
        clearTimeout(timer);
        reject(new BusTimeoutError(`${call.interface}.${call.member}: ${why}`));
      };
      const timer = setTimeout(() => giveUp(`no answer within ${timeoutMs} ms`), Math.min(timeoutMs, MAX_TIMER_MS));
      this.#pending.set(serial, { resolve, reject, timer });
      const abandon = (): void => giveUp('nobody waits for the answer any more');
      if (signal?.aborted === true) abandon();
      else signal?.addEventListener('abort', abandon, { once: true });
    });
  }

  /** Sends a message and returns its serial. Throws `BusClosedError`, `BusError` (LimitsExceeded) or TypeError. */
  send(message: Omit<Outgoing, 'serial'>): number {
    if (this.#ended) throw new BusClosedError('the connection is closed', { unsent: true });
    const serial = this.#nextSerial();
    const bytes = encodeMessage({ ...message, serial });
    const waiting = this.#socket.writableLength;
    if (waiting > 0 && waiting + bytes.length > (this.#options.maxQueuedBytes ?? MAX_BYTES))
      throw new BusError('org.freedesktop.DBus.Error.LimitsExceeded', 'the other side does not read: queue full');
    this.#socket.write(bytes);
    return serial;
  }

  /** Ends the connection; calls under way reject. What was sent before still goes out when there is no `reason`. */
  close(reason?: Error): void {
    this.#end(reason ?? null);
  }

  #nextSerial(): number {
    do this.#serial = this.#serial >= 0xffff_ffff ? 1 : this.#serial + 1;
    while (this.#pending.has(this.#serial));
    return this.#serial;
  }

  #end(error: Error | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.signal?.removeEventListener('abort', this.#abort);
    // A side that does not read what is left must not hold the process.
    if (error === null) this.#socket.unref().destroySoon();
    else this.#socket.destroy();
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(new BusClosedError(`the connection ended: ${error?.message ?? 'closed here'}`));
    }
    this.#pending.clear();
    this.#settle(error);
  }

  #authenticate(auth: ExternalAuth, chunk: Buffer, onReady: () => void): void {
    const rest = auth.push(chunk);
    if (rest === null) return;
    this.#socket.write(auth.last);
    this.#consume = (bytes): void => this.#read(bytes);
    onReady();
    this.#read(rest);
  }

  #receive(chunk: Buffer): void {
    if (this.#ended) return;
    try {
      this.#consume(chunk);
    } catch (error) {
      this.#end(new BusClosedError(errorText(error), { cause: error }));
    }
  }

  #read(bytes: Buffer): void {
    for (const frame of this.#framer.push(bytes)) {
      if (this.#ended) return;
      try {
        this.#dispatch(decodeMessage(frame));
      } catch (error) {
        if (!(error instanceof OversizeMessageError)) throw error;
        this.#report(error);
      }
    }
  }

  #dispatch(message: Incoming): void {
    if (message.type === MESSAGE_TYPE.call) void this.#serve(message);
    else if (message.type === MESSAGE_TYPE.signal) this.#options.onSignal?.(message);
    else if (message.type === MESSAGE_TYPE.reply || message.type === MESSAGE_TYPE.error) this.#settleCall(message);
  }

  /** The answer to a call that has timed out finds nobody and is ignored. */
  #settleCall(message: Incoming): void {
    const call = this.#pending.get(message.replySerial ?? 0);
    if (call === undefined) return;
    const result = readAnswer(message);
    this.#pending.delete(message.replySerial ?? 0);
    clearTimeout(call.timer);
    if (result instanceof Error) call.reject(result);
    else call.resolve(result);
  }

  async #serve(call: Incoming): Promise<void> {
    const wanted = (call.flags & MESSAGE_FLAG.noReplyExpected) === 0;
    const address = { destination: call.sender, replySerial: call.serial };
    try {
      const answer = await (this.#options.onCall ?? refuseCall)(call);
      if (wanted && !this.#ended) this.send({ ...address, type: MESSAGE_TYPE.reply, ...answer });
    } catch (error) {
      if (error instanceof MalformedMessageError) this.close(error);
      if (wanted && !this.#ended) this.#refuse(address, error);
    }
  }

  #refuse(address: Pick<Outgoing, 'destination' | 'replySerial'>, error: unknown): void {
    const known = error instanceof BusError && isInterfaceNameValid(error.errorName);
    if (!known) this.#report(error);
    const errorName = known ? error.errorName : 'org.freedesktop.DBus.Error.Failed';
    const body = [known ? error.message : 'The method failed.'];
    try {
      this.send({ ...address, type: MESSAGE_TYPE.error, errorName, signature: 's', body });
    } catch (problem) {
      this.close(new BusClosedError(`an answer could not be sent: ${errorText(problem)}`));
    }
  }

  #report(error: unknown): void {
    this.#options.onError?.(error instanceof Error ? error : new Error(errorText(error)));
  }
}

function refuseCall(call: Incoming): Promise<Answer> {
  const text = `no method ${call.interface ?? ''}.${call.member ?? ''} here`;
  return Promise.reject(new BusError('org.freedesktop.DBus.Error.UnknownMethod', text));
}

/** What a call resolves to or rejects with. */
function readAnswer(message: Incoming): readonly unknown[] | Error {
  try {
    const body = message.body();
    if (message.type === MESSAGE_TYPE.reply) return body;
    return new BusError(message.errorName ?? '', typeof body[0] === 'string' ? body[0] : '');
  } catch (error) {
    if (error instanceof OversizeMessageError) return error;
    throw error;
  }
}
