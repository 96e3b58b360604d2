import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Refusal, refuse } from '../answer.ts';
import { refusalAnswer, type WireAnswer } from './answers.ts';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';
import { LINGER_MS } from './raw.ts';

/** One request and its answer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly connection: Connection;
  readonly #connections: Connections;
  readonly #maxBodyBytes: number;
  #stage: 'arriving' | 'complete' | 'answered' = 'arriving';

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    connection: Connection,
    connections: Connections,
    maxBodyBytes: number,
  ) {
    this.request = request;
    this.response = response;
    this.connection = connection;
    this.#connections = connections;
    this.#maxBodyBytes = maxBodyBytes;
  }

  /**
   * Reads the body and hands it over; from then on the client waits for us. Or hands over, once, why it cannot be read.
   * Nothing when the client goes away before its end.
   */
  readBody(take: (body: string | Refusal) => void): void {
    const tooLarge = (): void =>
      take(refuse('request_too_large', `the body is larger than ${this.#maxBodyBytes} bytes`));
    if (this.#declared() > this.#maxBodyBytes) {
      tooLarge();
      return;
    }
    let body: Buffer | null = null;
    let size = 0;
    this.request.on('data', (chunk: Buffer) => {
      if (this.#stage !== 'arriving') return;
      size += chunk.length;
      if (size > this.#maxBodyBytes) tooLarge();
      else body = body === null ? chunk : Buffer.concat([body, chunk], size);
    });
    this.request.on('end', () => {
      if (this.#stage !== 'arriving' || this.connection.closed) return;
      this.work();
      if (body === null) take('');
      else take(isUtf8(body) ? body.toString() : NOT_UTF8);
    });
  }

  /** From here on the client waits for us: whatever it still sends does not matter. */
  work(): void {
    this.#stage = 'complete';
    this.#connections.work(this.connection);
  }

  /** Whether this request may be held. */
  get mayHold(): boolean {
    return this.#connections.mayHold;
  }

  /** It is being held, until the returned function is called. */
  hold(): () => void {
    return this.#connections.hold();
  }

  /** Whether something of the request is still to come. */
  get isArriving(): boolean {
    return this.#stage === 'arriving' && !this.request.complete;
  }

  /** Answers. Only the first answer counts, and none when the client is gone. `extra`: names and values of headers. */
  answer({ status, headers, body }: WireAnswer, extra: readonly string[] = NONE): void {
    const isCut = this.#isCut();
    if (!this.#end()) return;
    const isLast = isCut || this.#connections.draining;
    const all = extra.length === 0 && !isLast ? headers : [...headers, ...extra, ...(isLast ? CLOSE : NONE)];
    this.response.writeHead(status, all);
    if (isCut) this.#linger(body);
    else this.response.end(body);
  }

  /** Answers with a refusal. */
  refuse(refusal: Refusal, extra: readonly string[] = NONE): void {
    this.answer(refusalAnswer(refusal), extra);
  }

  /** The answer does not wait for the rest of the request, which is large, of unknown size, or not to be understood. */
  #isCut(): boolean {
    if (!this.isArriving) return false;
    const isChunked = this.request.headers['transfer-encoding'] !== undefined;
    return this.connection.ending || isChunked || this.#declared() > this.#maxBodyBytes;
  }

  #declared(): number {
    return Number(this.request.headers['content-length'] ?? 0);
  }

  #end(): boolean {
    if (this.#stage === 'answered') return false;
    const wasOurTurn = this.#stage === 'complete';
    this.#stage = 'answered';
    this.#connections.end(this.connection, wasOurTurn);
    return !this.connection.closed && !this.connection.socket.destroyed;
  }

  /** Sends the answer, and ends it only when the client has had time to read it. */
  #linger(body: string): void {
    const { request, response, connection } = this;
    connection.ending = true;
    const end = (): void => void response.end();
    response.on('error', () => undefined);
    response.write(body);
    request.on('end', end).resume();
    setTimeout(end, LINGER_MS).unref();
  }
}

const NOT_UTF8 = refuse('invalid_request', 'the body is not UTF-8');
const NONE: readonly string[] = [];
const CLOSE: readonly string[] = ['Connection', 'close'];
