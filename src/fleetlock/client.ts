import { type Failure, FailureError } from '../base/failure.ts';
import type { HttpResult } from '../base/http.ts';
import { authorization } from '../base/http-url.ts';
import { errorText } from '../base/text.ts';
import { type Authorization, type LockAccess, readTls, readToken } from './access.ts';
import { type LockAnswer, judge } from './answer.ts';
import {
  PROTOCOL_HEADER,
  type ClientParams,
  type Operation,
  operationUrl,
  preferWait,
  requestBody,
  retryAfterMs,
} from './protocol.ts';

export type { LockAccess } from './access.ts';
export type { LockAnswer } from './answer.ts';

const MOST_BYTES = 64 * 1024;

/** A lock server and who asks it. */
export interface LockRequest extends ClientParams {
  /** May hold a password or a secret path: never printed. */
  readonly baseUrl: string;
}

/** One question to a lock server. */
export interface LockQuestion {
  readonly operation: Operation;
  readonly lock: LockRequest;
  /** Milliseconds that the server may take to free a slot before it answers; 0: it is to answer at once. */
  readonly waitMs: number;
  /** Now, in milliseconds since 1970, for `Retry-After` headers that hold a date. */
  readonly wall: number;
  /** Ends the question: the connection is closed, and the answer is that nobody knows. */
  readonly signal: AbortSignal;
}

/** Asks a FleetLock server. Only 200 is a yes: a server that answers 202 has not granted anything. Never rejects. */
export async function askLock(question: LockQuestion, access: LockAccess): Promise<LockAnswer> {
  const { lock } = question;
  if (!URL.canParse(lock.baseUrl)) return failed('transient', 'the address of the lock server is not a URL');
  const base = new URL(lock.baseUrl);
  try {
    const credentials = credentialsFor(base, access);
    const result = await send(question, access, credentials);
    if (!result.ok) return failed('unknown', result.failure.text);
    const { status, body, headers } = result.answer;
    const received = { status, body, retryAfterMs: retryAfterMs(headers['retry-after'], question.wall) };
    return judge(question.operation, received, withoutSecrets(body, base, credentials));
  } catch (error) {
    return error instanceof FailureError
      ? { kind: 'failed', failure: error.failure }
      : failed('unknown', errorText(error));
  }
}

function failed(kind: Failure['class'], text: string): LockAnswer {
  return { kind: 'failed', failure: { class: kind, text } };
}

/** Credentials in the address belong to that server: they come first. */
function credentialsFor(base: URL, { tokenFile }: LockAccess): Authorization | null {
  const isNamed = base.username !== '' || base.password !== '';
  return tokenFile === null || isNamed ? null : readToken(tokenFile);
}

async function send(
  { operation, lock, waitMs, signal }: LockQuestion,
  access: LockAccess,
  credentials: Authorization | null,
): Promise<HttpResult> {
  const url = operationUrl(lock.baseUrl, operation);
  const tls = url.protocol === 'https:' ? await readTls(access) : {};
  const prefer = preferWait(waitMs);
  // Loaded when a lock is used: a host that decides alone does without.
  const { httpRequest } = await import('../base/http.ts');
  return httpRequest({
    method: 'POST',
    url,
    headers: {
      [PROTOCOL_HEADER]: 'true',
      'content-type': 'application/json',
      ...(prefer === null ? {} : { prefer }),
      ...(credentials === null ? {} : { authorization: credentials.header }),
    },
    body: requestBody(lock),
    connectTimeoutMs: access.connectTimeoutMs,
    totalTimeoutMs: access.totalTimeoutMs + waitMs,
    maxBytes: MOST_BYTES,
    maxRedirects: 3,
    tls,
    signal,
    ...(access.environment === undefined ? {} : { environment: access.environment }),
  });
}

/** Error pages like to repeat the request: what may be secret is taken out of what a server says. */
function withoutSecrets(body: string, base: URL, credentials: Authorization | null): string {
  const { username, password, pathname } = base;
  const basic = authorization(base)['authorization']?.replace('Basic ', '') ?? '';
  const decoded = [username, password].map((part) => decodeURIComponent(part));
  const all = [basic, password, username, ...decoded, pathname.replace(/\/+$/, ''), ...(credentials?.secrets ?? [])];
  return all.filter((secret) => secret !== '').reduce((text, secret) => text.replaceAll(secret, '***'), body);
}
