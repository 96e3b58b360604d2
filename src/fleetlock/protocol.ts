import { oneLine } from '../base/text.ts';

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

/** Milliseconds that a `Retry-After` header asks for, or undefined; at most a day. Takes seconds or a date. */
export function retryAfterMs(header: string | undefined, wall: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - wall;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), 86_400_000);
}
