import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { GraphClient, type GraphResult } from '../../src/graph/client.ts';
import { type GraphRequest, graphUrl } from '../../src/graph/request.ts';
import { type TestServer, serve } from '../support/http.ts';
import { graphText } from './fixtures.ts';

const REQUEST: GraphRequest = {
  baseUrl: 'http://unused.test/',
  basearch: 'x86_64',
  stream: 'stable',
  scheme: 'checksum',
  nodeId: '074c268827d74fb59ed758e8940cd667',
  rolloutWariness: null,
  osVersion: '44.20260621.3.1',
  osChecksum: 'a'.repeat(64),
  group: 'default',
  platform: 'metal',
};
const TEXT = graphText('stable-x86_64-checksum');

const closing: TestServer[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const server of closing.splice(0)) await server.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function handle(handler: RequestListener): Promise<string> {
  const server = await serve(handler);
  closing.push(server);
  return server.url.href;
}

function client(): GraphClient {
  return new GraphClient({ environment: {}, connectTimeoutMs: 5000, totalTimeoutMs: 5000 });
}

function size(result: GraphResult): number {
  if (!result.ok) throw new Error(result.failure.text);
  return result.graph.releases.length;
}

describe('the URL', () => {
  test.each([
    ['https://updates.test', '/v1/graph'],
    ['https://updates.test/', '/v1/graph'],
    ['https://updates.test/cincinnati', '/cincinnati/v1/graph'],
    ['https://updates.test/cincinnati/', '/cincinnati/v1/graph'],
    ['https://updates.test/a%20b//', '/a%20b/v1/graph'],
  ])('%s leads to %s', (base, path) => {
    expect(graphUrl(new URL(base), REQUEST).pathname).toBe(path);
  });

  test('carries what the server wants to know', () => {
    expect(Object.fromEntries(graphUrl(new URL('https://updates.test'), REQUEST).searchParams)).toEqual({
      basearch: 'x86_64',
      stream: 'stable',
      node_uuid: REQUEST.nodeId,
      os_version: REQUEST.osVersion,
      os_checksum: REQUEST.osChecksum,
      group: 'default',
      platform: 'metal',
    });
  });

  test('says oci for images, and a wariness only if one is configured, in six decimals', () => {
    const request = { ...REQUEST, scheme: 'oci', osChecksum: 'quay.io/os@sha256:b', rolloutWariness: 1 / 3 } as const;
    const { search } = graphUrl(new URL('https://updates.test'), request);
    expect(search).toContain('&oci=true&');
    expect(search).toContain('&rollout_wariness=0.333333&');
    expect(search).toContain('&os_checksum=quay.io%2Fos%40sha256%3Ab&');
  });

  test('keeps the query of the base and overrules it', () => {
    const url = graphUrl(new URL('https://updates.test/x?token=t&stream=next#part'), REQUEST);
    expect(url.searchParams.get('token')).toBe('t');
    expect(url.searchParams.getAll('stream')).toEqual(['stable']);
    expect(url.hash).toBe('');
  });
});

