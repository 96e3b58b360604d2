import { setTimeout as setTimer } from 'node:timers';
import { setTimeout } from 'node:timers/promises';
import { errorText } from '../../../base/text.ts';
import { array, record } from '../../../base/shape.ts';
import type { Endpoint } from './endpoint.ts';
import { EtcdError, failureOfAnswer } from './failure.ts';
import type { Gateway } from './gateway.ts';
import { type RangeRequest, readKey } from './messages.ts';

/** What is to be done when something happens. */
export interface WatchHandlers {
  /** The watch has begun, for the first time or again: what happened before was not heard. */
  begun(): void;
  /** A key was written or deleted in this revision. */
  changed(revision: number): void;
  /** It does not work at the moment; once for each time. */
  failed(text: string): void;
}

/** Milliseconds of silence after which a stream counts as dead: a proxy may have dropped it without a word. */
const SILENCE_MS = 60_000;
/** Milliseconds between two tries. */
const RETRY_MS = { first: 100, longest: 5_000 };
/** Milliseconds until a stream must have begun. */
const START_MS = 5_000;

/** Watches ranges of keys until it is stopped, at one endpoint after the other. Returns the way to stop. */
export function watchKeys(gateway: Gateway, ranges: readonly RangeRequest[], handlers: WatchHandlers): () => void {
  const stop = new AbortController();
  void follow(gateway, ranges, handlers, stop.signal);
  return () => stop.abort(new Error('the watch was stopped'));
}

async function follow(
  gateway: Gateway,
  ranges: readonly RangeRequest[],
  handlers: WatchHandlers,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  let index = gateway.endpoints.indexOf(gateway.first);
  for (;;) {
    const endpoint = gateway.endpoints[index % gateway.endpoints.length] ?? gateway.first;
    const begun = (): void => {
      failures = 0;
      handlers.begun();
    };
    const text = await listen(gateway, endpoint, ranges, { ...handlers, begun }, signal);
    if (signal.aborted) return;
    index += 1;
    failures += 1;
    // One loss is nothing to talk about: proxies cut streams, members restart.
    if (failures === 2) handlers.failed(`etcd at ${endpoint.url.origin} cannot be watched: ${text}`);
    const pause = Math.min(RETRY_MS.first * 2 ** (failures - 1), RETRY_MS.longest);
    await setTimeout(pause, undefined, { signal }).catch(() => undefined);
  }
}

/** Resolves when the stream has ended, with the reason. */
async function listen(
  gateway: Gateway,
  endpoint: Endpoint,
  ranges: readonly RangeRequest[],
  handlers: WatchHandlers,
  signal: AbortSignal,
): Promise<string> {
  const ended = new AbortController();
  const timer = setTimer(() => ended.abort(new Error('it is silent')), SILENCE_MS);
  const stop = (): void => ended.abort(signal.reason);
  signal.addEventListener('abort', stop);
  const reader = new WatchReader(ranges.length, handlers);
  try {
    const headers = await gateway.headers(endpoint, START_MS);
    // One stream for all: the gateway takes several messages in one body.
    const body = ranges.map((range) => JSON.stringify({ create_request: range })).join('\n');
    const status = await endpoint.stream({ path: '/v3/watch', headers, body }, ended.signal, (code, piece) => {
      timer.refresh();
      reader.take(code, piece);
    });
    return failureOfAnswer(status, reader.rest).text;
  } catch (error) {
    if (error instanceof EtcdError && error.failure.kind === 'token') gateway.dropToken();
    return errorText(error);
  } finally {
    signal.removeEventListener('abort', stop);
    clearTimeout(timer);
  }
}

/** Takes a stream apart: one JSON object a line. */
class WatchReader {
  /** What came after the last whole line. */
  rest = '';
  readonly #decoder = new TextDecoder();
  readonly #watches: number;
  readonly #handlers: WatchHandlers;
  #created = 0;

  constructor(watches: number, handlers: WatchHandlers) {
    this.#watches = watches;
    this.#handlers = handlers;
  }

  /** Throws an `EtcdError` when the stream says that it is over. */
  take(status: number, piece: Buffer): void {
    this.rest += this.#decoder.decode(piece, { stream: true });
    if (status !== 200) return;
    const lines = this.rest.split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') this.#message(record(JSON.parse(line) as unknown, 'a message'));
  }

  #message({ result, error }: Readonly<Record<string, unknown>>): void {
    if (error !== undefined) throw over(error);
    const { created, canceled, cancel_reason: reason, events } = record(result, 'result');
    if (canceled === true) throw over({ message: reason });
    if (created === true) {
      this.#created += 1;
      if (this.#created === this.#watches) this.#handlers.begun();
    }
    const keys = array(events ?? [], 'events').map((event) => readKey(record(event, 'event')['kv'], 'kv'));
    for (const revision of new Set(keys.map((key) => key.revision))) this.#handlers.changed(revision);
  }
}

function over(error: unknown): EtcdError {
  return new EtcdError(failureOfAnswer(200, JSON.stringify(error)));
}
