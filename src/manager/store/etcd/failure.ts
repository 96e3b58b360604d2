import { errorText, oneLine } from '../../../base/text.ts';
import { StoreError } from '../store.ts';

/** Why etcd did not do what it was asked for, or may not have. */
export interface Failure {
  /**
   * - `unavailable`: not now, not here.
   * - `token`: the token that was sent does not count any more.
   * - `too-large`, `broken`: as a `StoreError` has them.
   */
  readonly kind: 'unavailable' | 'token' | 'too-large' | 'broken';
  /** Nothing was done. */
  readonly certain: boolean;
  /** For people; holds no credentials. */
  readonly text: string;
}

/** A failure on its way to whoever asked. */
export class EtcdError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.text, options);
    this.failure = failure;
  }
}

/** What our gateway of etcd's would have to be like. */
export const NEEDS_GATEWAY = "etcd's JSON gateway over HTTP/1.1 is needed";

/**
 * etcd's own words, with what they mean. The words are compared and not the codes alone, since one code stands for many
 * things. What is not listed may have happened after the request had gone to the other members: nobody knows then.
 */
const WORDS: readonly (readonly [RegExp, Failure['kind'], string?])[] = [
  [/invalid auth token|revision of auth store is old/, 'token'],
  [/CommonName of client sending a request against gateway/, 'broken', commonName()],
  [/user name is empty/, 'broken', noUser()],
  [/authentication failed/, 'broken', 'the user name or the password is wrong'],
  [/permission denied/, 'broken', 'the user may not do this'],
  [/too many operations|request is too large/, 'too-large'],
  [/database space exceeded/, 'unavailable', 'its database is full: compact and defragment it, then disarm the alarm'],
  [/too many requests|etcdserver: no leader|not capable|not supported for learner/, 'unavailable'],
];

function noUser(): string {
  return 'its authentication is on and no user is configured. The gateway does not take a certificate for a user: set the name and the password of one';
}

function commonName(): string {
  return 'its authentication is on, and its JSON gateway refuses client certificates with a common name (CN). Use a client certificate without a CN, and the name and the password of a user';
}

/** Codes of gRPC that say that a request was refused before anything was done: invalid, denied, precondition, no user. */
const REFUSED: ReadonlySet<unknown> = new Set([3, 5, 7, 9, 11, 16]);

/** What an answer means that is not the one that was hoped for. */
export function failureOfAnswer(status: number, body: string): Failure {
  const { message, code } = parseError(body);
  const words = oneLine(message.replace(/^rpc error: code = \w+ desc = /, ''));
  const listed = WORDS.find(([pattern]) => pattern.test(words));
  if (listed !== undefined) {
    const [, kind, meaning] = listed;
    return { kind, certain: true, text: meaning === undefined ? words : `${meaning} (${words})` };
  }
  if (status === 404) {
    const text = `${NEEDS_GATEWAY}, and is switched off (--enable-grpc-gateway=false) or older than etcd 3.4`;
    return { kind: 'broken', certain: true, text };
  }
  return { kind: 'unavailable', certain: REFUSED.has(code), text: `HTTP ${status}: ${words || 'no text'}` };
}

function parseError(body: string): { message: string; code: unknown } {
  try {
    const { message, error, code } = JSON.parse(body) as Record<string, unknown>;
    const text = [message, error].find((each) => typeof each === 'string' && each !== '');
    return { message: typeof text === 'string' ? text : '', code };
  } catch {
    return { message: body, code: undefined };
  }
}

/** What it means that there is no answer. `sent`: the request had begun to leave. */
export function failureOfConnection(error: unknown, sent: boolean): Failure {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const text = code === 'UND_ERR_CONNECT_TIMEOUT' ? 'no connection in time' : errorText(error);
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return { kind: 'broken', certain: true, text: 'it does not speak TLS: the endpoint must begin with http://' };
  }
  if (error instanceof Error && error.name === 'HTTPParserError') {
    return { kind: 'broken', certain: !sent, text: `it does not speak HTTP/1.1: ${NEEDS_GATEWAY} (${text})` };
  }
  if (CERTIFICATE.test(code)) return { kind: 'broken', certain: !sent, text: `TLS: ${text} (${code})` };
  return { kind: 'unavailable', certain: !sent, text };
}

/** Codes of Node and OpenSSL for certificates and keys that do not fit, ours or the server's. */
const CERTIFICATE =
  /CERT|SIGNATURE|SELF_SIGNED|ISSUER|ALTNAME|^ERR_OSSL|^ERR_SSL_.*ALERT|^ERR_SSL_.*(HANDSHAKE|PROTOCOL)|^ERR_TLS/;

/** A failure as a store tells it. Of what reads only, nothing is ambiguous. */
export function storeError(error: unknown, isWrite: boolean): StoreError {
  if (error instanceof StoreError) return error;
  if (!(error instanceof EtcdError)) return new StoreError('broken', `etcd: ${errorText(error)}`, { cause: error });
  const { kind, certain, text } = error.failure;
  if (isWrite && !certain) return new StoreError('ambiguous', text, { cause: error });
  return new StoreError(kind === 'token' ? 'unavailable' : kind, text, { cause: error });
}
