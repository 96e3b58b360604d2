import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAdminHandler } from '../../../src/manager/admin/handler.ts';
import { openAdminSocket, openAdminTcp } from '../../../src/manager/admin/listen.ts';
import { STATUS } from '../../../src/manager/admin/wire.ts';
import { refuse } from '../../../src/manager/answer.ts';
import type { Manager } from '../../../src/manager/api.ts';
import { StoreError } from '../../../src/manager/store/store.ts';
import { type FakeManager, fakeManager, temporaryFolder } from '../../support/manager-fake.ts';
import { AT, fleet, group, holder, HOUR, MINUTE } from '../../support/manager-status.ts';

interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

type Ask = (method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Reply>;

function ask(where: { socketPath: string } | { port: number }): Ask {
  return (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const request: ClientRequest = httpRequest({ ...where, host: '127.0.0.1', method, path, headers, agent: false });
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const isJson = response.headers['content-type'] === 'application/json';
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: isJson ? (JSON.parse(text) as unknown) : text,
          });
        });
      });
      request.end(
        body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
      );
    });
}

async function start(manager: Manager): Promise<{ ask: Ask; path: string }> {
  const path = join(temporaryFolder(), 'admin.sock');
  const listener = await openAdminSocket(path, createAdminHandler(manager, { token: null, now: () => AT }));
  onTestFinished(() => listener.close(0));
  return { ask: ask({ socketPath: path }), path };
}

describe('orders', () => {
  test.each([
    ['lock', { group: 'g', id: 'a', by: 'me', reason: 'x' }, ['lock', 'g', 'a', 'me', 'x']],
    ['unlock', { group: 'g', id: 'a', by: 'me' }, ['unlock', 'g', 'a', false, 'me', '']],
    ['unlock', { group: 'g', id: 'a', by: 'me', reason: 'x', force: true }, ['unlock', 'g', 'a', true, 'me', 'x']],
    ['resize', { group: 'g', slots: 3, by: 'me', reason: '' }, ['resize', 'g', 3, 'me', '']],
    ['freeze', { group: null, by: 'me', reason: 'x' }, ['freeze', null, null, 'me', 'x']],
    [
      'freeze',
      { group: 'g', until: '2026-07-23T15:00:00Z', by: 'me', reason: 'x' },
      ['freeze', 'g', AT + HOUR, 'me', 'x'],
    ],
    ['thaw', { group: 'g', by: 'me' }, ['thaw', 'g', 'me', '']],
  ])('%s %j', async (operation, body, call) => {
    const manager = fakeManager();
    const { ask } = await start(manager);
    expect(await ask('POST', `/v1/${operation}`, body)).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: { ok: true, outcome: 'changed', text: 'it is done' },
    });
    expect(manager.calls).toEqual([call]);
  });

  test('a refusal is answered with its status', async () => {
    const manager = fakeManager();
    const { ask } = await start(manager);
    manager.answer = refuse('slots_full', '1 of 1 slots are taken', 59_001);
    expect(await ask('POST', '/v1/lock', { group: 'g', id: 'a', by: 'me' })).toMatchObject({
      status: 409,
      headers: { 'retry-after': '60' },
      body: { kind: 'slots_full', value: '1 of 1 slots are taken' },
    });
    manager.answer = refuse('store_unavailable', '');
    expect(await ask('POST', '/v1/lock', { group: 'g', id: 'a', by: 'me' })).toMatchObject({
      status: 503,
      body: { kind: 'store_unavailable', value: 'store_unavailable' },
    });
  });

  test.each([
    ['', 'the body is not JSON'],
    [Buffer.from([0x7b, 0xff, 0x7d]), 'the body is not UTF-8'],
    [{ group: 'g', id: 'a', by: 'me', resaon: 'x' }, 'resaon: not a field of lock, which has group, id, by, reason'],
    [{ group: 'g', id: 'a' }, 'by: expected a name of 1 to 128 characters in one line'],
  ])('%j is no order', async (body, value) => {
    const manager = fakeManager();
    const { ask } = await start(manager);
    expect(await ask('POST', '/v1/lock', body)).toMatchObject({
      status: 400,
      body: { kind: 'invalid_request', value },
    });
    expect(manager.calls).toEqual([]);
  });

  test('a body of more than 8 KiB is refused', async () => {
    const manager = fakeManager();
    const { ask } = await start(manager);
    const body = JSON.stringify({ group: 'g', id: 'a', by: 'me', reason: 'x' });
    const kind = async (size: number): Promise<unknown> => (await ask('POST', '/v1/lock', body.padEnd(size))).status;
    expect([await kind(8192), await kind(8193), await kind(100_000)]).toEqual([200, 413, 413]);
    expect(manager.calls).toHaveLength(1);
  });

  test('a client that goes away in the middle of an order changes nothing', async () => {
    const manager = fakeManager();
    const { ask, path } = await start(manager);
    await new Promise<void>((resolve) => {
      const socket = connect(path, () => {
        socket.write('POST /v1/lock HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"group":"g"', () =>
          socket.destroy(),
        );
      });
      socket.on('close', () => resolve());
    });
    expect(await ask('GET', '/healthz')).toMatchObject({ status: 200 });
    expect(manager.calls).toEqual([]);
  });
});

