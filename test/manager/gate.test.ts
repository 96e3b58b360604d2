import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Gate } from '../../src/manager/config/group.ts';
import { GateKeeper } from '../../src/manager/gate.ts';
import { listen, type LoopbackServer, type Received } from '../fleetlock/server.ts';

const servers: LoopbackServer[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function serve(answer: (request: Received) => { status?: number; body?: string }): Promise<LoopbackServer> {
  const server = await listen((request, response) => {
    const { status = 200, body = '' } = answer(request);
    response.writeHead(status).end(body);
  });
  servers.push(server);
  return server;
}

function gate(change: Partial<Gate> & Pick<Gate, 'url'>): Gate {
  return { kind: 'http', cacheMs: 30_000, timeoutMs: 2_000, tokenPath: null, ...change } as Gate;
}

function prometheus(result: unknown): string {
  return JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });
}

describe('a gate', () => {
  test('is closed until it has been asked', async () => {
    const { host } = await serve(() => ({}));
    const keeper = new GateKeeper(gate({ url: `http://${host}/healthy` }), () => 0);
    expect(keeper.verdict).toMatchObject({ kind: 'blocked' });
    await keeper.prepare();
    expect(keeper.verdict).toBeNull();
  });

  test('is asked once for all who come at the same time, and again when its answer is old', async () => {
    let now = 1_000_000;
    const server = await serve(() => ({}));
    const keeper = new GateKeeper(gate({ url: `http://${server.host}/` }), () => now);
    await Promise.all([keeper.prepare(), keeper.prepare()]);
    now += 29_999;
    expect(keeper.prepare()).toBeNull();
    expect(server.requests).toHaveLength(1);
    now += 1;
    await keeper.prepare();
    expect(server.requests).toHaveLength(2);
  });

  test('is asked again when the clock went back: nobody knows how old its answer is', async () => {
    let now = 1_000_000_000;
    const server = await serve(() => ({}));
    const keeper = new GateKeeper(gate({ url: `http://${server.host}/` }), () => now);
    await keeper.prepare();
    expect(keeper.isFresh(now + 10_000, 0)).toBe(true);
    now -= 86_400_000;
    expect(keeper.isFresh(now, 10_000)).toBe(false);
    await keeper.prepare();
    expect(server.requests).toHaveLength(2);
    expect(keeper.isFresh(now, 0)).toBe(true);
  });

  test.each([
    ['a status that is no success', 503, '', 'HTTP 503'],
    ['a redirect', 302, '', 'HTTP 302'],
  ])('is closed by %s', async (_, status, body, words) => {
    const { host } = await serve(() => ({ status, body }));
    const keeper = new GateKeeper(gate({ url: `http://${host}/` }), () => 0);
    await keeper.prepare();
    expect(keeper.verdict?.value).toContain(words);
  });

  test('is closed by a server that is not there, and tells no secret of its address', async () => {
    const keeper = new GateKeeper(gate({ url: 'http://user:secret@127.0.0.1:1/secret-path' }), () => 0);
    await keeper.prepare();
    expect(keeper.verdict?.value).toContain('no answer');
    expect(keeper.verdict?.value).not.toContain('secret');
  });

  test('sends the token of a file, read anew each time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdpoint-gate-'));
    folders.push(folder);
    const [tokenPath, server] = [join(folder, 'token'), await serve(() => ({}))];
    let now = 0;
    const keeper = new GateKeeper(gate({ url: `http://${server.host}/`, tokenPath }), () => now);
    await keeper.prepare();
    expect(keeper.verdict?.value).toContain(tokenPath);
    writeFileSync(tokenPath, 'sesame\n');
    now += 60_000;
    await keeper.prepare();
    expect(keeper.verdict).toBeNull();
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer sesame']);
  });
});

describe('a gate of Prometheus', () => {
  async function ask(body: string, path = ''): Promise<{ keeper: GateKeeper; server: LoopbackServer }> {
    const server = await serve(() => ({ body }));
    const query = 'ALERTS{alertstate="firing"}';
    const keeper = new GateKeeper(gate({ kind: 'prometheus', url: `http://${server.host}${path}`, query }), () => 0);
    await keeper.prepare();
    return { keeper, server };
  }

  test('is open while the query finds nothing', async () => {
    const { keeper, server } = await ask(prometheus([]), '/prometheus/');
    expect(keeper.verdict).toBeNull();
    expect(server.requests[0]?.url).toBe('/prometheus/api/v1/query?query=ALERTS%7Balertstate%3D%22firing%22%7D');
  });

  test('is closed while it finds something, and names it', async () => {
    const series = ['NodeDown', 'DiskFull', 'A', 'B'].map((alertname) => ({ metric: { alertname }, value: [1, '1'] }));
    const { keeper } = await ask(prometheus(series));
    expect(keeper.verdict?.value).toBe(
      'the alert gate of the group is closed: the query finds NodeDown, DiskFull, A and 1 more',
    );
  });

  test.each([
    'not JSON',
    '{}',
    '{"status":"error"}',
    '{"status":"success","data":{"resultType":"matrix","result":[]}}',
    '{"status":"success","data":null}',
    '{"status":"success","data":{"resultType":"vector","result":{}}}',
  ])('is closed by an answer that is none: %s', async (body) => {
    const { keeper } = await ask(body);
    expect(keeper.verdict?.value).toContain('its answer is not that of a Prometheus query');
  });
});
