import { type IncomingMessage, request as httpRequest } from 'node:http';
import { isNotFound } from '../../base/files.ts';
import type { Reader } from '../../base/shape.ts';
import { errorText, oneLine } from '../../base/text.ts';
import { MAX_SOCKET_PATH } from '../../base/unix-socket.ts';
import { refusalText, REFUSALS, retryAfterMs } from '../../fleetlock/protocol.ts';
import { type Answer, refuse } from '../answer.ts';
import type { Admin, AdminFailure, Asked } from './admin.ts';
import { readBody } from './body.ts';
import { historyQuery, orderBody } from './orders.ts';
import { DONE, HISTORY, REFUSED, STATUS } from './wire.ts';

/** How long and how much is waited for. */
export interface ClientLimits {
  /** Milliseconds until the whole answer must be there; default 15 000. */
  readonly totalMs?: number;
  /** Bytes of an answer; default 64 MiB. */
  readonly maxBytes?: number;
}

/** Talks to the manager that listens on a Unix socket. What it answers is not taken on trust. */
export function socketAdmin(socketPath: string, { totalMs = 15_000, maxBytes = 67_108_864 }: ClientLimits = {}): Admin {
  const ask = (call: Call): Promise<Asked<Reply>> => exchange(socketPath, call, totalMs, maxBytes);
  return {
    status: async () => readReply(await ask({ method: 'GET', path: '/v1/status' }), STATUS.read),
    history: async (query) => {
      const reply = await ask({ method: 'GET', path: `/v1/history${historyQuery(query)}` });
      return readReply(reply, (value, where) => HISTORY.read(value, where).records);
    },
    order: async (order) => {
      const reply = await ask({ method: 'POST', path: `/v1/${order.operation}`, body: orderBody(order) });
      return readAnswer(reply);
    },
  };
}

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

interface Reply {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** After an order that was sent. */
const IN_DOUBT = '; it may have been carried out: see holdpoint manager history';

async function exchange(socketPath: string, call: Call, totalMs: number, maxBytes: number): Promise<Asked<Reply>> {
  if (Buffer.byteLength(socketPath) > MAX_SOCKET_PATH) {
    return failed(`${oneLine(socketPath)} is no socket: it is longer than ${MAX_SOCKET_PATH} bytes`);
  }
  const signal = AbortSignal.timeout(totalMs);
  const doubt = call.method === 'POST' ? IN_DOUBT : '';
  try {
    const message = await send(socketPath, call, signal);
    const body = await readBody(message, maxBytes);
    message.destroy();
    if (body === null) return failed(`the manager's answer is larger than ${maxBytes} bytes${doubt}`);
    return good({ status: message.statusCode ?? 0, retryAfter: message.headers['retry-after'], body });
  } catch (error) {
    if (signal.aborted) return failed(`the manager did not answer within ${totalMs / 1000} s${doubt}`);
    return { ok: false, failure: failureOf(error, socketPath, doubt) };
  }
}

function send(socketPath: string, { method, path, body }: Call, signal: AbortSignal): Promise<IncomingMessage> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, method, path, headers, signal, agent: false }, resolve);
    request.on('error', reject);
    request.end(body);
  });
}

function failureOf(error: unknown, socketPath: string, doubt: string): AdminFailure {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'ECONNREFUSED' || isNotFound(error)) {
    return { kind: 'not-running', text: `no manager is running at ${socketPath}` };
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return { kind: 'denied', text: `this user may not use the socket ${socketPath}` };
  }
  return { kind: 'failed', text: `no good answer from the manager at ${socketPath}: ${errorText(error)}${doubt}` };
}

function readReply<T>(reply: Asked<Reply>, read: Reader<T>): Asked<T> {
  if (!reply.ok) return reply;
  const { status, body } = reply.value;
  if (status !== 200) return failed(refusalText(status, body).text);
  return readJson(body, read, '');
}

/** Only a 200 that says what was done counts as done, and only a refusal that is known as one that did nothing. */
function readAnswer(reply: Asked<Reply>): Asked<Answer> {
  if (!reply.ok) return reply;
  const { status, body, retryAfter } = reply.value;
  if (status === 200) return readJson<Answer>(body, DONE.read, IN_DOUBT);
  const refused = readJson(body, REFUSED.read, '');
  if (!refused.ok || REFUSALS[refused.value.kind] !== status) {
    return failed(`${refusalText(status, body).text}${status < 500 ? '' : IN_DOUBT}`);
  }
  const { kind, value } = refused.value;
  return good(refuse(kind, oneLine(value, 2000), retryAfterMs(retryAfter, Number.NaN) ?? null));
}

function readJson<T>(body: string, read: Reader<T>, doubt: string): Asked<T> {
  try {
    return good(read(JSON.parse(body) as unknown, ''));
  } catch (error) {
    return failed(`the manager's answer cannot be understood: ${errorText(error)}${doubt}`);
  }
}

function good<T>(value: T): Asked<T> {
  return { ok: true, value };
}

function failed(text: string): { readonly ok: false; readonly failure: AdminFailure } {
  return { ok: false, failure: { kind: 'failed', text } };
}
