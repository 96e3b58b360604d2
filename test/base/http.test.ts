import type { RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { type HttpRequest, type HttpResult, httpRequest } from '../../src/base/http.ts';
import { type ProxyLog, type TestServer, serve, serveBytes, serveProxy } from '../support/http.ts';
import { TEST_CERTIFICATE, TEST_KEY } from '../support/tls.ts';

const closing: { close(): unknown }[] = [];

afterEach(async () => {
  for (const server of closing.splice(0)) await server.close();
});

async function start(server: Promise<TestServer>): Promise<TestServer> {
  const started = await server;
  closing.push(started);
  return started;
}

const handle = (handler: RequestListener): Promise<TestServer> => start(serve(handler));
const bytes = (...given: Parameters<typeof serveBytes>): Promise<TestServer> => start(serveBytes(...given));

async function ask(url: URL | string, more: Partial<HttpRequest> = {}): Promise<HttpResult> {
  return httpRequest({
    method: 'GET',
    url: new URL(url),
    connectTimeoutMs: 5000,
    totalTimeoutMs: 10_000,
    maxBytes: 10_000,
    environment: {},
    ...more,
  });
}

function bodyOf(result: HttpResult): string {
  if (!result.ok) throw new Error(result.failure.text);
  return result.answer.body;
}

describe('a request', () => {
  test('carries method, path, query, headers and body', async () => {
    const server = await handle((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.setHeader(
          'X-Seen',
          `${request.method ?? ''} ${request.url ?? ''} ${String(request.headers['x-mine'])}`,
        );
        response.statusCode = 423;
        response.end(Buffer.concat(chunks));
      });
    });
    const url = new URL('a/b?c=d', server.url);
    const result = await ask(url, { method: 'POST', body: '{"ä":1}', headers: { 'x-mine': 'yes' } });
    expect(result).toMatchObject({ ok: true, answer: { status: 423, body: '{"ä":1}' } });
    expect(result.ok && result.answer.headers['x-seen']).toBe('POST /a/b?c=d yes');
  });

  test('leaves no connection open', async () => {
    const server = await handle((_, response) => response.end('x'));
    await ask(server.url);
    await server.idle();
    expect(server.open.size).toBe(0);
  });

  test('sends the user of the URL as Basic authorization, decoded', async () => {
    const server = await handle(({ headers }, response) => response.end(headers.authorization));
    const url = new URL(server.url);
    url.username = 'node';
    url.password = 'p@ss:ü';
    const expected = Buffer.from('node:p@ss:ü').toString('base64');
    expect(bodyOf(await ask(url))).toBe(`Basic ${expected}`);
  });

  test.each<[string, (text: string) => Buffer]>([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['identity', (text) => Buffer.from(text)],
  ])('takes an answer in %s', async (encoding, encode) => {
    const server = await handle((_, response) => {
      response.setHeader('content-encoding', encoding);
      response.end(encode('a'.repeat(5000)));
    });
    expect(bodyOf(await ask(server.url))).toBe('a'.repeat(5000));
  });

  test('speaks TLS, with an authority of its own', async () => {
    const server = createTlsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, (_, response) => response.end('secret'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push({ close: () => server.close() });
    const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
    expect(bodyOf(await ask(url, { tls: { ca: TEST_CERTIFICATE } }))).toBe('secret');
    expect(await ask(url)).toMatchObject({ ok: false, failure: { kind: 'network' } });
  });
});

