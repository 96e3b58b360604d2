import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  askLock,
  type LockAccess,
  type LockAnswer,
  type LockQuestion,
  type LockRequest,
} from '../../src/fleetlock/client.ts';
import type { Operation } from '../../src/fleetlock/protocol.ts';
import { airlock, listen, type LoopbackServer, poseidon, type Received, waiting } from './server.ts';

const NOW = Date.UTC(2026, 6, 23, 14, 0, 0);
const [US, OTHER] = ['074c268827d74fb59ed758e8940cd667', '978a225b3d7b40e9acd7ce9b62f68444'];

let server: LoopbackServer | null = null;
beforeEach(() => {
  for (const name of ['http_proxy', 'HTTP_PROXY']) vi.stubEnv(name, '');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
  await server?.stop();
  server = null;
});

async function serve(answer: Parameters<typeof listen>[0]): Promise<LoopbackServer> {
  server = await listen(answer);
  return server;
}

/** Answers everything in the same way. */
function always(status: number, headers: Readonly<Record<string, string>> = {}, body = '') {
  return (_: Received, response: ServerResponse): void => void response.writeHead(status, headers).end(body);
}

const ACCESS: LockAccess = {
  connectTimeoutMs: 10_000,
  totalTimeoutMs: 60_000,
  tokenFile: null,
  caFile: null,
  clientCertFile: null,
  clientKeyFile: null,
};

function ask(
  operation: Operation,
  lock: Partial<LockRequest> = {},
  more: Partial<LockQuestion & LockAccess> = {},
): Promise<LockAnswer> {
  const whole = { baseUrl: `http://${server?.host ?? ''}/`, group: 'workers', id: US, ...lock };
  const question = { operation, lock: whole, waitMs: 0, wall: NOW, signal: new AbortController().signal, ...more };
  return askLock(question, { ...ACCESS, ...more });
}

describe('the request', () => {
  it('is what the protocol asks for', async () => {
    const { requests } = await serve(always(200));
    await ask('pre-reboot');
    await ask('steady-state', { group: 'a.b-c' });
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /v1/pre-reboot',
      'POST /v1/steady-state',
    ]);
    expect(requests[0]?.headers).toMatchObject({ 'fleet-lock-protocol': 'true', 'content-type': 'application/json' });
    expect(requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { client_params: { id: US, group: 'workers' } },
      { client_params: { id: US, group: 'a.b-c' } },
    ]);
  });

  it.each(['/fleet', '/fleet/'])('goes below the path of the base URL %s', async (path) => {
    const { requests, host } = await serve(always(200));
    await ask('pre-reboot', { baseUrl: `http://${host}${path}` });
    expect(requests[0]?.url).toBe('/fleet/v1/pre-reboot');
  });
});

describe('airlock', () => {
  it('grants a free slot, again to its holder, and takes it back, also when it is not held', async () => {
    const holders = new Set<string>();
    await serve(airlock(holders));
    expect(await ask('pre-reboot')).toEqual({ kind: 'yes' });
    expect(await ask('pre-reboot')).toEqual({ kind: 'yes' });
    expect([...holders]).toEqual([US]);
    expect(await ask('steady-state')).toEqual({ kind: 'yes' });
    expect(await ask('steady-state')).toEqual({ kind: 'yes' });
    expect(holders.size).toBe(0);
  });

  it('refuses when others hold every slot, with a 500 that means no', async () => {
    await serve(airlock(new Set([OTHER])));
    expect(await ask('pre-reboot')).toEqual({
      kind: 'no',
      text: 'HTTP 500: failed_lock: failed to lock semaphore: all 1 semaphore slots currently locked',
    });
    expect(await ask('steady-state')).toEqual({ kind: 'yes' });
  });

  it('leaves open who holds the slot when its store failed', async () => {
    await serve(always(500, {}, '{"kind":"failed_lock","value":"etcdserver: request timed out"}'));
    expect(await ask('pre-reboot')).toMatchObject({ kind: 'failed', failure: { class: 'unknown' } });
  });

  it('refuses groups that it does not know', async () => {
    await serve(airlock(new Set()));
    expect(await ask('pre-reboot', { group: 'other' })).toEqual({
      kind: 'no',
      text: 'HTTP 400: unknown_group: unknown group: other',
    });
  });

  it('leaves it open what happened when its store is in trouble', async () => {
    await serve(always(500, {}, '{"kind":"failed_sem_init","value":"context deadline exceeded"}'));
    expect(await ask('pre-reboot')).toEqual({
      kind: 'failed',
      failure: { class: 'unknown', text: 'HTTP 500: failed_sem_init: context deadline exceeded' },
    });
  });
});

