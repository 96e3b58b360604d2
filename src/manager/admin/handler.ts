import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { errorText, oneLine } from '../../base/text.ts';
import { REFUSALS, type RefusalKind } from '../../fleetlock/protocol.ts';
import type { Answer } from '../answer.ts';
import type { Manager } from '../api.ts';
import { StoreError } from '../store/store.ts';
import { readBody } from './body.ts';
import { carryOut, mostBytesOf, OPERATIONS, type Operation, parseHistoryQuery, parseOrder } from './orders.ts';
import { isAuthorized } from './token.ts';
import { DONE, HISTORY, STATUS } from './wire.ts';

/** How the admin API is offered. */
export interface AdminOptions {
  /**
   * The content of a file of tokens, one of which every request must carry as Bearer; asked for each request. Null: who
   * reaches the listener is let in, as over a Unix socket, whose file says who may.
   */
  readonly token: (() => string) | null;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Records of the history that a question gets that does not say how many. */
const USUAL_RECORDS = 100;

/** Handles the requests of administrators: `/v1/…` in JSON, `/healthz` and `/readyz`. */
export function createAdminHandler(manager: Manager, { token, now = Date.now }: AdminOptions): RequestListener {
  return (request, response) => {
    const exchange: Exchange = { request, response, manager, now };
    handle(exchange, token).catch((error: unknown) => {
      if (request.destroyed && !request.complete) response.destroy();
      else if (error instanceof StoreError) refuse(response, 'store_unavailable', errorText(error));
      else reply(response, 500, { kind: 'internal_error', value: errorText(error) });
    });
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly manager: Manager;
  readonly now: () => number;
}

interface Route {
  readonly method: 'GET' | 'POST';
  readonly run: (exchange: Exchange, query: URLSearchParams) => Promise<void> | void;
}

const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/healthz', { method: 'GET', run: alive }],
  ['/readyz', { method: 'GET', run: ready }],
  ['/v1/status', { method: 'GET', run: status }],
  ['/v1/history', { method: 'GET', run: history }],
  ...OPERATIONS.map((operation): [string, Route] => [
    `/v1/${operation}`,
    { method: 'POST', run: (exchange) => order(exchange, operation) },
  ]),
]);

async function handle(exchange: Exchange, token: AdminOptions['token']): Promise<void> {
  const { request, response } = exchange;
  if (token !== null && !isAuthorized(request.headers.authorization, token())) {
    response.setHeader('www-authenticate', 'Bearer');
    refuse(response, 'unauthorized', 'a token is needed: Authorization: Bearer TOKEN');
    return;
  }
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const route = ROUTES.get(path);
  if (route === undefined) {
    refuse(response, 'not_found', `there is nothing here; there are ${[...ROUTES.keys()].join(', ')}`);
    return;
  }
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (method !== route.method) {
    response.setHeader('allow', route.method);
    refuse(response, 'method_not_allowed', `${path} is asked with ${route.method}`);
    return;
  }
  await route.run(exchange, new URLSearchParams(query));
}

function alive({ response }: Exchange): void {
  replyText(response, 'ok');
}

async function ready({ response, manager }: Exchange): Promise<void> {
  const problem = await manager.readiness();
  if (problem === null) replyText(response, 'ok');
  else refuse(response, 'store_unavailable', problem);
}

async function status({ response, manager }: Exchange): Promise<void> {
  reply(response, 200, STATUS.write(await manager.status()));
}

async function history({ response, manager }: Exchange, asked: URLSearchParams): Promise<void> {
  const query = understood(response, () => parseHistoryQuery(asked, USUAL_RECORDS));
  if (query !== null) reply(response, 200, HISTORY.write({ records: await manager.history(query) }));
}

async function order({ request, response, manager, now }: Exchange, operation: Operation): Promise<void> {
  const mostBytes = mostBytesOf(operation);
  const body = await readBody(request, mostBytes).catch((error: unknown) => {
    if (request.destroyed && !request.complete) throw error;
    refuse(response, 'invalid_request', errorText(error));
    return undefined;
  });
  if (body === null) {
    // What else is sent is thrown away, so that the client comes to read the answer.
    request.resume();
    response.setHeader('connection', 'close');
    refuse(response, 'request_too_large', `the body is larger than ${mostBytes} bytes`);
  }
  if (typeof body !== 'string') return;
  const parsed = understood(response, () => parseOrder(operation, body, now()));
  if (parsed !== null) replyAnswer(response, await carryOut(manager, parsed));
}

/** What a request says, or null when it was refused for it. */
function understood<T>(response: ServerResponse, parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    refuse(response, 'invalid_request', errorText(error));
    return null;
  }
}

function replyAnswer(response: ServerResponse, answer: Answer): void {
  if (answer.ok) {
    reply(response, 200, DONE.write(answer));
    return;
  }
  if (answer.retryAfterMs !== null) response.setHeader('retry-after', Math.ceil(answer.retryAfterMs / 1000));
  refuse(response, answer.kind, answer.value);
}

function refuse(response: ServerResponse, kind: RefusalKind, value: string): void {
  reply(response, REFUSALS[kind], { kind, value: oneLine(value, 2000) || kind });
}

function reply(response: ServerResponse, code: number, data: unknown): void {
  send(response, code, 'application/json', `${JSON.stringify(data)}\n`);
}

function replyText(response: ServerResponse, text: string): void {
  send(response, 200, 'text/plain; charset=utf-8', `${text}\n`);
}

function send(response: ServerResponse, code: number, type: string, body: string): void {
  if (response.headersSent) return;
  const length = Buffer.byteLength(body);
  response.writeHead(code, { 'content-type': type, 'content-length': length, 'cache-control': 'no-store' });
  response.end(body);
}
