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

/** Some of etcd's own words, and what they mean. */
interface Words {
  readonly pattern: RegExp;
  readonly kind: Failure['kind'];
  readonly certain: boolean;
  /** For people, before the words. */
  readonly meaning?: string;
}

/**
 * The words are compared and not the codes alone, since one code stands for many things. What is not listed may have
 * happened after the request had gone to the other members: nobody knows then. So it is with a full database: the write
 * that fills it is done and answered with the error, those after it are not done.
 */
const WORDS: readonly Words[] = [
  { pattern: /invalid auth token|revision of auth store is old/, kind: 'token', certain: true },
  { pattern: /CommonName of client sending a request/, kind: 'broken', certain: true, meaning: commonName() },
  { pattern: /user name is empty/, kind: 'broken', certain: true, meaning: noUser() },
  {
    pattern: /authentication failed/,
    kind: 'broken',
    certain: true,
    meaning: 'the user name or the password is wrong',
  },
  { pattern: /authentication handshake failed/, kind: 'broken', certain: true, meaning: ownCertificate() },
  { pattern: /permission denied/, kind: 'broken', certain: true, meaning: 'the user may not do this' },
  { pattern: /too many operations|request is too large|larger than max/, kind: 'too-large', certain: true },
  { pattern: /space exceeded/, kind: 'unavailable', certain: false, meaning: 'its database is full' },
  { pattern: /too many requests|etcdserver: no leader|not capable/, kind: 'unavailable', certain: true },
];

function ownCertificate(): string {
  return 'its gateway cannot reach etcd itself. With --client-cert-auth its own certificate must be good for clients too (extended key usage clientAuth)';
}

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
  const listed = WORDS.find(({ pattern }) => pattern.test(words));
  if (listed !== undefined) {
    const { kind, certain, meaning } = listed;
    return { kind, certain, text: meaning === undefined ? words : `${meaning} (${words})` };
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
