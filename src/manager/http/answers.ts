import { REFUSALS } from '../../fleetlock/protocol.ts';
import type { Refusal } from '../answer.ts';

/** An answer as it goes over the wire, but for what concerns the connection. */
export interface WireAnswer {
  readonly status: number;
  /** Names and values by turns. */
  readonly headers: string[];
  readonly body: string;
}

/** What a client may show to be let in: any user name with the token as password, or the token alone. */
const CHALLENGE = 'Basic realm="fleetlock", Bearer';

/** A refusal in the form of FleetLock: `{"kind": …, "value": …}`, both never empty. */
export function refusalAnswer({ kind, value, retryAfterMs }: Refusal): WireAnswer {
  const body = JSON.stringify({ kind, value: value === '' ? kind : value });
  const headers = ['Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(body))];
  if (retryAfterMs !== null) headers.push('Retry-After', String(Math.ceil(Math.max(0, retryAfterMs) / 1000)));
  if (kind === 'unauthorized') headers.push('WWW-Authenticate', CHALLENGE);
  return { status: REFUSALS[kind], headers, body };
}

/** A text for people or for a machine that reads text. */
export function textAnswer(status: number, type: string, body: string): WireAnswer {
  return { status, headers: ['Content-Type', type, 'Content-Length', String(Buffer.byteLength(body))], body };
}