describe('from a server', () => {
  test('the graph is read, compressed or not', async () => {
    const seen: unknown[] = [];
    const baseUrl = await handle((request, response) => {
      seen.push(request.headers.accept, new URL(request.url ?? '', 'http://x').pathname);
      response.setHeader('content-encoding', 'gzip');
      response.end(gzipSync(TEXT));
    });
    const result = await client().fetch({ ...REQUEST, baseUrl });
    expect(size(result)).toBe(179);
    expect(result.ok && result.graph.raw).toBeUndefined();
    expect(seen).toEqual(['application/json', '/v1/graph']);
  });

  test('is asked for only if it has changed, when the server offers that', async () => {
    const asked: (string | undefined)[] = [];
    const baseUrl = await handle((request, response) => {
      asked.push(request.headers['if-none-match']);
      response.setHeader('etag', '"v1"');
      if (request.headers['if-none-match'] === '"v1"') response.writeHead(304).end();
      else response.end(TEXT);
    });
    const own = client();
    const first = await own.fetch({ ...REQUEST, baseUrl });
    const second = await own.fetch({ ...REQUEST, baseUrl });
    expect(second.ok && first.ok && second.graph).toBe(first.ok && first.graph);
    expect(size(await own.fetch({ ...REQUEST, baseUrl, osVersion: 'another' }))).toBe(179);
    expect(asked).toEqual([undefined, '"v1"', undefined]);
  });

  test('a graph that could not be read is asked for again in full', async () => {
    const bodies = ['{"nodes":', TEXT];
    const asked: unknown[] = [];
    const baseUrl = await handle((request, response) => {
      asked.push(request.headers['if-none-match']);
      response.setHeader('etag', '"v1"');
      response.end(bodies.shift());
    });
    const own = client();
    expect(await own.fetch({ ...REQUEST, baseUrl })).toMatchObject({ ok: false, failure: { kind: 'invalid' } });
    expect(size(await own.fetch({ ...REQUEST, baseUrl }))).toBe(179);
    expect(asked).toEqual([undefined, undefined]);
  });

  test('three redirects are followed, a fourth is not', async () => {
    const baseUrl = await handle((request, response) => {
      const left = Number((request.url ?? '').split('/')[1]);
      if (left === 0) response.end(TEXT);
      else response.writeHead(302, { location: `/${left - 1}/v1/graph` }).end();
    });
    expect(size(await client().fetch({ ...REQUEST, baseUrl: `${baseUrl}3` }))).toBe(179);
    expect(await client().fetch({ ...REQUEST, baseUrl: `${baseUrl}4` })).toMatchObject({
      ok: false,
      failure: { kind: 'http', status: 302 },
    });
  });

  test.each<[number, string, RegExp]>([
    [502, '<html><h1>Bad Gateway</h1>', /answered 502 for stream stable, architecture x86_64, scheme checksum$/],
    [500, '{"kind":"x","value":"y"}', /answered 500: a fault of its own, or it does not know stream stable/],
    [400, '', /answered 400 for/],
    [404, 'x'.repeat(9_000_000), /answered 404 for/],
    [204, '', /answered 204 for/],
    [304, '', /answered 304: redirected too often, or to nowhere/],
  ])('%i is a failure', async (status, body, text) => {
    const baseUrl = await handle((_, response) => response.writeHead(status).end(body));
    const result = await client().fetch({ ...REQUEST, baseUrl });
    expect(result).toMatchObject({ ok: false, failure: { kind: 'http', status } });
    expect(!result.ok && result.failure.text).toMatch(text);
  });

  test.each<[string, string, string]>([
    ['a page in place of a graph', '<html>', 'invalid'],
    ['more than 8 MiB', ' '.repeat(8 * 1024 * 1024 + 1), 'too-large'],
  ])('%s is a failure', async (_, body, kind) => {
    const baseUrl = await handle((_request, response) => response.end(body));
    expect(await client().fetch({ ...REQUEST, baseUrl })).toMatchObject({ ok: false, failure: { kind } });
  });

  test('time runs out, and cancelling ends it', async () => {
    const control = new AbortController();
    const baseUrl = await handle(() => undefined);
    const late = await new GraphClient({ environment: {}, totalTimeoutMs: 50 }).fetch({ ...REQUEST, baseUrl });
    expect(late).toMatchObject({ ok: false, failure: { kind: 'timeout' } });
    const pending = client().fetch({ ...REQUEST, baseUrl }, control.signal);
    control.abort();
    expect(await pending).toMatchObject({ ok: false, failure: { kind: 'cancelled' } });
  });

  test.each(['not a url', 'ftp://updates.test/', 'unix:/run/x'])('%j is no base', async (baseUrl) => {
    expect(await client().fetch({ ...REQUEST, baseUrl })).toMatchObject({ ok: false, failure: { kind: 'invalid' } });
  });

  test('credentials stay out of what is said', async () => {
    const origin = await handle((_, response) => response.writeHead(403).end());
    const url = new URL('/secret-path?token=secret', origin);
    url.password = 'secret';
    const result = await client().fetch({ ...REQUEST, baseUrl: url.href });
    expect(result.ok).toBe(false);
    expect(JSON.stringify(result)).not.toMatch(/secret/);
  });
});

describe('from a file', () => {
  function folder(): string {
    const made = mkdtempSync(join(tmpdir(), 'holdpoint-graph-'));
    folders.push(made);
    return made;
  }

  function ask(path: string): Promise<GraphResult> {
    return client().fetch({ ...REQUEST, baseUrl: pathToFileURL(path).href });
  }

  test('the graph is read, and marked as one that nobody has filtered', async () => {
    const path = join(folder(), 'my graph.json');
    writeFileSync(path, TEXT);
    const result = await ask(path);
    expect(size(result)).toBe(179);
    expect(result.ok && result.graph.raw).toBe(true);
  });

  test.each<[string, (path: string) => string, RegExp]>([
    ['missing', (path) => join(path, 'none.json'), /ENOENT.*none\.json/],
    ['a folder', (path) => path, /expected a file with an update graph in JSON/],
    ['a device', () => '/dev/zero', /\/dev\/zero: expected a file/],
    ['no graph', (path) => write(path, 'x'), /graph\.json: expected a graph in JSON, found "x"/],
    ['too large', (path) => write(path, ' '.repeat(8 * 1024 * 1024 + 1)), /graph\.json: larger than 8388608 bytes/],
  ])('that is %s is a failure', async (_, make, text) => {
    const result = await ask(make(folder()));
    expect(result).toMatchObject({ ok: false, failure: { kind: 'file' } });
    expect(!result.ok && result.failure.text).toMatch(text);
  });

  test('of another host is a failure', async () => {
    const result = await client().fetch({ ...REQUEST, baseUrl: 'file://server/share/graph.json' });
    expect(result).toMatchObject({ ok: false, failure: { kind: 'file' } });
  });

  function write(path: string, text: string): string {
    const file = join(path, 'graph.json');
    writeFileSync(file, text);
    return file;
  }
});
