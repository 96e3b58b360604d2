import { expect, describe, it } from 'vitest';
import { REFUSALS, type RefusalKind } from '../../../src/fleetlock/protocol.ts';
import { refuse } from '../../../src/manager/answer.ts';
import { done } from './fake-manager.ts';
import { BODY, type RawAnswer, requestText } from './raw-client.ts';
import { start, type StartOptions } from './start.ts';

async function ask(text: string, options: StartOptions = {}): Promise<RawAnswer> {
  const { client } = await start(options);
  const one = await client();
  one.send(text);
  return one.answer();
}

function kindOf(answer: RawAnswer): string {
  const { kind, value } = JSON.parse(answer.body) as { kind: string; value: string };
  expect(answer.headers['content-type']).toBe('application/json');
  expect(value).not.toBe('');
  return `${answer.status} ${kind}`;
}

describe('success', () => {
  it.each(['granted', 'confirmed'] as const)('%s is 200 with nothing in it', async (outcome) => {
    const { client, manager } = await start();
    manager.next = () => done(outcome);
    const one = await client();
    one.send(requestText('pre-reboot'));
    const answer = await one.answer();
    expect([answer.status, answer.body, answer.headers['content-length']]).toEqual([200, '', '0']);
    expect(answer.headers).not.toHaveProperty('preference-applied');
    expect(manager.calls).toEqual(['lock workers/node-1']);
  });

  it.each(['released', 'soaking', 'not-held'] as const)('%s is 200 with nothing in it', async (outcome) => {
    const { client, manager } = await start();
    manager.next = () => done(outcome);
    const one = await client();
    one.send(requestText('steady-state'));
    const answer = await one.answer();
    expect([answer.status, answer.body]).toEqual([200, '']);
    expect(manager.calls).toEqual(['unlock workers/node-1']);
  });

  it.each(['', 'application/json', 'text/plain', 'application/x-www-form-urlencoded', 'nonsense'])(
    'does not depend on the content type %j',
    async (type) => {
      expect((await ask(requestText('pre-reboot', { headers: { 'content-type': type } }))).status).toBe(200);
    },
  );

  it('does not depend on how the body is sent', async () => {
    const chunks = Array.from(BODY, (letter) => `1\r\n${letter}\r\n`).join('');
    const headers = { 'content-length': '', 'transfer-encoding': 'chunked' };
    expect((await ask(requestText('pre-reboot', { headers, body: `${chunks}0\r\n\r\n` }))).status).toBe(200);
  });

  it('does not depend on how the request is cut into packets', async () => {
    const { client } = await start();
    const one = await client();
    const sent = requestText('pre-reboot');
    for (const letter of sent) {
      one.send(letter);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await one.answer()).status).toBe(200);
  });

  it('is had with a query, and with a whole URL as to a proxy', async () => {
    const { client } = await start();
    const one = await client();
    for (const path of ['/v1/pre-reboot?x=/v1/y', 'http://lock.example/v1/pre-reboot', '/v1/pre-reboot?']) {
      one.send(requestText('pre-reboot').replace('/v1/pre-reboot', path));
      expect((await one.answer()).status).toBe(200);
    }
  });

  it('is had with HTTP/1.0, without a host, on a connection that then ends', async () => {
    const { client } = await start();
    const one = await client();
    one.send(requestText('pre-reboot', { headers: { host: '' } }).replace('HTTP/1.1', 'HTTP/1.0'));
    expect((await one.answer()).status).toBe(200);
    expect(await one.ended()).toBe('');
  });

  it('follows the invitation to send the body', async () => {
    const { client } = await start();
    const one = await client();
    const [head = '', body = ''] = requestText('pre-reboot', { headers: { expect: '100-continue' } }).split(
      /(?<=\r\n\r\n)/,
    );
    one.send(head);
    expect((await one.answer()).status).toBe(100);
    one.send(body);
    expect((await one.answer()).status).toBe(200);
  });
});

