import { oneLine } from '../base/text.ts';

export { retryAfterMs } from '../base/retry-after.ts';

/** The two operations of the FleetLock protocol, by their paths. */
export type Operation = 'pre-reboot' | 'steady-state';

/** The header without which a server must refuse: proof that the request is meant, not a redirect gone astray. */
export const PROTOCOL_HEADER = 'fleet-lock-protocol';

/** Who asks, and for which group. */
export interface ClientParams {
  readonly id: string;
  readonly group: string;
}

/** The URL of an operation below a base URL, with or without its trailing slash. Throws when the base is no URL. */
export function operationUrl(base: string, operation: Operation): URL {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/${operation}`;
  return url;
}

/** The body of a request. */
export function requestBody({ id, group }: ClientParams): string {
  return JSON.stringify({ client_params: { id, group } });
}

/** The shortest wait worth asking for, and the unit in which it is asked for. */
const SECOND = 1_000;

/** The value of the header `Prefer` by which a server may take so many milliseconds to free a slot; null for none. */
export function preferWait(ms: number): string | null {
  return ms < SECOND ? null : `wait=${Math.floor(ms / SECOND)}`;
}

/** What a failure body says, empty where it says nothing. */
export interface Refusal {
  readonly kind: string;
  readonly value: string;
}

/** What a failure body says: `{"kind": …, "value": …}`, or as much of another body as fits a line. */
export function refusalText(status: number, body: string): { readonly kind: string; readonly text: string } {
  const { kind, value } = parseRefusal(body);
  const text = value === '' ? oneLine(body, 200) : value;
  return { kind, text: [`HTTP ${status}`, kind, text].filter((part) => part !== '').join(': ') };
}

/** Reads `{"kind": …, "value": …}`. */
export function parseRefusal(body: string): Refusal {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null) return { kind: '', value: '' };
    const { kind, value } = parsed as { kind?: unknown; value?: unknown };
    return { kind: clean(kind, 60), value: clean(value, 200) };
  } catch {
    return { kind: '', value: '' };
  }
}

function clean(value: unknown, max: number): string {
  return typeof value === 'string' ? oneLine(value, max) : '';
}

/**
 * What this project's server says when it refuses, by kind, with the HTTP status. 4xx: nothing was done. 503: try again;
 * after `store_unavailable` and `conflict` nobody knows whether it was done. Never a 2xx: stock clients reboot on any.
 */
export const REFUSALS = {
  invalid_request: 400,
  missing_header: 400,
  unknown_group: 400,
  unauthorized: 401,
  /** The certificate or the token is good, but not for this id or group. */
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  slots_full: 409,
  /** The id holds a slot in another group. */
  held_elsewhere: 409,
  request_too_large: 413,
  frozen: 423,
  outside_window: 423,
  not_your_turn: 423,
  /** Too many holders are stale. */
  halted: 423,
  /** The gate of the group (a query about its health) is closed. */
  blocked: 423,
  draining: 503,
  store_unavailable: 503,
  conflict: 503,
} as const;

/** The kind of a refusal. */
export type RefusalKind = keyof typeof REFUSALS;

/** Requests may have bodies of this many bytes. */
export const MOST_REQUEST_BYTES = 8 * 1024;
/** An id may have this many UTF-16 units. */
const LONGEST_ID = 1024;
const LONGEST_GROUP = 256;
const GROUP = /^[a-zA-Z0-9.-]+$/;

/** Reads the body of a request. A text says what is wrong with it, without repeating it. */
export function parseRequest(body: string): ClientParams | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return 'the body is not JSON';
  }
  const params = field(parsed, 'client_params');
  if (typeof params !== 'object' || params === null) return 'client_params: expected an object with id and group';
  const [id, group] = [field(params, 'id'), field(params, 'group')];
  if (!isId(id)) return `client_params.id: ${idProblem(id)}`;
  if (!isGroup(group)) return `client_params.group: expected ${A_GROUP}`;
  return { id, group };
}

/** Whether a value can be the id of a node. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_ID && !/\p{Cs}/u.test(value);
}

/** What is wrong with a value that can be no id, without repeating it. */
export function idProblem(value: unknown): string {
  if (typeof value !== 'string' || value === '') return 'expected a text that is not empty';
  return value.length > LONGEST_ID ? `longer than ${LONGEST_ID} characters` : 'holds half of a character';
}

/** Whether a value can be the name of a group. */
export function isGroup(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_GROUP && GROUP.test(value);
}

/** What the name of a group is made of, for messages. */
export const A_GROUP = "letters, digits, '.' and '-'";

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