describe('poseidon/fleetlock', () => {
  it('grants and takes back, with a text as its answer', async () => {
    await serve(poseidon(new Map()));
    expect(await ask('pre-reboot')).toEqual({ kind: 'yes' });
    expect(await ask('steady-state')).toEqual({ kind: 'yes' });
  });

  it('refuses when another node holds the slot', async () => {
    await serve(poseidon(new Map([['workers', OTHER]])));
    expect(await ask('pre-reboot')).toEqual({
      kind: 'no',
      text: 'HTTP 423: lock_held: Reboot lease unavailable, held by another node',
    });
  });

  it('says "held" to a steady node while another one holds the slot: nothing is held by us', async () => {
    const holders = new Map([['workers', OTHER]]);
    await serve(poseidon(holders));
    expect(await ask('steady-state')).toEqual({ kind: 'yes' });
    expect(holders.get('workers')).toBe(OTHER);
  });

  it('is taken at its word only where it says so', async () => {
    await serve(always(423, {}, '{"kind":"frozen","value":"x"}'));
    expect(await ask('steady-state')).toMatchObject({ kind: 'no' });
  });
});

describe('answers of other servers', () => {
  it.each([201, 202, 203, 204, 206, 300, 304])('%s is no grant', async (status) => {
    await serve(always(status));
    expect(await ask('pre-reboot')).toEqual({
      kind: 'failed',
      failure: { class: 'unknown', text: `HTTP ${status}` },
    });
  });

  it.each([400, 401, 403, 404, 409, 423, 429])('%s is a refusal', async (status) => {
    await serve(always(status, {}, '{"kind":"slots_full","value":"2 of 2 slots are taken"}'));
    expect(await ask('pre-reboot')).toEqual({
      kind: 'no',
      text: `HTTP ${status}: slots_full: 2 of 2 slots are taken`,
    });
  });

  it.each([500, 502, 503, 504])('%s leaves it open whether it was carried out', async (status) => {
    await serve(always(status, {}, '<html>proxy error</html>'));
    expect(await ask('pre-reboot')).toMatchObject({ kind: 'failed', failure: { class: 'unknown' } });
  });

  it.each([
    ['90', 90_000],
    ['Thu, 23 Jul 2026 14:05:00 GMT', 300_000],
  ])('the time in Retry-After: %s is passed on', async (header, retryAfterMs) => {
    await serve(always(429, { 'retry-after': header }));
    const text = 'HTTP 429';
    expect(await ask('pre-reboot')).toEqual({ kind: 'failed', failure: { class: 'transient', text, retryAfterMs } });
    await server?.stop();
    await serve(always(503, { 'retry-after': header }));
    expect(await ask('pre-reboot')).toEqual({
      kind: 'failed',
      failure: { class: 'unknown', text: 'HTTP 503', retryAfterMs },
    });
  });
});

