import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askLock, type LockAccess, type LockAnswer } from '../../src/fleetlock/client.ts';
import { type ProxyLog, serveProxy } from '../support/http.ts';
import { TEST_CERTIFICATE, TEST_KEY } from '../support/tls.ts';
import { listen, type LoopbackServer, type Received } from './server.ts';

const closing: (() => unknown)[] = [];
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hp-lock-'));
  closing.push(() => rmSync(folder, { recursive: true }));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Nothing but what a test sets, and no proxy of whoever runs the tests. */
function ask(baseUrl: string, access: Partial<LockAccess> = {}): Promise<LockAnswer> {
  const lock = { baseUrl, group: 'workers', id: '074c268827d74fb59ed758e8940cd667' };
  const signal = new AbortController().signal;
  return askLock(
    { operation: 'pre-reboot', lock, waitMs: 0, wall: 0, signal },
    {
      connectTimeoutMs: 5_000,
      totalTimeoutMs: 10_000,
      tokenFile: null,
      caFile: null,
      clientCertFile: null,
      clientKeyFile: null,
      environment: {},
      ...access,
    },
  );
}

async function serve(answer: Parameters<typeof listen>[0]): Promise<LoopbackServer & { readonly base: string }> {
  const server = await listen(answer);
  closing.push(() => server.stop());
  return { ...server, base: `http://${server.host}/` };
}

function textOf(answer: LockAnswer): string {
  return answer.kind === 'failed' ? answer.failure.text : answer.kind;
}