describe('refusals', () => {
  it.each(Object.keys(REFUSALS) as RefusalKind[])('%s has its status, never a 2xx or 3xx', async (kind) => {
    const { client, manager } = await start();
    manager.next = () => refuse(kind, `why “${kind}”`);
    const one = await client();
    one.send(requestText('pre-reboot'));
    const answer = await one.answer();
    expect(kindOf(answer)).toBe(`${REFUSALS[kind]} ${kind}`);
    expect(JSON.parse(answer.body)).toEqual({ kind, value: `why “${kind}”` });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.headers).not.toHaveProperty('retry-after');
  });

  it.each([
    [0, '0'],
    [1, '1'],
    [1000, '1'],
    [59_001, '60'],
  ])('after %i ms is Retry-After: %s', async (retryAfterMs, seconds) => {
    const { client, manager } = await start();
    manager.next = () => refuse('slots_full', 'all taken', retryAfterMs);
    const one = await client();
    one.send(requestText('pre-reboot'));
    expect((await one.answer()).headers['retry-after']).toBe(seconds);
  });

  it('of a manager that fails is 503, and tells the log why and the client nothing', async () => {
    const { client, manager, logged } = await start();
    manager.next = () => {
      throw new Error('a secret of the store');
    };
    const one = await client();
    one.send(requestText('steady-state'));
    const answer = await one.answer();
    expect(kindOf(answer)).toBe('503 store_unavailable');
    expect(answer.body).not.toContain('secret');
    expect(logged.join('')).toContain('a secret of the store');
  });

  it.each(['', 'false', 'TRUE', 'true, true', '1'])('a protocol header %j is missing_header', async (value) => {
    const answer = await ask(requestText('pre-reboot', { headers: { 'fleet-lock-protocol': value } }));
    expect(kindOf(answer)).toBe('400 missing_header');
  });

  it.each([
    ['nothing', ''],
    ['no JSON', 'id=1'],
    ['no UTF-8', '\xff'],
    ['no params', '{}'],
    ['no id', '{"client_params":{"group":"workers"}}'],
    ['an empty id', '{"client_params":{"id":"","group":"workers"}}'],
    ['a bad group', '{"client_params":{"id":"1","group":"a/b"}}'],
  ])('a body with %s is invalid_request', async (_, body) => {
    const { client, manager, counted } = await start();
    const one = await client();
    one.send(
      Buffer.from(requestText('pre-reboot', { headers: { 'content-length': String(body.length) }, body }), 'latin1'),
    );
    expect(kindOf(await one.answer())).toBe('400 invalid_request');
    expect(manager.calls).toEqual([]);
    expect(counted).toEqual(['pre-reboot', ' pre-reboot invalid_request']);
  });

  it('a request without Host is invalid', async () => {
    expect(kindOf(await ask(requestText('pre-reboot', { headers: { host: '' } })))).toBe('400 invalid_request');
  });

  it('an expectation that is not known is invalid', async () => {
    expect(kindOf(await ask(requestText('pre-reboot', { headers: { expect: 'wonders' } })))).toBe(
      '400 invalid_request',
    );
  });

  it.each(['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'])(
    '%s is not allowed, and told what is',
    async (method) => {
      const answer = await ask(requestText('pre-reboot').replace('POST', method));
      expect(kindOf(answer)).toBe('405 method_not_allowed');
      expect(answer.headers['allow']).toBe('POST');
    },
  );

  it('HEAD is not allowed, without a body', async () => {
    const { client } = await start();
    const one = await client();
    one.send('HEAD /v1/pre-reboot HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    const answer = await one.answer({ bodiless: true });
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST']);
    expect(await one.ended()).toBe('');
  });

  it('CONNECT is not allowed, and ends the connection', async () => {
    const { client } = await start();
    const one = await client();
    one.send('CONNECT other.example:443 HTTP/1.1\r\nhost: other.example:443\r\n\r\n');
    expect(kindOf(await one.answer())).toBe('405 method_not_allowed');
    expect(await one.ended()).toBe('');
  });

  it('an upgrade is not made', async () => {
    const headers = { connection: 'upgrade', upgrade: 'websocket' };
    expect((await ask(requestText('pre-reboot', { headers }))).status).toBe(200);
  });

  it.each([
    '/',
    '/v1',
    '/v1/pre-reboot/',
    '//v1/pre-reboot',
    '/V1/pre-reboot',
    '/v1/%70re-reboot',
    '/metrics',
    '/v1/admin',
    '*',
  ])('%s is not found', async (path) => {
    expect(kindOf(await ask(requestText('pre-reboot').replace('/v1/pre-reboot', path)))).toBe('404 not_found');
  });

  it('leave the connection usable', async () => {
    const { client } = await start();
    const one = await client();
    one.send(requestText('nothing'));
    one.send(requestText('pre-reboot', { headers: { 'fleet-lock-protocol': '' } }));
    one.send(requestText('pre-reboot', { body: '?' }));
    one.send(requestText('steady-state'));
    const statuses = [await one.answer(), await one.answer(), await one.answer(), await one.answer()];
    expect(statuses.map(({ status }) => status)).toEqual([404, 400, 400, 200]);
  });
});

describe('a base path', () => {
  it('stands before every path', async () => {
    const { client } = await start({ basePath: '/secret/lock' });
    const one = await client();
    one.send(requestText('pre-reboot', { base: '/secret/lock' }));
    one.send('GET /secret/lock/healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    one.send('GET /secret/lock/readyz HTTP/1.1\r\nhost: x\r\n\r\n');
    one.send(requestText('pre-reboot'));
    one.send('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    const answers = [
      await one.answer(),
      await one.answer(),
      await one.answer(),
      await one.answer(),
      await one.answer(),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 404, 404]);
  });
});

describe('probes', () => {
  it('say that it lives and whether it can decide', async () => {
    const { client, manager } = await start();
    const one = await client();
    const get = async (path: string): Promise<RawAnswer> => {
      one.send(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
      return one.answer();
    };
    expect(await get('/healthz')).toMatchObject({ status: 200, body: 'ok' });
    expect(await get('/readyz')).toMatchObject({ status: 200, body: 'ok' });
    manager.state.notReady = 'etcd does not answer';
    expect(await get('/healthz')).toMatchObject({ status: 200 });
    const answer = await get('/readyz');
    expect(kindOf(answer)).toBe('503 store_unavailable');
    expect(answer.body).toContain('etcd does not answer');
    one.send(requestText('x').replace('/v1/x', '/readyz'));
    const refused = await one.answer();
    expect([kindOf(refused), refused.headers['allow']]).toEqual(['405 method_not_allowed', 'GET, HEAD']);
  });
});

describe('what is counted', () => {
  it('is what arrives, and what is refused before the manager sees it', async () => {
    const { client, counted } = await start();
    const one = await client();
    one.send(requestText('pre-reboot'));
    one.send(requestText('steady-state', { headers: { 'fleet-lock-protocol': '' } }));
    one.send(requestText('elsewhere'));
    for (let i = 0; i < 3; i += 1) await one.answer();
    expect(counted).toEqual(['pre-reboot', 'steady-state', ' steady-state missing_header']);
  });
});
