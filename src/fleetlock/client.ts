import type { Failure } from '../base/failure.ts';
import type { HttpResult } from '../base/http.ts';
import { authorization } from '../base/http-url.ts';
import {
  PROTOCOL_HEADER,
  type ClientParams,
  type Operation,
  operationUrl,
  refusalText,
  requestBody,
  retryAfterMs,
} from './protocol.ts';

/** What a lock server said. */
export type LockAnswer =
  /** 200: the slot is ours (`pre-reboot`), or is not (`steady-state`). */
  | { readonly kind: 'yes' }
  /** An answer that says no for certain. */
  | { readonly kind: 'no'; readonly text: string; readonly retryAfterMs?: number }
  /** No answer, or one of a server in trouble: nobody knows whether it was carried out. */
  | { readonly kind: 'failed'; readonly failure: Failure };

const CONNECT_MS = 10_000;
const TOTAL_MS = 60_000;
const MOST_BYTES = 64 * 1024;

/** A lock server and who asks it. */
export interface LockRequest extends ClientParams {
  /** May hold a password or a secret path: never printed. */
  readonly baseUrl: string;
}

/**
 * Asks a FleetLock server. Only 200 is a yes: a server that answers 202 has not granted anything. Never rejects.
 * `wall` is now, in milliseconds since 1970, for `Retry-After` headers that hold a date.
 */
export async function askLock(
  operation: Operation,
  lock: LockRequest,
  wall: number,
  signal: AbortSignal,
): Promise<LockAnswer> {
  // Loaded when a lock is used: a host that decides alone does without.
  const { httpRequest } = await import('../base/http.ts');
  if (!URL.canParse(lock.baseUrl)) {
    return { kind: 'failed', failure: { class: 'transient', text: 'the address of the lock server is not a URL' } };
  }
  const result = await httpRequest({
    method: 'POST',
    url: operationUrl(lock.baseUrl, operation),
    headers: { [PROTOCOL_HEADER]: 'true', 'content-type': 'application/json' },
    body: requestBody(lock),
    connectTimeoutMs: CONNECT_MS,
    totalTimeoutMs: TOTAL_MS,
    maxBytes: MOST_BYTES,
    maxRedirects: 3,
    signal,
  });
  return judge(operation, result, wall, new URL(lock.baseUrl));
}

/** airlock's words for a semaphore without a free slot. */
const ALL_TAKEN = 'slots currently locked';

function judge(operation: Operation, result: HttpResult, wall: number, base: URL): LockAnswer {
  if (!result.ok) return { kind: 'failed', failure: { class: 'unknown', text: result.failure.text } };
  const { status, headers, body } = result.answer;
  if (status === 200) return { kind: 'yes' };
  const { kind } = refusalText(status, body);
  const { text } = refusalText(status, withoutSecrets(body, base));
  // poseidon/fleetlock says so when others hold the slot: then we do not, which is all that was to be known.
  if (operation === 'steady-state' && status === 423 && kind === 'lock_held') return { kind: 'yes' };
  const wait = retryAfterMs(headers['retry-after'], wall);
  const retry = wait === undefined ? {} : { retryAfterMs: wait };
  // airlock answers 500 `failed_lock` when all slots are taken, but also when its store failed, perhaps after the commit.
  const definite = (status >= 400 && status < 500) || (kind === 'failed_lock' && body.includes(ALL_TAKEN));
  return definite ? { kind: 'no', text, ...retry } : { kind: 'failed', failure: { class: 'unknown', text, ...retry } };
}

/** Error pages like to repeat the request: what may be secret in the address is taken out of what a server says. */
function withoutSecrets(body: string, base: URL): string {
  const { username, password, pathname } = base;
  const basic = authorization(base)['authorization']?.replace('Basic ', '') ?? '';
  const decoded = [username, password].map((part) => decodeURIComponent(part));
  return [basic, password, username, ...decoded, pathname.replace(/\/+$/, '')]
    .filter((secret) => secret !== '')
    .reduce((text, secret) => text.replaceAll(secret, '***'), body);
}