describe('a server that may wait', () => {
  const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
  };

  it.each([
    [0, undefined],
    [999, undefined],
    [1_000, 'wait=1'],
    [50_999, 'wait=50'],
  ])('is given %s ms as %s, for pre-reboot alone', async (waitMs, prefer) => {
    const { requests } = await serve(always(200));
    await ask('pre-reboot', {}, { waitMs });
    await ask('steady-state');
    expect(requests.map(({ headers }) => headers['prefer'])).toEqual([prefer, undefined]);
  });

  it('grants the slot the moment it is free', async () => {
    const fleet = waiting();
    await serve(fleet.answer);
    const answer = ask('pre-reboot', {}, { waitMs: 50_000 });
    await until(() => fleet.waiting.has('wait=50'));
    fleet.free();
    expect(await answer).toEqual({ kind: 'yes' });
  });

  it('refuses when the time is over, and says when to ask again', async () => {
    const fleet = waiting();
    await serve(fleet.answer);
    const answer = ask('pre-reboot', {}, { waitMs: 50_000 });
    await until(() => fleet.waiting.size === 1);
    fleet.expire();
    expect(await answer).toEqual({
      kind: 'no',
      text: 'HTTP 409: slots_full: 1 of 1 slots is taken',
      retryAfterMs: 1_000,
    });
  });

  it('has the time of the wait beside the time to answer', async () => {
    const fleet = waiting();
    await serve(fleet.answer);
    const clock = vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const answer = ask('pre-reboot', {}, { waitMs: 50_000, totalTimeoutMs: 20_000 });
    await until(() => fleet.waiting.size === 1);
    clock.advanceTimersByTime(69_999);
    expect(await Promise.race([answer, Promise.resolve('waiting')])).toBe('waiting');
    clock.advanceTimersByTime(1);
    expect(await answer).toMatchObject({ kind: 'failed', failure: { class: 'unknown' } });
  });

  it('sees the connection close when the question is given up', async () => {
    const fleet = waiting();
    const fake = await serve(fleet.answer);
    const stop = new AbortController();
    const answer = ask('pre-reboot', {}, { waitMs: 50_000, signal: stop.signal });
    await until(() => fleet.waiting.size === 1);
    stop.abort();
    expect(await answer).toMatchObject({
      kind: 'failed',
      failure: { class: 'unknown', text: expect.stringContaining('cancelled') as string },
    });
    await until(async () => fleet.waiting.size === 0 && (await fake.connections()) === 0);
  });

  it.each([airlock(new Set([OTHER])), poseidon(new Map([['workers', OTHER]]))])(
    'but does not know how answers at once, as stock servers do',
    async (stock) => {
      await serve(stock);
      expect(await ask('pre-reboot', {}, { waitMs: 50_000 })).toMatchObject({ kind: 'no' });
    },
  );
});

describe('redirects', () => {
  it.each([307, 308])('%s is followed, with the same question', async (status) => {
    const { requests } = await serve(({ url }, response) => {
      if (url.startsWith('/new')) response.end();
      else response.writeHead(status, { location: `/new${url}` }).end();
    });
    expect(await ask('pre-reboot')).toEqual({ kind: 'yes' });
    expect(requests[1]).toMatchObject({ method: 'POST', url: '/new/v1/pre-reboot', body: requests[0]?.body });
    expect(requests[1]?.headers['fleet-lock-protocol']).toBe('true');
  });

  it.each([301, 302, 303])('%s is not, since it would turn the question into another one', async (status) => {
    const { requests } = await serve(({ url }, response) => {
      if (url.startsWith('/new')) response.end('welcome');
      else response.writeHead(status, { location: `/new${url}` }).end();
    });
    expect(await ask('pre-reboot')).toMatchObject({ kind: 'failed', failure: { class: 'unknown' } });
    expect(requests).toHaveLength(1);
  });

  it('does not go round in circles', async () => {
    const { requests } = await serve(({ url }, response) => void response.writeHead(307, { location: url }).end());
    expect(await ask('pre-reboot')).toMatchObject({ kind: 'failed' });
    expect(requests.length).toBeLessThanOrEqual(4);
  });

  it('takes the credentials nowhere else', async () => {
    const elsewhere = await listen(always(200));
    const { host } = await serve((_, response) => {
      response.writeHead(307, { location: `http://${elsewhere.host}/v1/pre-reboot` }).end();
    });
    await ask('pre-reboot', { baseUrl: `http://node:secret@${host}/` });
    expect(elsewhere.requests).toHaveLength(1);
    expect(elsewhere.requests[0]?.headers).not.toHaveProperty('authorization');
    await elsewhere.stop();
  });
});

