import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it arrived. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** An HTTP server on the loopback that keeps what it was asked. */
export interface LoopbackServer {
  /** Connections that are open now. */
  connections(): Promise<number>;
  /** `127.0.0.1:port` */
  readonly host: string;
  readonly requests: readonly Received[];
  stop(): Promise<void>;
}

/** Starts a server that answers as `answer` does. */
export async function listen(answer: (request: Received, response: ServerResponse) => void): Promise<LoopbackServer> {
  const requests: Received[] = [];
  const server = createServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const { method = '', url = '', headers } = message;
      const request = { method, url, headers, body: Buffer.concat(chunks).toString() };
      requests.push(request);
      answer(request, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    connections: () => new Promise((resolve) => server.getConnections((_, count) => resolve(count))),
    async stop(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Which of the two operations a request asks for. */
export function operationOf({ url }: Received): 'pre-reboot' | 'steady-state' | null {
  if (url.endsWith('/v1/pre-reboot')) return 'pre-reboot';
  return url.endsWith('/v1/steady-state') ? 'steady-state' : null;
}

function paramsOf({ body }: Received): { id: string; group: string } | null {
  try {
    const { client_params: params } = JSON.parse(body) as { client_params?: { id?: unknown; group?: unknown } };
    const { id, group } = params ?? {};
    return typeof id === 'string' && typeof group === 'string' && id !== '' && group !== '' ? { id, group } : null;
  } catch {
    return null;
  }
}

function fail(response: ServerResponse, status: number, kind: string, value: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ kind, value }));
}

/** A server that honours `Prefer: wait`: it keeps requests for a taken slot until it is free, or their time is over. */
export interface WaitingServer {
  readonly answer: Parameters<typeof listen>[0];
  /** The values of `Prefer` of those that wait now. */
  readonly waiting: ReadonlySet<string>;
  /** Frees the slot: the first that waits gets it. */
  free(): void;
  /** The time of all that wait is over. */
  expire(): void;
}

/** One slot, held by somebody else. */
export function waiting(): WaitingServer {
  const waiters = new Map<ServerResponse, string>();
  const end = (response: ServerResponse, how: () => void): void => {
    waiters.delete(response);
    how();
  };
  const refuse = (response: ServerResponse): void => {
    response.setHeader('retry-after', '1');
    fail(response, 409, 'slots_full', '1 of 1 slots is taken');
  };
  return {
    answer: (request, response) => {
      const prefer = String(request.headers['prefer']);
      if (operationOf(request) === 'steady-state') response.end();
      else if (!/^wait=[1-9]\d*$/.test(prefer)) refuse(response);
      else {
        waiters.set(response, prefer);
        // Whoever has gone waits no longer, and gets nothing.
        response.on('close', () => waiters.delete(response));
      }
    },
    get waiting() {
      return new Set(waiters.values());
    },
    free: () => {
      const [first] = waiters.keys();
      if (first !== undefined) end(first, () => first.end());
    },
    expire: () => {
      for (const response of [...waiters.keys()]) end(response, () => refuse(response));
    },
  };
}

/** Answers as airlock does: one slot in the group `workers`, no others known; a full group is a 500. */
export function airlock(holders: Set<string>): Parameters<typeof listen>[0] {
  return (request, response) => {
    const params = paramsOf(request);
    if (request.headers['fleet-lock-protocol'] !== 'true' || params === null) {
      fail(response, 400, 'invalid_client_identity', 'failed to validate client identity');
    } else if (params.group !== 'workers') {
      fail(response, 400, 'unknown_group', `unknown group: ${params.group}`);
    } else if (operationOf(request) === 'steady-state') {
      holders.delete(params.id);
      response.end();
    } else if (holders.has(params.id) || holders.size === 0) {
      holders.add(params.id);
      response.end();
    } else {
      fail(response, 500, 'failed_lock', 'failed to lock semaphore: all 1 semaphore slots currently locked');
    }
  };
}

/** Answers as poseidon/fleetlock does: one slot in every group; 423 when others hold it, also for steady-state. */
export function poseidon(holders: Map<string, string>): Parameters<typeof listen>[0] {
  return (request, response) => {
    const params = paramsOf(request);
    if (request.method !== 'POST') {
      fail(response, 405, 'method_not_allowed', 'required method POST');
      return;
    }
    if (request.headers['fleet-lock-protocol'] !== 'true') {
      fail(response, 400, 'missing_header', 'missing required header');
      return;
    }
    if (params === null) {
      fail(response, 400, 'decode_error', 'error decoding message');
      return;
    }
    const holder = holders.get(params.group) ?? params.id;
    if (holder !== params.id) {
      fail(response, 423, 'lock_held', 'Reboot lease unavailable, held by another node');
      return;
    }
    if (operationOf(request) === 'pre-reboot') holders.set(params.group, params.id);
    else holders.delete(params.group);
    response.end('Reboot lease was obtained or released');
  };
}