describe('a failure', () => {
  test('of a server that is not there', async () => {
    const server = await serve(() => undefined);
    await server.close();
    const result = await ask(server.url);
    expect(result).toMatchObject({ ok: false, failure: { kind: 'network' } });
    expect(!result.ok && result.failure.text).toMatch(/^http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
  });

  test.each<[string, () => Promise<TestServer>]>([
    ['the headers', () => bytes('', 'stall')],
    ['the middle of the headers', () => bytes('HTTP/1.1 200 OK\r\nContent-', 'stall')],
    ['the body', () => bytes('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"no', 'stall')],
    ['a compressed body', () => bytes(compressedHead(), 'stall')],
  ])('of a server that stalls in %s', async (_, server) => {
    const stalling = await server();
    const result = await ask(stalling.url, { totalTimeoutMs: 100 });
    expect(result).toMatchObject({ ok: false, failure: { kind: 'timeout' } });
    expect(!result.ok && result.failure.text).toMatch(/: no complete answer within 0 s$/);
    await stalling.idle();
  });

  test('of a TLS handshake that stalls: the time to connect', async () => {
    const { port } = await bytes('', 'stall');
    const result = await ask(`https://127.0.0.1:${port}/`, { connectTimeoutMs: 50 });
    expect(result).toMatchObject({ ok: false, failure: { kind: 'timeout' } });
    expect(!result.ok && result.failure.text).toMatch(/: no connection in time$/);
  });

  test.each<[string, RequestListener]>([
    ['a body without end', (_, response) => pour(response, Buffer.alloc(1000, 'x'))],
    [
      'a length too large',
      (_, response) => response.writeHead(200, { 'content-length': '1000000' }).end(Buffer.alloc(1e6)),
    ],
    [
      'a bomb',
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(5_000_000))),
    ],
    [
      'a bomb that never yields anything',
      (_, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        response.write(Buffer.from('1f8b0800000000000003', 'hex'));
        pour(response, Buffer.alloc(1000, Buffer.from('000000ffff', 'hex')));
      },
    ],
  ])('of %s', async (_, handler) => {
    const server = await handle(handler);
    expect(await ask(server.url)).toMatchObject({ ok: false, failure: { kind: 'too-large' } });
    await server.idle();
  });

  test.each<[string, string, string | RegExp]>([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', 'invalid'],
    ['a body cut short', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"nodes":', 'network'],
    ['a chunk cut short', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{"nodes":', 'network'],
    ['an end before the headers', '', 'network'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}', 'invalid'],
    ['an encoding that is none', 'HTTP/1.1 200 OK\r\nContent-Encoding: zip\r\nContent-Length: 2\r\n\r\n{}', 'invalid'],
    ['no gzip', 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}', 'invalid'],
    ['endless headers', `HTTP/1.1 200 OK\r\n${'X-A: b\r\n'.repeat(20_000)}`, 'too-large'],
  ])('of an answer that is %s', async (_, text, kind) => {
    const server = await bytes(text);
    expect(await ask(server.url)).toMatchObject({ ok: false, failure: { kind } });
  });

  test('of one body part too few in gzip', async () => {
    const server = await bytes(compressedHead());
    expect(await ask(server.url)).toMatchObject({ ok: false, failure: { kind: 'network' } });
  });

  test.each<[string, string]>([
    ['that is cut short', 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 100\r\n\r\n<html>'],
    ['that is no gzip', 'HTTP/1.1 502 Bad Gateway\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}'],
    ['that is too large', `HTTP/1.1 502 Bad Gateway\r\nContent-Length: 20000\r\n\r\n${'x'.repeat(20_000)}`],
  ])('keeps its status when it has a body %s', async (_, text) => {
    const server = await bytes(text);
    expect(await ask(server.url)).toMatchObject({ ok: true, answer: { status: 502, body: '' } });
  });

  test('names no credentials, path or query', async () => {
    const { port } = await bytes('');
    const result = await ask(`http://user:secret@127.0.0.1:${port}/secret/path?key=secret`);
    expect(!result.ok && result.failure.text).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${port}: `));
    expect(JSON.stringify(result)).not.toMatch(/secret|user/);
  });
});

describe('cancelling', () => {
  test('before it begins', async () => {
    const result = await ask('http://127.0.0.1:1/', { signal: AbortSignal.abort() });
    expect(result).toMatchObject({ ok: false, failure: { kind: 'cancelled' } });
  });

  test('in the middle', async () => {
    const control = new AbortController();
    const server = await handle(() => control.abort());
    expect(await ask(server.url, { signal: control.signal })).toMatchObject({ failure: { kind: 'cancelled' } });
    await server.idle();
  });
});

describe('a redirect', () => {
  /** `/n` leads to `/n-1`, and `/0` answers. */
  const countdown = (status: number): Promise<TestServer> =>
    handle((request, response) => {
      const left = Number((request.url ?? '').slice(1));
      if (left > 0) response.writeHead(status, { location: `/${left - 1}` });
      response.end(`${request.method ?? ''} ${request.headers.authorization ?? ''}`);
    });

  test.each([301, 302, 303, 307, 308])('%i is followed by a GET', async (status) => {
    const server = await countdown(status);
    expect(bodyOf(await ask(new URL('/2', server.url), { maxRedirects: 2 }))).toBe('GET ');
  });

  test('is taken as the answer beyond the limit, which is 0 unless stated', async () => {
    const server = await countdown(302);
    expect(await ask(new URL('/3', server.url), { maxRedirects: 2 })).toMatchObject({ answer: { status: 302 } });
    expect(await ask(new URL('/1', server.url))).toMatchObject({ answer: { status: 302 } });
  });

  test('turns no POST into a GET', async () => {
    const kept = await countdown(308);
    const more = { method: 'POST', body: 'x', maxRedirects: 3 } as const;
    expect(bodyOf(await ask(new URL('/1', kept.url), more))).toBe('POST ');
    const turned = await countdown(303);
    expect(await ask(new URL('/1', turned.url), more)).toMatchObject({ answer: { status: 303 } });
  });

  test('carries credentials to the same origin only, and not back from another', async () => {
    const seen: string[] = [];
    const note = (name: string, request: Parameters<RequestListener>[0]): void => {
      seen.push(`${name} ${request.headers.authorization === undefined ? 'without' : 'with'}`);
    };
    const other = await handle((request, response) => {
      note('other', request);
      response.writeHead(302, { location: new URL('/end', home.url).href }).end();
    });
    const home: TestServer = await handle((request, response) => {
      note(`home ${request.url ?? ''}`, request);
      const next = request.url === '/start' ? '/middle' : request.url === '/middle' ? other.url.href : null;
      if (next !== null) response.writeHead(302, { location: next });
      response.end('done');
    });
    const url = new URL('/start', home.url);
    url.username = 'me';
    expect(bodyOf(await ask(url, { maxRedirects: 3 }))).toBe('done');
    expect(seen).toEqual(['home /start with', 'home /middle with', 'other without', 'home /end without']);
  });

  test.each([
    ['nowhere', 'http://[', /not a URL/],
    ['a file', 'file:///etc/passwd', /file: is not a protocol/],
  ])('to %s is refused', async (_, location, text) => {
    const server = await handle((_request, response) => response.writeHead(302, { location }).end());
    const result = await ask(server.url, { maxRedirects: 3 });
    expect(result).toMatchObject({ ok: false, failure: { kind: 'invalid' } });
    expect(!result.ok && result.failure.text).toMatch(text);
  });

  test('from https to http is refused', async () => {
    const plain = await handle((_, response) => response.end('plain'));
    const server = createTlsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, (_, response) => {
      response.writeHead(302, { location: plain.url.href }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push({ close: () => server.close() });
    const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
    const result = await ask(url, { tls: { ca: TEST_CERTIFICATE }, maxRedirects: 3 });
    expect(result).toMatchObject({ ok: false, failure: { kind: 'invalid' } });
    expect(!result.ok && result.failure.text).toMatch(
      /redirected from https to http:\/\/127\.0\.0\.1:\d+, which is refused/,
    );
  });
});

describe('a proxy', () => {
  const startProxy = async (): Promise<{ proxy: TestServer; log: ProxyLog }> => {
    const log: ProxyLog = { tunnels: [], forwarded: [], authorizations: [] };
    return { proxy: await start(serveProxy(log)), log };
  };

  test('forwards plain http, with the credentials of its own URL', async () => {
    const { proxy, log } = await startProxy();
    const server = await handle((request, response) => response.end(request.url));
    const environment = { HTTP_PROXY: `http://me:p%40ss@127.0.0.1:${proxy.port}` };
    expect(bodyOf(await ask(new URL('/x?y=z', server.url), { environment }))).toBe('/x?y=z');
    expect(log).toEqual({
      tunnels: [],
      forwarded: [`http://127.0.0.1:${server.port}/x?y=z`],
      authorizations: [`Basic ${Buffer.from('me:p@ss').toString('base64')}`],
    });
    await proxy.idle();
  });

  test('opens a tunnel for https, and sees nothing of it', async () => {
    const { proxy, log } = await startProxy();
    const server = createTlsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, (_, response) => response.end('secret'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push({ close: () => server.close() });
    const { port } = server.address() as AddressInfo;
    const environment = { https_proxy: `127.0.0.1:${proxy.port}`, HTTPS_PROXY: 'http://127.0.0.1:1' };
    const request = { environment, tls: { ca: TEST_CERTIFICATE } };
    expect(bodyOf(await ask(`https://localhost:${port}/`, request))).toBe('secret');
    expect(log.tunnels).toEqual([`localhost:${port}`]);
    expect(log.forwarded).toEqual([]);
    await proxy.idle();
  });

  test('is passed by for hosts that are exempt', async () => {
    const server = await handle((_, response) => response.end('direct'));
    const environment = { http_proxy: 'http://127.0.0.1:1', no_proxy: 'example.org,127.0.0.1' };
    expect(bodyOf(await ask(server.url, { environment }))).toBe('direct');
  });

  test.each([
    ['is not there', { http_proxy: 'http://me:secret@127.0.0.1:1' }, 'network'],
    ['is no URL', { http_proxy: 'http://me:secret@[' }, 'invalid'],
    ['speaks another protocol', { http_proxy: 'socks5://me:secret@127.0.0.1:1' }, 'invalid'],
  ])('that %s is a failure without its credentials', async (_, environment, kind) => {
    const result = await ask('http://192.0.2.1/', { environment });
    expect(result).toMatchObject({ ok: false, failure: { kind } });
    expect(JSON.stringify(result)).not.toMatch(/secret/);
  });

  test('that refuses or stalls is a failure', async () => {
    const refusing = await bytes('HTTP/1.1 403 Forbidden\r\n\r\n');
    const refused = await ask('https://192.0.2.1/', { environment: { https_proxy: refusing.url.href } });
    expect(refused).toMatchObject({ ok: false, failure: { kind: 'network' } });
    const stalling = await bytes('', 'stall');
    const environment = { https_proxy: stalling.url.href };
    const stalled = await ask('https://192.0.2.1/', { environment, totalTimeoutMs: 100 });
    expect(stalled).toMatchObject({ ok: false, failure: { kind: 'timeout' } });
    await stalling.idle();
  });
});

function compressedHead(): Buffer {
  const body = gzipSync('a'.repeat(3000) + Math.random().toString());
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`),
    body.subarray(0, -8),
  ]);
}

/** Writes for ever, as fast as the other side takes it. */
function pour(response: Parameters<RequestListener>[1], chunk: Buffer): void {
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}