describe('when there is no answer', () => {
  it('nobody listening is a failure', async () => {
    const { host } = await serve(always(200));
    await server?.stop();
    server = null;
    const answer = await ask('pre-reboot', { baseUrl: `http://${host}/` });
    expect(answer).toMatchObject({ kind: 'failed', failure: { class: 'unknown' } });
    expect(JSON.stringify(answer)).toContain(host);
  });

  it('a connection that ends in the middle leaves it open what happened', async () => {
    await serve((_, response) => response.socket?.destroy());
    expect(await ask('pre-reboot')).toMatchObject({ kind: 'failed', failure: { class: 'unknown' } });
  });

  it('a server that never answers is given up after a minute', async () => {
    let reached = (): void => undefined;
    const asked = new Promise<void>((resolve) => (reached = resolve));
    await serve(() => reached());
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const answer = ask('pre-reboot');
    await asked;
    vi.advanceTimersByTime(59_999);
    expect(await Promise.race([answer, Promise.resolve('waiting')])).toBe('waiting');
    vi.advanceTimersByTime(1);
    expect(await answer).toEqual({
      kind: 'failed',
      failure: { class: 'unknown', text: `http://${server?.host ?? ''}: no complete answer within 60 s` },
    });
  });

  it('is given up when the agent stops', async () => {
    const stop = new AbortController();
    await serve(() => stop.abort());
    expect(await ask('pre-reboot', {}, { signal: stop.signal })).toMatchObject({
      kind: 'failed',
      failure: { class: 'unknown' },
    });
  });

  it('an answer without end is not read to its end', async () => {
    await serve((_, response) => {
      response.writeHead(200);
      const write = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16 * 1024)));
      };
      response.on('drain', write);
      write();
    });
    expect(await ask('pre-reboot')).toMatchObject({ kind: 'failed' });
  });

  it('an address that is no URL is a failure, not an exception', async () => {
    expect(await ask('steady-state', { baseUrl: 'no url' })).toEqual({
      kind: 'failed',
      failure: { class: 'transient', text: 'the address of the lock server is not a URL' },
    });
    expect(await ask('steady-state', { baseUrl: 'ftp://x/' })).toMatchObject({ kind: 'failed' });
  });
});

describe('secrets in the base URL', () => {
  const SECRETS = [
    'p@ss word',
    'p%40ss%20word',
    'tokenuser',
    '/hidden-path',
    Buffer.from('tokenuser:p@ss word').toString('base64'),
  ];
  const base = (host: string): string => `http://tokenuser:p%40ss%20word@${host}/hidden-path/`;

  it('are sent as Basic authorization, and not in the address', async () => {
    const { requests, host } = await serve(always(200));
    await ask('pre-reboot', { baseUrl: base(host) });
    expect(requests[0]?.headers.authorization).toBe(`Basic ${SECRETS[4] ?? ''}`);
    expect(requests[0]?.headers.host).toBe(host);
    expect(requests[0]?.url).toBe('/hidden-path/v1/pre-reboot');
  });

  /** Error pages as servers and proxies write them. */
  const echo = ({ method, url, headers }: Received): string =>
    `Cannot ${method} ${url}: ${headers.authorization ?? ''}, ${SECRETS.join(' ')}`;

  it.each([
    ['a refusal', 404, (request: Received) => echo(request)],
    ['a failure', 502, (request: Received) => echo(request)],
    ['a refusal in JSON', 401, (request: Received) => JSON.stringify({ kind: 'unauthorized', value: echo(request) })],
    ['a long page, cut off', 404, (request: Received) => 'x'.repeat(150) + echo(request)],
  ])('appear in no text: %s', async (_, status, page) => {
    const { host } = await serve((request, response) => void response.writeHead(status).end(page(request)));
    const answer = JSON.stringify(await ask('pre-reboot', { baseUrl: base(host) }));
    expect(answer).toContain(`HTTP ${status}`);
    for (const secret of SECRETS) expect(answer).not.toContain(secret);
    expect(answer).not.toMatch(/p@s|p%4|hidden|tokenu/);
  });

  it('appear in no text: no answer, malformed credentials', async () => {
    const { host } = await serve((_, response) => response.socket?.destroy());
    for (const baseUrl of [base(host), base(host).replace('p%40ss%20word', 'p%4ss')]) {
      const answer = JSON.stringify(await ask('pre-reboot', { baseUrl }));
      expect(answer).toMatch(/"kind":"failed"/);
      expect(answer).not.toMatch(/p@s|p%4|hidden|tokenu/);
    }
  });

  it('do not hide what a refusal is when they look like words of it', async () => {
    const { host } = await serve(
      always(500, {}, '{"kind":"failed_lock","value":"all 1 semaphore slots currently locked"}'),
    );
    expect(await ask('pre-reboot', { baseUrl: `http://kind:lock@${host}/` })).toMatchObject({ kind: 'no' });
  });
});
