import type { Dispatcher } from 'undici';
import { readBody } from './http-body.ts';
import { dispatcherFor } from './http-dispatcher.ts';
import { type HttpAnswer, HttpError, type HttpRequest } from './http-types.ts';
import { authorization, parseUrl, withoutUser } from './http-url.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const KEEPING_METHOD: ReadonlySet<number> = new Set([307, 308]);

/** Carries a request out, redirects included. Rejects with an `HttpError` or whatever Node or undici throws. */
export async function answerOf(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  const headers = { ...request.headers, ...authorization(request.url) };
  let current: HttpRequest = { ...request, url: withoutUser(request.url), headers };
  for (let left = request.maxRedirects ?? 0; ; left -= 1) {
    const answer = await exchange(current, signal);
    const next = left > 0 ? redirectOf(current, answer) : null;
    if (next === null) return answer;
    const { url, headers: sent = {} } = current;
    current = { ...current, url: next, headers: next.origin === url.origin ? sent : publicOnly(sent) };
  }
}

/** Where an answer sends this request, or null when it is to be taken as it is. */
function redirectOf({ url, method }: HttpRequest, { status, headers }: HttpAnswer): URL | null {
  const { location } = headers;
  if (location === undefined || !REDIRECTS.has(status)) return null;
  if (method !== 'GET' && !KEEPING_METHOD.has(status)) return null;
  const next = parseUrl(location, url);
  if (next === null) throw new HttpError('invalid', 'redirected to something that is not a URL');
  if (url.protocol === 'https:' && next.protocol !== 'https:') {
    throw new HttpError('invalid', `redirected from https to ${next.protocol}//${next.host}, which is refused`);
  }
  return withoutUser(next);
}

/** What another host may see of the headers: none that carry credentials. */
function publicOnly(headers: Readonly<Record<string, string>>): Record<string, string> {
  const secret = ['authorization', 'cookie'];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !secret.includes(name.toLowerCase())));
}

async function exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  if (request.url.protocol !== 'https:' && request.url.protocol !== 'http:') {
    throw new HttpError('invalid', `${request.url.protocol} is not a protocol for requests`);
  }
  const dispatcher = await dispatcherFor(request);
  signal.throwIfAborted();
  // undici looks at a signal only once there is a connection: this ends the wait for one too.
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(asError(signal.reason)));
  });
  try {
    return await Promise.race([send(dispatcher, request), aborted]);
  } finally {
    void dispatcher.destroy().catch(() => undefined);
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('the exchange has ended');
}

async function send(dispatcher: Dispatcher, request: HttpRequest): Promise<HttpAnswer> {
  const { url, method, body = null, maxBytes } = request;
  const { default: call } = await import('undici/lib/api/api-request.js');
  const headers = { 'accept-encoding': 'gzip, deflate, br', ...request.headers };
  const path = `${url.pathname}${url.search}`;
  const response = await call.call(dispatcher, { origin: url.origin, path, method, headers, body, reset: true });
  const received = single(response.headers);
  return { status: response.statusCode, headers: received, body: await readBody(response, received, maxBytes) };
}

function single(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const pairs = Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]);
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined));
}
