// What an operator is told when a store cannot be kept where the configuration says.
import { createServer as createTcpServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { StoreError } from '../../../src/manager/store/store.ts';
import { startEtcd, type TestEtcd, type TestEtcdOptions } from '../../support/etcd.ts';
import { serve, serveBytes } from '../../support/http.ts';
import { TEST_CERTIFICATE, TEST_CLIENT_CERTIFICATE, TEST_CLIENT_KEY, TEST_KEY } from '../../support/tls.ts';
import { change, document } from './documents.ts';
import { openAt, refusal } from './etcd-open.ts';

const BOTH = ['com.coreos.airlock/', 'io.github.holdpoint/'];
const TLS = { ca: TEST_CERTIFICATE };

async function start(options?: TestEtcdOptions): Promise<TestEtcd> {
  const etcd = await startEtcd(options);
  onTestFinished(() => etcd.stop());
  return etcd;
}

async function answering(status: number, body: string): Promise<string> {
  const server = await serve((_, response) => {
    response.writeHead(status).end(body);
  });
  onTestFinished(() => server.close());
  return server.url.origin;
}

function told(error: unknown): { kind: string; text: string } {
  expect(error).toBeInstanceOf(StoreError);
  const { kind, message } = error as StoreError;
  return { kind, text: message };
}

describe('an endpoint that is not what it should be', () => {
  test.each([
    ['nothing', []],
    ['no URL', ['127.0.0.1:2379']],
    ['another protocol', ['ftp://127.0.0.1:2379']],
  ])('%s', async (_, endpoints) => {
    expect(told(await refusal(endpoints)).kind).toBe('broken');
  });

  test('nobody is there', async () => {
    const { kind, text } = told(await refusal(['http://127.0.0.1:9', 'http://127.0.0.1:1']));
    expect(kind).toBe('unavailable');
    expect(text).toContain('etcd at http://127.0.0.1:9: ');
    expect(text).toContain('etcd at http://127.0.0.1:1: ');
    expect(text).toContain('ECONNREFUSED');
  });

  test('somebody is there who says nothing', async () => {
    const server = createTcpServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const { kind, text } = told(await refusal([`http://127.0.0.1:${port}`], { timeoutMs: 200 }));
    expect(kind).toBe('unavailable');
    expect(text).toContain('no answer within');
  });

  test.each([
    ['another server', 404, 'Not Found', 'this is not etcd: it answers HTTP 404'],
    ['another server with JSON', 200, '{"version":"1"}', 'this is not etcd'],
    ['etcd that knows itself by another name', 421, 'Host header was unrecognized', '--host-whitelist'],
    ['etcd 2', 200, '{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}', 'this is etcd 2.3.8'],
    ['etcd 3.2', 200, '{"etcdserver":"3.2.32","etcdcluster":"3.2.0"}', 'this is etcd 3.2.32'],
    ['a version that is none', 200, '{"etcdserver":"x"}', 'this is not etcd'],
  ])('%s', async (_, status, body, expected) => {
    const { kind, text } = told(await refusal([await answering(status, body)]));
    expect(kind).toBe('broken');
    expect(text).toContain(expected);
  });

  test('gRPC alone, as on a port of etcd that has HTTP elsewhere', async () => {
    const server = await serveBytes(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
    onTestFinished(() => server.close());
    const { kind, text } = told(await refusal([server.url.origin]));
    expect(kind).toBe('broken');
    expect(text).toContain("etcd's JSON gateway over HTTP/1.1 is needed");
  });

  test('the gateway is switched off', async () => {
    const etcd = await start({ args: ['--enable-grpc-gateway=false'] });
    const { kind, text } = told(await refusal(etcd.endpoints));
    expect(kind).toBe('broken');
    expect(text).toContain('--enable-grpc-gateway=false');
  });

  test('one of several that can serve is enough, and what is wrong with the others is said', async () => {
    const etcd = await start();
    const other = await answering(404, 'Not Found');
    const warnings: string[] = [];
    const store = await openAt([other, 'http://127.0.0.1:9', ...etcd.endpoints], {}, warnings);
    expect(await store.commit(change({ g: document() }), ['g'])).toBe('committed');
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain('this is not etcd');
  });
});

describe('TLS', () => {
  test('http where https is spoken, and https where http is', async () => {
    const secure = await start({ tls: 'server' });
    const plain = await start();
    const http = told(await refusal(secure.endpoints.map((url) => url.replace('https', 'http'))));
    expect(http).toMatchObject({ kind: 'broken' });
    expect(http.text).toContain('must begin with https://');
    const https = told(await refusal(plain.endpoints.map((url) => url.replace('http', 'https'))));
    expect(https).toMatchObject({ kind: 'broken' });
    expect(https.text).toContain('must begin with http://');
  });

  test('an authority that is not known', async () => {
    const etcd = await start({ tls: 'server' });
    const { kind, text } = told(await refusal(etcd.endpoints));
    expect(kind).toBe('broken');
    expect(text).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
    const store = await openAt(etcd.endpoints, { tls: () => TLS });
    expect(await store.commit(change({ g: document() }), ['g'])).toBe('committed');
  });

  test('files that are no certificates, or do not belong together', async () => {
    const etcd = await start({ tls: 'server' });
    const tls = { ...TLS, cert: TEST_CERTIFICATE, key: 'secret stuff' };
    const { kind, text } = told(await refusal(etcd.endpoints, { tls: () => tls }));
    expect(kind).toBe('broken');
    expect(text).not.toContain('secret stuff');
    const mixed = { ...TLS, cert: TEST_CERTIFICATE, key: TEST_CLIENT_KEY };
    expect(told(await refusal(etcd.endpoints, { tls: () => mixed }))).toMatchObject({ kind: 'broken' });
    const failing = told(await refusal(etcd.endpoints, { tls: () => Promise.reject(new Error('no such file')) }));
    expect(failing.kind).toBe('broken');
    expect(failing.text).toContain('the certificates cannot be read: no such file');
  });

  test('client certificates: missing, foreign, right, and renewed without a restart', async () => {
    const etcd = await start({ tls: 'client' });
    const none = told(await refusal(etcd.endpoints, { tls: () => TLS }));
    expect(none.kind).toBe('broken');
    expect(none.text).toContain('it wants a client certificate');
    const client = { ...TLS, cert: TEST_CLIENT_CERTIFICATE, key: TEST_CLIENT_KEY };
    let asked = 0;
    const tls = (): typeof client => {
      asked += 1;
      return asked > 1 ? { ...client, cert: TEST_CERTIFICATE, key: TEST_KEY } : client;
    };
    const store = await openAt(etcd.endpoints, { tls });
    expect(await store.commit(change({ g: document() }), ['g'])).toBe('committed');
    const before = asked;
    await etcd.kill();
    await etcd.start();
    await store.refresh(['g']);
    expect(asked).toBeGreaterThan(before);
  });
});

describe('users', { timeout: 60_000 }, () => {
  const user = (name: string, password: string): { user: { name: string; password: () => string } } => {
    return { user: { name, password: () => password } };
  };

  test('each way in which a user can be wrong', async () => {
    const etcd = await start();
    await etcd.enableUsers([
      { name: 'holdpoint', password: 'right-password', prefixes: BOTH },
      { name: 'ours-only', password: 'right-password', prefixes: BOTH.slice(1) },
      { name: 'theirs-only', password: 'right-password', prefixes: BOTH.slice(0, 1) },
    ]);
    const none = told(await refusal(etcd.endpoints));
    expect(none.kind).toBe('broken');
    expect(none.text).toContain('set the name and the password');
    for (const who of [user('holdpoint', 'wrong-password'), user('nobody', 'wrong-password')]) {
      const { kind, text } = told(await refusal(etcd.endpoints, who));
      expect(kind).toBe('broken');
      expect(text).toContain('the user name or the password is wrong');
      expect(text).not.toContain('wrong-password');
    }
    const unread = { name: 'holdpoint', password: () => Promise.reject(new Error('no such file')) };
    const noPassword = told(await refusal(etcd.endpoints, { user: unread }));
    expect(noPassword).toMatchObject({ kind: 'broken' });
    expect(noPassword.text).toContain('the password cannot be read: no such file');
    const ours = told(await refusal(etcd.endpoints, user('ours-only', 'right-password')));
    expect(ours.kind).toBe('broken');
    expect(ours.text).toContain('--prefix=true readwrite com.coreos.airlock/');
    const theirs = told(await refusal(etcd.endpoints, user('theirs-only', 'right-password')));
    expect(theirs.text).toContain('--prefix=true readwrite io.github.holdpoint/');
    const elsewhere = { ...user('holdpoint', 'right-password'), prefix: 'elsewhere' };
    expect(told(await refusal(etcd.endpoints, elsewhere)).text).toContain('readwrite elsewhere/');
    const store = await openAt(etcd.endpoints, user('holdpoint', 'right-password'));
    expect(await store.commit(change({ g: document() }), ['g'])).toBe('committed');
    await expect(store.health()).resolves.toEqual({ problem: null, warnings: [] });
  });

  test('a token that is lost is renewed, with the password as it is then', async () => {
    const etcd = await start();
    await etcd.enableUsers([{ name: 'holdpoint', password: 'first-password', prefixes: BOTH }]);
    let password = 'first-password';
    const store = await openAt(etcd.endpoints, {
      user: { name: 'holdpoint', password: () => Promise.resolve(password) },
    });
    const heard = new Promise<void>((resolve) => {
      let begun = 0;
      onTestFinished(store.watch(() => (begun += 1) > 1 && resolve()));
    });
    expect(await store.commit(change({ g: document() }), ['g'])).toBe('committed');
    // Tokens live in the memory of the members.
    await etcd.kill();
    await etcd.start();
    await store.refresh(['g']);
    expect(await store.commit(change({ h: document() }), ['h'])).toBe('committed');
    await heard;
    password = 'wrong-password';
    await etcd.kill();
    await etcd.start();
    await expect(store.refresh(['g'])).rejects.toMatchObject({ kind: 'broken' });
    const failed = store.commit(change({ g: document() }), ['g']);
    await expect(failed).rejects.toMatchObject({ kind: 'broken' });
    await expect(failed).rejects.not.toMatchObject({ message: expect.stringContaining('wrong-password') as string });
    password = 'first-password';
    await store.refresh(['g']);
  });

  test('a user is no harm where there are none', async () => {
    const etcd = await start();
    const store = await openAt(etcd.endpoints, user('holdpoint', 'password'));
    expect(await store.commit(change({ g: document() }), ['g'])).toBe('committed');
  });

  test('certificates are not taken for users, and with users they may have no common name', async () => {
    const etcd = await start({ tls: 'client' });
    await etcd.enableUsers([{ name: 'holdpoint', password: 'right-password', prefixes: BOTH }]);
    const named = { ...TLS, cert: TEST_CERTIFICATE, key: TEST_KEY };
    for (const who of [{}, user('holdpoint', 'right-password')]) {
      const { kind, text } = told(await refusal(etcd.endpoints, { tls: () => named, ...who }));
      expect(kind).toBe('broken');
      expect(text).toContain('common name (CN)');
    }
    const nameless = { ...TLS, cert: TEST_CLIENT_CERTIFICATE, key: TEST_CLIENT_KEY };
    expect(told(await refusal(etcd.endpoints, { tls: () => nameless })).text).toContain('no user is configured');
    const store = await openAt(etcd.endpoints, { tls: () => nameless, ...user('holdpoint', 'right-password') });
    expect(await store.commit(change({ g: document() }), ['g'])).toBe('committed');
  });
});