describe('questions', () => {
  test('the status', async () => {
    const status = fleet([group('g', { holders: [holder('a', MINUTE)] })]);
    const { ask } = await start(fakeManager({ status: () => Promise.resolve(status) }));
    const { status: code, body } = await ask('GET', '/v1/status');
    expect(code).toBe(200);
    expect(body).toMatchObject({ groups: [{ holders: [{ since: '2026-07-23T13:59:00.000Z' }] }] });
    expect(STATUS.read(body, '')).toEqual(status);
  });

  test('the history', async () => {
    const manager = fakeManager();
    manager.records = [{ number: 7, at: AT, action: 'granted', group: 'g', id: 'a', by: 'node', reason: '' }];
    const { ask } = await start(manager);
    expect(await ask('GET', '/v1/history?group=g&id=a%20b&most=5')).toMatchObject({
      status: 200,
      body: { records: [{ number: 7, at: '2026-07-23T14:00:00.000Z', action: 'granted', group: 'g', id: 'a' }] },
    });
    await ask('GET', '/v1/history');
    expect(manager.calls).toEqual([
      ['history', { group: 'g', id: 'a b', most: 5 }],
      ['history', { most: 100 }],
    ]);
    expect(await ask('GET', '/v1/history?most=x')).toMatchObject({
      status: 400,
      body: { kind: 'invalid_request', value: 'most: expected a whole number, 1 to 10000' },
    });
  });

  test('the probes', async () => {
    let problem: string | null = null;
    const { ask } = await start(fakeManager({ readiness: () => Promise.resolve(problem) }));
    expect(await ask('GET', '/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await ask('GET', '/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
    problem = 'the disk is full';
    expect(await ask('GET', '/readyz')).toMatchObject({
      status: 503,
      body: { kind: 'store_unavailable', value: problem },
    });
    expect(await ask('HEAD', '/healthz')).toMatchObject({ status: 200, body: '' });
  });

  test('a store that does not answer, and a fault of our own', async () => {
    const broken = new StoreError('unavailable', 'etcd does not answer');
    const { ask } = await start(
      fakeManager({ status: () => Promise.reject(broken), history: () => Promise.reject(new TypeError('a bug')) }),
    );
    expect(await ask('GET', '/v1/status')).toMatchObject({
      status: 503,
      body: { kind: 'store_unavailable', value: 'etcd does not answer' },
    });
    expect(await ask('GET', '/v1/history')).toMatchObject({
      status: 500,
      body: { kind: 'internal_error', value: 'a bug' },
    });
  });

  test.each([
    ['GET', '/', 404, 'not_found'],
    ['GET', '/v2/status', 404, 'not_found'],
    ['GET', '/v1/status/', 404, 'not_found'],
    ['POST', '/v1/pre-reboot', 404, 'not_found'],
    ['POST', '/v1/status', 405, 'method_not_allowed'],
    ['GET', '/v1/lock', 405, 'method_not_allowed'],
    ['DELETE', '/v1/lock', 405, 'method_not_allowed'],
  ])('%s %s is answered %d', async (method, path, status, kind) => {
    const { ask } = await start(fakeManager());
    const { body, ...reply } = await ask(method, path);
    expect(reply).toMatchObject({ status });
    expect(body).toMatchObject({ kind, value: expect.any(String) as string });
  });
});

describe('over TCP', () => {
  async function startTcp(tokens: () => string): Promise<{ ask: Ask; manager: FakeManager }> {
    const manager = fakeManager();
    const listener = await openAdminTcp({ address: '127.0.0.1', port: 0 }, manager, tokens);
    onTestFinished(() => listener.close(0));
    return { ask: ask({ port: listener.port }), manager };
  }

  test.each([
    [undefined, 401],
    ['', 401],
    ['Bearer', 401],
    ['Bearer ', 401],
    ['Bearer wrong', 401],
    ['Bearer one two', 401],
    ['Bearer #comment', 401],
    ['Basic b25lOm9uZQ==', 401],
    ['one', 401],
    ['Bearer one', 200],
    ['bearer two', 200],
  ])('%j gets %d', async (authorization, status) => {
    const { ask, manager } = await startTcp(() => 'one\n\n#comment\n  two  \n');
    const headers = authorization === undefined ? {} : { authorization };
    const order = { group: 'g', id: 'a', by: 'me' };
    expect((await ask('POST', '/v1/lock', order, headers)).status).toBe(status);
    expect((await ask('GET', '/healthz', undefined, headers)).status).toBe(status);
    expect((await ask('GET', '/nothing', undefined, headers)).status).toBe(status === 200 ? 404 : 401);
    expect(manager.calls).toHaveLength(status === 200 ? 1 : 0);
  });

  test('a changed token is in force at once, and an empty file lets nobody in', async () => {
    let tokens = 'old';
    const { ask } = await startTcp(() => tokens);
    const status = async (token: string): Promise<number> =>
      (await ask('GET', '/v1/status', undefined, { authorization: `Bearer ${token}` })).status;
    expect(await status('old')).toBe(200);
    tokens = 'new';
    expect([await status('old'), await status('new')]).toEqual([401, 200]);
    tokens = '\n';
    expect([await status('new'), await status('')]).toEqual([401, 401]);
  });

  test('a file that cannot be read lets nobody in', async () => {
    const { ask, manager } = await startTcp(() => {
      throw new Error('no such file');
    });
    const order = { group: 'g', id: 'a', by: 'me' };
    expect(await ask('POST', '/v1/lock', order, { authorization: 'Bearer x' })).toMatchObject({ status: 500 });
    expect(manager.calls).toEqual([]);
  });

  test('a port in use is said so', async () => {
    const manager = fakeManager();
    const first = await openAdminTcp({ address: '127.0.0.1', port: 0 }, manager, () => 'x');
    onTestFinished(() => first.close(0));
    await expect(openAdminTcp({ address: '127.0.0.1', port: first.port }, manager, () => 'x')).rejects.toThrow(
      `port ${first.port} of 127.0.0.1 cannot be opened (admin.address, admin.port): `,
    );
  });
});
