import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A lock server with one slot for each group, that remembers what it was asked. */
export interface LockServer {
  readonly url: string;
  /**
   * `<operation> <answer>` in order, for example `pre-reboot 200`; `pre-reboot waits` and `pre-reboot gone` for one that
   * waits for the slot, and one whose client went away before it was free.
   */
  readonly log: readonly string[];
  /** Id of the holder by group. */
  readonly holders: ReadonlyMap<string, string>;
  /** Lets somebody else hold or release the slot of a group. */
  hold(group: string, id: string | null): void;
  /** Answers this status to everything, or works again with null. */
  setFailure(status: number | null): void;
  close(): Promise<void>;
}

/** Starts a lock server that behaves as the FleetLock protocol says. `waits`: it honours `Prefer: wait`, for ever. */
export async function startLockServer({ waits = false } = {}): Promise<LockServer> {
  const holders = new Map<string, string>();
  const log: string[] = [];
  const waiting = new Set<() => void>();
  let failure: number | null = null;
  const answer = (operation: string, id: string, group: string): number => {
    if (failure !== null) return failure;
    const holder = holders.get(group);
    if (operation === 'pre-reboot') {
      if (holder !== undefined && holder !== id) return 409;
      holders.set(group, id);
    } else if (holder === id) holders.delete(group);
    return 200;
  };
  const wait = (response: ServerResponse, again: () => void): void => {
    const retry = (): void => {
      waiting.delete(retry);
      again();
    };
    waiting.add(retry);
    log.push('pre-reboot waits');
    response.once('close', () => {
      if (waiting.delete(retry)) log.push('pre-reboot gone');
    });
  };
  const respond = (request: IncomingMessage, response: ServerResponse, body: string): void => {
    const { client_params: params } = JSON.parse(body) as { client_params: { id: string; group: string } };
    const operation = request.url?.split('/').at(-1) ?? '';
    const status = request.headers['fleet-lock-protocol'] === 'true' ? answer(operation, params.id, params.group) : 400;
    if (status === 409 && waits && request.headers['prefer'] !== undefined) {
      wait(response, () => respond(request, response, body));
      return;
    }
    log.push(`${operation} ${status}`);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(status === 200 ? '' : JSON.stringify({ kind: 'slots_full', value: 'another node reboots' }));
  };
  const server = createServer((request, response) => {
    void read(request).then((body) => respond(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/fleet/`,
    log,
    holders,
    hold: (group, id) => {
      if (id === null) holders.delete(group);
      else holders.set(group, id);
      for (const retry of [...waiting]) retry();
    },
    setFailure: (status) => {
      failure = status;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
