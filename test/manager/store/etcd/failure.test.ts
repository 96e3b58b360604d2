import { describe, expect, test } from 'vitest';
import {
  EtcdError,
  failureOfAnswer,
  failureOfConnection,
  storeError,
} from '../../../../src/manager/store/etcd/failure.ts';

/** The body of an error as etcd's gateway has it. */
function body(message: string, code: number): string {
  return JSON.stringify({ error: message, message, code });
}

describe('what an answer means', () => {
  test.each([
    // A write was refused before it was proposed: nothing was done.
    [503, body('etcdserver: no leader', 14), 'unavailable', true],
    [429, body('etcdserver: too many requests', 8), 'unavailable', true],
    [400, body('etcdserver: too many operations in txn request', 3), 'too-large', true],
    [400, body('etcdserver: request is too large', 3), 'too-large', true],
    [401, body('etcdserver: invalid auth token', 16), 'token', true],
    [400, body('etcdserver: revision of auth store is old', 3), 'token', true],
    [400, body('etcdserver: user name is empty', 3), 'broken', true],
    [403, body('etcdserver: permission denied', 7), 'broken', true],
    [400, body('etcdserver: authentication failed, invalid user ID or password', 3), 'broken', true],
    [400, body('etcdserver: duplicate key given in txn request', 3), 'unavailable', true],
    [503, body('connection error: desc = "transport: authentication handshake failed: EOF"', 14), 'broken', true],
    [404, '404 page not found', 'broken', true],
    // It had been proposed, or nobody knows.
    // The write that fills the database is done, and answered with the error.
    [503, body('etcdserver: mvcc: database space exceeded', 8), 'unavailable', false],
    [503, body('etcdserver: request timed out', 14), 'unavailable', false],
    [503, body('etcdserver: request timed out, possibly due to previous leader failure', 14), 'unavailable', false],
    [503, body('etcdserver: request timed out, possibly due to connection lost', 14), 'unavailable', false],
    [503, body('etcdserver: leader changed', 14), 'unavailable', false],
    [503, body('etcdserver: server stopped', 14), 'unavailable', false],
    [503, body('transport is closing', 14), 'unavailable', false],
    [504, body('context deadline exceeded', 4), 'unavailable', false],
    [502, '<html>Bad Gateway</html>', 'unavailable', false],
    [200, '', 'unavailable', false],
  ])('%d %s', (status, text, kind, certain) => {
    expect(failureOfAnswer(status, text)).toMatchObject({ kind, certain });
  });

  test('the words of a watch are the same, with the code before them', () => {
    const message = 'rpc error: code = Unauthenticated desc = etcdserver: invalid auth token';
    expect(failureOfAnswer(200, JSON.stringify({ message }))).toMatchObject({ kind: 'token' });
    expect(failureOfAnswer(200, JSON.stringify({ message })).text).toBe('etcdserver: invalid auth token');
  });

  test('words from outside fit one line', () => {
    expect(failureOfAnswer(500, body('a\nb\u001b[0m', 2)).text).toBe('HTTP 500: a b [0m');
  });
});

describe('what a broken connection means', () => {
  const error = (code: string, name = 'Error'): Error => Object.assign(new Error(`because of ${code}`), { code, name });

  test.each(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT', 'ECONNRESET', 'UND_ERR_SOCKET'])(
    '%s: nothing was done unless the request had begun to leave',
    (code) => {
      expect(failureOfConnection(error(code), false)).toMatchObject({ kind: 'unavailable', certain: true });
      expect(failureOfConnection(error(code), true)).toMatchObject({ kind: 'unavailable', certain: false });
    },
  );

  test.each([
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'ERR_OSSL_X509_KEY_VALUES_MISMATCH',
    'ERR_OSSL_PEM_NO_START_LINE',
    'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    'ERR_SSL_WRONG_VERSION_NUMBER',
  ])('%s is for people', (code) => {
    expect(failureOfConnection(error(code), false)).toMatchObject({ kind: 'broken', certain: true });
  });

  test('a server that speaks gRPC alone', () => {
    const failure = failureOfConnection(error('HPE_INVALID_CONSTANT', 'HTTPParserError'), true);
    expect(failure).toMatchObject({ kind: 'broken', certain: false });
    expect(failure.text).toContain('JSON gateway');
  });
});

describe('as a store tells it', () => {
  const of = (kind: 'unavailable' | 'token' | 'too-large' | 'broken', certain: boolean): EtcdError =>
    new EtcdError({ kind, certain, text: 'why' });

  test.each([
    [of('unavailable', true), true, 'unavailable'],
    [of('unavailable', false), true, 'ambiguous'],
    [of('unavailable', false), false, 'unavailable'],
    [of('broken', false), true, 'ambiguous'],
    [of('broken', true), true, 'broken'],
    [of('too-large', true), true, 'too-large'],
    [of('token', true), true, 'unavailable'],
    [new Error('a bug'), false, 'broken'],
  ])('%o, write %s: %s', (error, isWrite, kind) => {
    expect(storeError(error, isWrite)).toMatchObject({ kind, message: expect.stringMatching(/why|a bug/) as string });
  });
});
