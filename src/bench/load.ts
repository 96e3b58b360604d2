import { connect, type Socket } from 'node:net';

/** What a generator of load is to do. */
export interface LoadPlan {
  readonly port: number;
  /** `locks`: grants and releases by turns. `transactions`: of etcd, each comparing and writing a key of its own. */
  readonly kind: 'locks' | 'transactions';
  /** Connections, each of which asks again as soon as it is answered. */
  readonly clients: number;
  /** Each client has a group of its own; else all share one. */
  readonly ownGroups: boolean;
  /** Milliseconds before anything is counted. */
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What came of it. */
export interface LoadResult {
  readonly seconds: number;
  readonly accepted: number;
  readonly errors: number;
  /** How often each kind of error came, as text for people. */
  readonly kinds: string;
  /** Milliseconds from the request to the end of its answer. */
  readonly p50: number;
  readonly p99: number;
}

/** The name of a client's group. */
export function groupOf(client: number, { ownGroups }: Pick<LoadPlan, 'ownGroups'>): string {
  return ownGroups ? `g${client}` : 'shared';
}

/** Milliseconds before a client goes on after an error: a server in trouble is not asked in a busy loop. */
const PAUSE_MS = 5;

/** Runs the clients and resolves when their time is over. `measuring` is called when the warm-up ends. */
export async function generateLoad(plan: LoadPlan, measuring: () => void): Promise<LoadResult> {
  const tally = new Tally();
  const clients = Array.from({ length: plan.clients }, (_, index) => new Client(plan, turnsOf(plan, index), tally));
  await sleep(plan.warmUpMs);
  const begun = performance.now();
  tally.on = true;
  measuring();
  await sleep(plan.measureMs);
  tally.on = false;
  const seconds = (performance.now() - begun) / 1000;
  for (const client of clients) client.stop();
  return tally.result(seconds);
}

class Tally {
  on = false;
  readonly #times: number[] = [];
  readonly #errors = new Map<string, number>();

  accepted(ms: number): void {
    if (this.on) this.#times.push(ms);
  }

  error(kind: string): void {
    if (this.on) this.#errors.set(kind, (this.#errors.get(kind) ?? 0) + 1);
  }

  result(seconds: number): LoadResult {
    const sorted = Float64Array.from(this.#times).sort();
    const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN;
    return {
      seconds,
      accepted: sorted.length,
      errors: [...this.#errors.values()].reduce((sum, count) => sum + count, 0),
      kinds: [...this.#errors].map(([kind, count]) => `${count} × ${kind}`).join(', '),
      p50: at(0.5),
      p99: at(0.99),
    };
  }
}

/** What a client asks, one request after another. */
interface Turns {
  readonly request: () => string;
  /** Takes the answer in; null when it was accepted, else what to call the error. */
  readonly take: (status: string, body: string) => string | null;
}

function turnsOf(plan: LoadPlan, client: number): Turns {
  return plan.kind === 'locks' ? lockTurns(`node-${client}`, groupOf(client, plan)) : transactionTurns(client);
}

function lockTurns(id: string, group: string): Turns {
  const body = JSON.stringify({ client_params: { id, group } });
  const requests = ['pre-reboot', 'steady-state'].map((operation) =>
    post(`/v1/${operation}`, body, 'fleet-lock-protocol: true\r\n'),
  );
  let turn = 0;
  return {
    request: () => requests[turn] ?? '',
    take: (status, text) => {
      if (status !== '200') return /"kind":"([^"]*)"/.exec(text)?.[1] ?? status;
      turn = 1 - turn;
      return null;
    },
  };
}

/** A value of about the length that a group with a few holders has. */
const VALUE = 'x'.repeat(200);

function transactionTurns(client: number): Turns {
  const key = Buffer.from(`bench/${client}`).toString('base64');
  const success = [{ request_put: { key, value: Buffer.from(VALUE).toString('base64') } }];
  const failure = [{ request_range: { key } }];
  let revision = '0';
  return {
    request: () => {
      const compare = [{ target: 'MOD', key, mod_revision: revision }];
      return post('/v3/kv/txn', JSON.stringify({ compare, success, failure }));
    },
    take: (status, text) => {
      if (status !== '200') return status;
      if (!text.includes('"succeeded":true')) return 'lost comparison';
      revision = /"revision":"(\d+)"/.exec(text)?.[1] ?? '';
      return null;
    },
  };
}

function post(path: string, body: string, headers = ''): string {
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** One connection. It writes finished bytes and looks at no more of an answer than it must, to cost little. */
class Client {
  readonly #plan: LoadPlan;
  readonly #turns: Turns;
  readonly #tally: Tally;
  #socket: Socket;
  #received = '';
  #begun = 0;
  #stopped = false;

  constructor(plan: LoadPlan, turns: Turns, tally: Tally) {
    this.#plan = plan;
    this.#turns = turns;
    this.#tally = tally;
    this.#socket = this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#socket.destroy();
  }

  #connect(): Socket {
    const socket = connect({ port: this.#plan.port, host: '127.0.0.1', noDelay: true });
    this.#received = '';
    socket.setEncoding('latin1');
    socket.on('connect', () => this.#ask());
    socket.on('data', (chunk) => this.#read(String(chunk)));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#stopped) return;
      this.#tally.error('connection lost');
      setTimeout(() => (this.#socket = this.#connect()), PAUSE_MS);
    });
    return socket;
  }

  #ask(): void {
    this.#begun = performance.now();
    this.#socket.write(this.#turns.request(), 'latin1');
  }

  #read(chunk: string): void {
    this.#received += chunk;
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#received)?.[1];
    // Whatever has no length cannot be read here.
    const end = length === undefined ? this.#received.length : headEnd + 4 + Number(length);
    if (this.#received.length < end) return;
    const [status, body] = [this.#received.slice(9, 12), this.#received.slice(headEnd + 4, end)];
    this.#received = '';
    this.#answered(this.#turns.take(length === undefined ? 'answer without a length' : status, body));
  }

  #answered(error: string | null): void {
    if (this.#stopped) return;
    if (error === null) {
      this.#tally.accepted(performance.now() - this.#begun);
      this.#ask();
      return;
    }
    this.#tally.error(error);
    setTimeout(() => {
      if (!this.#socket.destroyed) this.#ask();
    }, PAUSE_MS);
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
