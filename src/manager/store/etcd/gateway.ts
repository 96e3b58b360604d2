import { errorText } from '../../../base/text.ts';
import { type Answer, type Endpoint, type Post } from './endpoint.ts';
import { EtcdError, type Failure, failureOfAnswer } from './failure.ts';

/** A user of etcd's. */
export interface User {
  readonly name: string;
  /** Gives the password as it is at the moment. */
  readonly password: () => string | Promise<string>;
}

/** How one request is to be treated. */
interface CallOptions {
  /** It must not be done twice: after it was sent, and no answer came, it is not sent anywhere else. */
  readonly once?: boolean;
  /** Milliseconds for everything, all endpoints included. */
  readonly timeoutMs: number;
}

/** etcd's JSON gateway at several endpoints, of which any will do. */
export class Gateway {
  readonly endpoints: readonly Endpoint[];
  readonly #user: User | null;
  /** The endpoint that answered last. */
  #current = 0;
  #token: Promise<string | null> | null = null;

  constructor(endpoints: readonly Endpoint[], user: User | null) {
    this.endpoints = endpoints;
    this.#user = user;
  }

  /** The endpoint to be tried first. */
  get first(): Endpoint {
    const endpoint = this.endpoints[this.#current];
    if (endpoint === undefined) throw new Error('there are no endpoints');
    return endpoint;
  }

  /** Sends a request to the endpoints, one after the other, until one answers. Rejects with an `EtcdError`. */
  async call(path: string, body: unknown, { once = false, timeoutMs }: CallOptions): Promise<unknown> {
    const deadline = performance.now() + timeoutMs;
    const text = JSON.stringify(body);
    // What may be repeated has a second try where there is only one endpoint: its connection may just have been closed.
    const tries = once ? this.endpoints.length : Math.max(2, this.endpoints.length);
    const failures: Failure[] = [];
    for (let left = tries; left > 0; left -= 1) {
      const rest = deadline - performance.now();
      if (rest <= 0) break;
      const endpoint = this.first;
      try {
        // A member that is silent must leave time for the others.
        return await this.ask(endpoint, path, text, once || this.endpoints.length === 1 ? rest : rest / left);
      } catch (error) {
        const failure = failureIn(error, endpoint);
        failures.push(failure);
        if (!this.#isWorthRepeating(failure, once)) break;
        this.passOver(endpoint);
      }
    }
    throw new EtcdError(together(failures));
  }

  /** Asks one endpoint. Rejects with an `EtcdError`. */
  async ask(endpoint: Endpoint, path: string, body: string, timeoutMs: number): Promise<unknown> {
    const deadline = performance.now() + timeoutMs;
    for (let isLast = false; ; isLast = true) {
      const left = Math.max(1, deadline - performance.now());
      const headers = await this.headers(endpoint, left);
      const answer = await endpoint.exchange({ path, headers, body }, left);
      if (answer.status === 200) return JSON.parse(answer.body) as unknown;
      const failure = failureOfAnswer(answer.status, answer.body);
      if (failure.kind !== 'token' || isLast) throw new EtcdError(failure);
      this.#token = null;
    }
  }

  /** What every request carries. Rejects with an `EtcdError`. */
  async headers(endpoint: Endpoint, timeoutMs: number): Promise<Record<string, string>> {
    // A member that has lost its leader says so at once, instead of letting the request wait for one.
    const headers = { 'content-type': 'application/json', 'grpc-metadata-hasleader': 'true' };
    if (this.#user === null) return headers;
    this.#token ??= this.#authenticate(endpoint, this.#user, timeoutMs);
    const mine = this.#token;
    try {
      const token = await mine;
      return token === null ? headers : { ...headers, authorization: token };
    } catch (error) {
      if (this.#token === mine) this.#token = null;
      // Whatever became of the question for a token: the request itself was not sent.
      throw error instanceof EtcdError ? new EtcdError({ ...error.failure, certain: true }, { cause: error }) : error;
    }
  }

  /** The token that was sent does not count any more. */
  dropToken(): void {
    this.#token = null;
  }

  /** Tries the endpoint after this one first from now on. */
  passOver(endpoint: Endpoint): void {
    if (this.first === endpoint) this.#current = (this.#current + 1) % this.endpoints.length;
  }

  async close(): Promise<void> {
    await Promise.all(this.endpoints.map((each) => each.close()));
  }

  /** A token, or null when this etcd knows no users. */
  async #authenticate(endpoint: Endpoint, user: User, timeoutMs: number): Promise<string | null> {
    const body = JSON.stringify({ name: user.name, password: await passwordOf(user) });
    const answer = await endpoint.exchange({ ...AUTHENTICATE, body }, timeoutMs);
    if (answer.status === 200) return tokenIn(answer);
    if (answer.body.includes('authentication is not enabled')) return null;
    throw new EtcdError(failureOfAnswer(answer.status, answer.body));
  }

  /** Another endpoint may know better; what is too large is so everywhere. */
  #isWorthRepeating({ kind, certain }: Failure, once: boolean): boolean {
    return kind !== 'too-large' && (kind !== 'broken' || this.endpoints.length > 1) && (certain || !once);
  }
}

const AUTHENTICATE: Omit<Post, 'body'> = {
  path: '/v3/auth/authenticate',
  headers: { 'content-type': 'application/json', 'grpc-metadata-hasleader': 'true' },
};

async function passwordOf({ password }: User): Promise<string> {
  try {
    return await password();
  } catch (error) {
    const text = `the password cannot be read: ${errorText(error)}`;
    throw new EtcdError({ kind: 'broken', certain: true, text }, { cause: error });
  }
}

function tokenIn({ body }: Answer): string | null {
  const { token } = JSON.parse(body) as { token?: unknown };
  return typeof token === 'string' ? token : null;
}

/** A failure that says where it happened. */
export function failureIn(error: unknown, { url }: Endpoint): Failure {
  const failure =
    error instanceof EtcdError
      ? error.failure
      : ({ kind: 'broken', certain: false, text: `its answer cannot be read: ${errorText(error)}` } as const);
  return { ...failure, text: `etcd at ${url.origin}: ${failure.text}` };
}

/** Broken only if it is so everywhere, certain only if it is so everywhere. */
function together(failures: readonly Failure[]): Failure {
  const kind = failures.find((each) => each.kind !== 'broken')?.kind ?? 'broken';
  const text = [...new Set(failures.map((each) => each.text))].join('; ');
  if (failures.length === 0) return { kind: 'unavailable', certain: true, text: 'etcd: no time is left' };
  return { kind, certain: failures.every(({ certain }) => certain), text };
}
