import type { buildConnector, Dispatcher } from 'undici';
import { duration } from '../../../base/text.ts';
import { EtcdError, failureOfConnection } from './failure.ts';

/** An answer of any status. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** What is sent. */
export interface Post {
  readonly method?: 'GET';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Called with each piece of an answer. Throwing ends the exchange. */
type OnPiece = (status: number, piece: Buffer) => void;

/** Connections that are open to one endpoint at most: the store asks one thing at a time, beside notes and health. */
const CONNECTIONS = 8;
/** Milliseconds after which an idle connection is closed, before load balancers do so (60 s is usual). */
const IDLE_MS = 20_000;
/** Bytes of an answer that are taken: the documents of more groups than anybody has. */
const MOST_BYTES = 256 * 1024 * 1024;

/** One member of a cluster of etcd, or whatever stands before it. */
export class Endpoint {
  readonly url: URL;
  readonly #pool: Dispatcher;

  private constructor(url: URL, pool: Dispatcher) {
    this.url = url;
    this.#pool = pool;
  }

  /** Connects to nobody yet. */
  static async at(url: URL, connect: buildConnector.connector): Promise<Endpoint> {
    const { default: Pool } = await import('undici/lib/dispatcher/pool.js');
    // Every exchange has a time limit of its own.
    const limits = { headersTimeout: 0, bodyTimeout: 0, maxResponseSize: MOST_BYTES };
    const pool = new Pool(url.origin, { ...limits, connect, connections: CONNECTIONS, keepAliveTimeout: IDLE_MS });
    return new Endpoint(url, pool);
  }

  /** Rejects with an `EtcdError` when there is no complete answer within `timeoutMs`. */
  async exchange(post: Post, timeoutMs: number): Promise<Answer> {
    const pieces: Buffer[] = [];
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(new Error(`no answer within ${duration(timeoutMs)}`)), timeoutMs);
    try {
      const status = await this.stream(post, stop.signal, (_, piece) => void pieces.push(piece));
      return { status, body: Buffer.concat(pieces).toString() };
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Gives an answer piece by piece until it ends; resolves with its status. Rejects with an `EtcdError` when it breaks or
   * the signal, whose reason must be an error, ends it.
   */
  stream(post: Post, signal: AbortSignal, onPiece: OnPiece): Promise<number> {
    const { method = 'POST', path, headers, body } = post;
    return new Promise((resolve, reject) => {
      let sent = false;
      let status = 0;
      let controller: Dispatcher.DispatchController | null = null;
      const fail = (error: unknown): void => {
        reject(new EtcdError(failureOfConnection(error, sent), { cause: error }));
      };
      const onAbort = (): void => {
        fail(signal.reason);
        controller?.abort(signal.reason as Error);
      };
      if (signal.aborted) {
        onAbort();
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      const end = (): void => signal.removeEventListener('abort', onAbort);
      const request = { path, method, headers, body: method === 'GET' ? null : body };
      this.#pool.dispatch(request, {
        // There is a connection, and the request is about to be written to it: up to here nothing has been done.
        onRequestStart: (given) => {
          controller = given;
          if (signal.aborted) given.abort(signal.reason as Error);
          else sent = true;
        },
        onResponseStart: (_, code) => void (status = code),
        onResponseData: (_, piece) => onPiece(status, piece),
        onResponseEnd: () => {
          end();
          resolve(status);
        },
        onResponseError: (_, error) => {
          end();
          fail(error);
        },
      });
    });
  }

  /** Ends all exchanges. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
