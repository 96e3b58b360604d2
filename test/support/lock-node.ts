import { Agent, request as httpRequest } from 'node:http';
import type { Operation } from '../../src/fleetlock/protocol.ts';

/** What a node is answered. */
export interface Reply {
  readonly status: number;
  /** Of a refusal; empty for a success. */
  readonly kind: string;
}

/** How a node asks. */
export interface AskOptions {
  readonly headers?: Readonly<Record<string, string>>;
}

/** One node of a fleet, with a connection of its own that stays open between requests. */
export class LockNode {
  readonly id: string;
  readonly #group: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(id: string, group: string) {
    this.id = id;
    this.#group = group;
  }

  /** Asks the server at a port. Rejects when no whole answer comes. */
  ask(port: number, operation: Operation, { headers = {} }: AskOptions = {}): Promise<Reply> {
    const body = JSON.stringify({ client_params: { id: this.id, group: this.#group } });
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        ...{ host: '127.0.0.1', port, method: 'POST', path: `/v1/${operation}`, agent: this.#agent },
        headers: { 'fleet-lock-protocol': 'true', 'content-length': body.length, ...headers },
      });
      request.on('error', reject);
      request.on('response', (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, kind: kindIn(text) }));
      });
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function kindIn(text: string): string {
  return text === '' ? '' : String((JSON.parse(text) as { kind?: unknown }).kind);
}