describe('the token file', () => {
  const grants: Parameters<typeof listen>[0] = (_, response) => void response.end();

  it.each([
    ['node:p@ss wörd: x', `Basic ${Buffer.from('node:p@ss wörd: x').toString('base64')}`],
    ['node:secret\n', `Basic ${Buffer.from('node:secret').toString('base64')}`],
    ['eyJhbGciOi.J9-_~+/=\r\n', 'Bearer eyJhbGciOi.J9-_~+/='],
  ])('%j is sent as %s', async (content, header) => {
    const { requests, base } = await serve(grants);
    expect(await ask(base, { tokenFile: file('token', content) })).toEqual({ kind: 'yes' });
    expect(requests[0]?.headers.authorization).toBe(header);
  });

  it('is read for each question, so that a new token is taken at once', async () => {
    const { requests, base } = await serve(grants);
    for (const token of ['old', 'new']) await ask(base, { tokenFile: file('token', token) });
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
  });

  it('is not for a server that the address has a user for: those of a slot taken earlier', async () => {
    const { requests, host } = await serve(grants);
    await ask(`http://me:mine@${host}/`, { tokenFile: file('token', 'of-another-server') });
    expect(requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:mine').toString('base64')}`);
  });

  it('goes nowhere else', async () => {
    const elsewhere = await serve(grants);
    const { base } = await serve((_, response) => {
      response.writeHead(307, { location: `${elsewhere.base}v1/pre-reboot` }).end();
    });
    await ask(base, { tokenFile: file('token', 's3cret') });
    expect(elsewhere.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it.each([
    ['does not exist', () => join(folder, 'none')],
    ['does not exist', () => join(file('x', ''), 'token')],
    ['is empty', () => file('token', ' \n')],
    ['is larger than 4096 bytes', () => file('token', 's3cret'.padEnd(4097, 'x'))],
    ['has more than one line', () => file('token', 's3cret\ns3cret')],
    ['a token has printable ASCII characters only, and no spaces', () => file('token', 's3cret s3cret')],
    ['a token has printable ASCII characters only, and no spaces', () => file('token', 's3crét')],
    ['is not a file', () => (mkdirSync(join(folder, 'd')), join(folder, 'd'))],
    ['is not a file', () => (execFileSync('mkfifo', [join(folder, 'pipe')]), join(folder, 'pipe'))],
  ])('that %s is a failure that passes, and nothing is sent', async (reason, make) => {
    const { requests, base } = await serve(grants);
    const tokenFile = make();
    const answer = await ask(base, { tokenFile });
    expect(answer).toMatchObject({ kind: 'failed', failure: { class: 'transient' } });
    expect(textOf(answer)).toBe(`updates.fleet_lock.token_file ${tokenFile}: ${reason}`);
    expect(textOf(answer)).not.toContain('s3cr');
    expect(requests).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)('that may not be read says so', async () => {
    const tokenFile = file('token', 's3cret');
    chmodSync(tokenFile, 0);
    expect(textOf(await ask('http://127.0.0.1:1/', { tokenFile }))).toMatch(/may not be read by this process$/);
  });

  it.each(['node:s3cret-pass', 's3cret-token'])(
    'appears in no text, whatever the server repeats: %s',
    async (token) => {
      const echo = ({ headers }: Received): string => `denied: ${headers.authorization ?? ''}, ${token}`;
      const { base } = await serve((request, response) => void response.writeHead(401).end(echo(request)));
      const text = textOf(await ask(base, { tokenFile: file('token', token) }));
      expect(text).toMatch(/^HTTP 401: denied: .*\*\*\*/);
      expect(text).not.toMatch(/s3cret|node/);
      expect(text).not.toContain(Buffer.from(token).toString('base64'));
    },
  );
});

describe('TLS', () => {
  /** `names`: of the clients, as their certificates say. */
  async function serveTls(requestCert: boolean): Promise<{ readonly base: string; readonly names: string[] }> {
    const names: string[] = [];
    const options = { key: TEST_KEY, cert: TEST_CERTIFICATE, ca: TEST_CERTIFICATE, requestCert };
    const server = createServer({ ...options, rejectUnauthorized: requestCert }, (_, response) => void response.end());
    server.on('secureConnection', (socket) => {
      if (requestCert) names.push(String(socket.getPeerCertificate().subject.CN));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => void server.close());
    return { base: `https://localhost:${(server.address() as AddressInfo).port}/`, names };
  }

  const pem = (): Partial<LockAccess> => ({
    caFile: file('ca.pem', TEST_CERTIFICATE),
    clientCertFile: file('client.pem', TEST_CERTIFICATE),
    clientKeyFile: file('client.key', TEST_KEY),
  });

  it('with an authority of its own', async () => {
    const { base } = await serveTls(false);
    expect(await ask(base, { caFile: file('ca.pem', TEST_CERTIFICATE) })).toEqual({ kind: 'yes' });
    expect(await ask(base)).toMatchObject({ kind: 'failed', failure: { class: 'unknown' } });
  });

  it('shows a client certificate', async () => {
    const { base, names } = await serveTls(true);
    expect(await ask(base, pem())).toEqual({ kind: 'yes' });
    expect(names).toEqual(['localhost']);
    expect(await ask(base, { caFile: file('ca.pem', TEST_CERTIFICATE) })).toMatchObject({ kind: 'failed' });
    expect(names).toHaveLength(1);
  });

  it('goes through a proxy, with certificate and token seen by the server alone', async () => {
    const { base, names } = await serveTls(true);
    const log: ProxyLog = { tunnels: [], forwarded: [], authorizations: [] };
    const proxy = await serveProxy(log);
    closing.push(() => proxy.close());
    const environment = { https_proxy: proxy.url.href };
    expect(await ask(base, { ...pem(), environment, tokenFile: file('token', 's3cret') })).toEqual({ kind: 'yes' });
    expect(names).toEqual(['localhost']);
    expect(log).toEqual({ tunnels: [new URL(base).host], forwarded: [], authorizations: [undefined] });
  });

  const otherKey = (): string =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

  it.each([
    ['ca_file', 'ca.pem: is no certificate in PEM', () => ({ caFile: file('ca.pem', 'hello') })],
    ['ca_file', 'ca.pem: does not exist', () => ({ caFile: join(folder, 'ca.pem') })],
    ['client_cert_file', 'c.pem: is no certificate', () => ({ ...pem(), clientCertFile: file('c.pem', TEST_KEY) })],
    ['client_key_file', 'k.key: does not fit the', () => ({ ...pem(), clientKeyFile: file('k.key', otherKey()) })],
    ['client_key_file', 'k.key: does not fit the', () => ({ ...pem(), clientKeyFile: file('k.key', 'hello') })],
    ['client_key_file', 'k.key: is larger than', () => ({ clientKeyFile: file('k.key', 'x'.repeat(300_000)) })],
  ])('with a wrong %s says so: %s', async (key, text, access) => {
    const answer = await ask('https://localhost:1/', access());
    expect(answer).toMatchObject({ kind: 'failed', failure: { class: 'transient' } });
    expect(textOf(answer)).toContain(`updates.fleet_lock.${key} ${folder}/${text}`);
    expect(textOf(answer)).not.toMatch(/PRIVATE|MIG/);
  });
});
