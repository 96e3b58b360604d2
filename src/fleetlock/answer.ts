import type { Failure } from '../base/failure.ts';
import { type Operation, type Refusal, parseRefusal, refusalText } from './protocol.ts';

/** What a lock server said. */
export type LockAnswer =
  /** 200: the slot is ours (`pre-reboot`), or is not (`steady-state`). */
  | { readonly kind: 'yes' }
  /** An answer that says no for certain: after `pre-reboot`, nothing is held. */
  | { readonly kind: 'no'; readonly text: string; readonly retryAfterMs?: number }
  /**
   * No decision. `transient`: the question certainly came to nothing, but what became of one before it is not known.
   * `unknown`: nobody knows whether it was carried out.
   */
  | { readonly kind: 'failed'; readonly failure: Failure };

/** What came back, apart from its headers. */
export interface Received {
  readonly status: number;
  readonly body: string;
  /** Milliseconds that the server asks to wait. */
  readonly retryAfterMs: number | undefined;
}

/** airlock's words for a semaphore without a free slot. */
const ALL_TAKEN = 'slots currently locked';

/**
 * Kinds that speak of the request or of the server, and say nothing about who holds the slot: those of this project's
 * manager, then those of airlock and of poseidon/fleetlock.
 */
const ABOUT_THE_REQUEST: ReadonlySet<string> = new Set([
  'invalid_request',
  'missing_header',
  'unauthorized',
  'forbidden',
  'not_found',
  'method_not_allowed',
  'request_timeout',
  'request_too_large',
  'draining',
  'store_unavailable',
  'conflict',
  'invalid_client_identity',
  'decode_error',
]);

/** What an answer means. `shown` is its body as people may see it: without secrets. */
export function judge(operation: Operation, { status, body, retryAfterMs }: Received, shown: string): LockAnswer {
  if (status === 200) return { kind: 'yes' };
  const refusal = parseRefusal(body);
  // poseidon/fleetlock says so when others hold the slot: then we do not, which is all that was to be known.
  if (operation === 'steady-state' && status === 423 && refusal.kind === 'lock_held') return { kind: 'yes' };
  const retry = retryAfterMs === undefined ? {} : { retryAfterMs };
  const { text } = refusalText(status, shown);
  if (isDefinite(status, refusal, body)) return { kind: 'no', text, ...retry };
  // A proxy answers 408 to a request that it has passed on, too.
  const isNothing = status >= 400 && status < 500 && status !== 408;
  const failure = { class: isNothing ? 'transient' : 'unknown', text: text + advice(status), ...retry } as const;
  return { kind: 'failed', failure };
}

/** Only what a FleetLock server says in its own words about the slot. */
function isDefinite(status: number, { kind, value }: Refusal, body: string): boolean {
  // airlock answers 500 `failed_lock` when all slots are taken, but also when its store failed, perhaps after the commit.
  if (kind === 'failed_lock') return body.includes(ALL_TAKEN);
  return status >= 400 && status < 500 && kind !== '' && value !== '' && !ABOUT_THE_REQUEST.has(kind);
}

/** What to look at where the answer is one to a wrong configuration. */
function advice(status: number): string {
  if (status === 401 || status === 403) return ' (check the token or certificate that updates.fleet_lock configures)';
  if (status === 404 || status === 405) return ' (check the path of updates.fleet_lock.base_url)';
  return '';
}
