import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { done } from './fake-manager.ts';
import { occupy } from './occupy.ts';
import { type RawAnswer, rawClient, type RawClient, requestText } from './raw-client.ts';
import { start } from './start.ts';

function kindOf(answer: RawAnswer): string {
  return `${answer.status} ${(JSON.parse(answer.body) as { kind: string }).kind}`;
}

const CHUNKED = requestText('pre-reboot', {
  headers: { 'content-length': '', 'transfer-encoding': 'chunked' },
  body: '',
});
/** Slowness is shown by a limit that is soon over. */
const HASTY = { headTimeoutMs: 200, requestTimeoutMs: 300 };

describe('a slow client', () => {
  it.each([
    ['that sends nothing', ''],
    ['with half a head', 'POST /v1/pre-reboot HTTP/1.1\r\nhost: x\r\n'],
    ['with half a body', requestText('pre-reboot').slice(0, -5)],
    ['with half a chunked body', `${CHUNKED}5\r\n{"cli\r\n`],
  ])('%s is told so, and its connection ended', async (_, sent) => {
    const { client, manager } = await start({ limits: HASTY });
    const one = await client();
    one.send(sent);
    const answer = await one.answer();
    expect(kindOf(answer)).toBe('408 request_timeout');
    expect(answer.headers['connection']).toBe('close');
    expect(await one.ended()).toBe('');
    expect(manager.calls).toEqual([]);
  });

  it('that drips its head is no better off', async () => {
    const { client } = await start({ limits: HASTY });
    const one = await client();
    one.send('POST /v1/pre-reboot HTTP/1.1\r\nhost: x\r\n');
    const drip = setInterval(() => one.send('x-a: b\r\n'), 20);
    onTestFinished(() => clearInterval(drip));
    expect(kindOf(await one.answer())).toBe('408 request_timeout');
  });

  it('that keeps its connection for later loses it', async () => {
    const { client } = await start({ limits: { keepAliveMs: 50 } });
    const one = await client();
    one.send(requestText('pre-reboot'));
    expect((await one.answer()).headers['keep-alive']).toMatch(/^timeout=/);
    expect(await one.ended()).toBe('');
  });
});

describe('a large body', () => {
  const large = 'x'.repeat(8193);

  it('is refused by its stated length, before it arrives', async () => {
    const { client, manager, counted } = await start();
    const one = await client();
    one.send(requestText('pre-reboot', { headers: { 'content-length': '8193' }, body: '' }));
    const answer = await one.answer();
    expect(kindOf(answer)).toBe('413 request_too_large');
    expect(answer.headers['connection']).toBe('close');
    one.send(large);
    expect(await one.ended()).toBe('');
    expect(manager.calls).toEqual([]);
    expect(counted).toEqual(['pre-reboot', ' pre-reboot request_too_large']);
  });

  it('is refused as soon as its chunks are too many', async () => {
    const { client, counted } = await start();
    const one = await client();
    one.send(`${CHUNKED}2001\r\n${large}\r\n`);
    expect(kindOf(await one.answer())).toBe('413 request_too_large');
    one.send(`2001\r\n${large}\r\n0\r\n\r\n`);
    expect(await one.ended()).toBe('');
    expect(counted).toEqual(['pre-reboot', ' pre-reboot request_too_large']);
  });

  it('does not get in the way of its answer, though it is sent to its end', async () => {
    const { client } = await start();
    const one = await client();
    const body = 'x'.repeat(4_000_000);
    one.send(requestText('pre-reboot', { body }));
    expect(kindOf(await one.answer())).toBe('413 request_too_large');
    expect(await one.ended()).toBe('');
  });

  it('of the largest size is not too large', async () => {
    const { client } = await start();
    const one = await client();
    one.send(requestText('pre-reboot', { body: '{"client_params":{"id":"1","group":"a"}}'.padEnd(8192) }));
    expect((await one.answer()).status).toBe(200);
  });

  it.each(['pre-reboot', 'nothing'])('that never ends (%s) is answered, and not read for ever', async (operation) => {
    const { client } = await start();
    const one = await client();
    const endless = `${CHUNKED.replace('pre-reboot', operation)}2001\r\n${large}\r\n`;
    one.send(endless);
    const pour = (): void => {
      while (!one.socket.destroyed && one.socket.write(`2001\r\n${large}\r\n`));
    };
    one.socket.on('drain', pour);
    pour();
    expect(kindOf(await one.answer())).toBe(operation === 'nothing' ? '404 not_found' : '413 request_too_large');
    await one.ended();
  });
});

describe('garbage', () => {
  it.each([
    ['no HTTP', 'hello\r\n\r\n', '400 invalid_request'],
    ['a TLS handshake', Buffer.from('160301020001000', 'hex'), '400 invalid_request'],
    ['an unknown method', 'GRANT /v1/pre-reboot HTTP/1.1\r\n\r\n', '400 invalid_request'],
    ['two lengths', requestText('pre-reboot', { headers: { 'Content-length': '1' } }), '400 invalid_request'],
    [
      'length and chunks',
      requestText('pre-reboot', { headers: { 'transfer-encoding': 'chunked' } }),
      '400 invalid_request',
    ],
    ['a bad chunk', `${CHUNKED}zz\r\n`, '400 invalid_request'],
    [
      'a large head',
      requestText('pre-reboot', { headers: { 'x-large': 'x'.repeat(20_000) } }),
      '413 request_too_large',
    ],
    ['thousands of headers', `GET / HTTP/1.1\r\n${'abcdefgh: i\r\n'.repeat(5000)}\r\n`, '413 request_too_large'],
    ['a long path', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`, '413 request_too_large'],
    ['large chunk extensions', `${CHUNKED}1;${'x'.repeat(20_000)}\r\n{\r\n`, '413 request_too_large'],
  ])('of %s is refused in the form of FleetLock, and the connection ended', async (_, sent, expected) => {
    const { client, manager } = await start();
    const one = await client();
    one.send(sent);
    const answer = await one.answer();
    expect(kindOf(answer)).toBe(expected);
    expect(answer.headers['connection']).toBe('close');
    expect(answer.headers['content-type']).toBe('application/json');
    expect(await one.ended()).toBe('');
    expect(manager.calls).toEqual([]);
  });

  it('ends the connection although the client does not', async () => {
    const { port, listener } = await start();
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).resume();
    onTestFinished(() => void socket.destroy());
    socket.write('hello\r\n\r\n');
    socket.on('error', () => undefined);
    await once(socket, 'end');
    while (listener.connections > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('after good requests is refused after their answers', async () => {
    const { client, manager } = await start();
    manager.next = () => null;
    const one = await client();
    one.send(`${requestText('pre-reboot')}${requestText('steady-state')}%%% garbage\r\n\r\n`);
    await manager.waiting(2);
    one.send('more garbage\r\n\r\n');
    // The second is decided first; its answer has to wait for that to the first.
    manager.pending[1]!.answer(done('released'));
    manager.pending[0]!.answer(done('granted'));
    expect((await one.answer()).status).toBe(200);
    expect((await one.answer()).status).toBe(200);
    expect(kindOf(await one.answer())).toBe('400 invalid_request');
    expect(await one.ended()).toBe('');
  });

  it('in a body, after a good request, is refused after its answer', async () => {
    const { client, manager } = await start();
    manager.next = () => null;
    const one = await client();
    one.send(`${requestText('pre-reboot')}${CHUNKED}zz\r\n`);
    await manager.waiting(1);
    manager.pending[0]!.answer(done('granted'));
    expect((await one.answer()).status).toBe(200);
    expect(kindOf(await one.answer())).toBe('400 invalid_request');
    expect(await one.ended()).toBe('');
  });
});

describe('pipelined requests', () => {
  it('are answered in their order, whichever is decided first', async () => {
    const { client, manager } = await start();
    manager.next = () => null;
    const one = await client();
    const body = (id: number): string => `{"client_params":{"id":"${id}","group":"workers"}}`;
    one.send([1, 2, 3].map((id) => requestText('pre-reboot', { body: body(id) })).join(''));
    await manager.waiting(3);
    const outcomes = { '3': 'slots_full', '1': 'halted', '2': 'frozen' } as const;
    for (const id of ['3', '1', '2'] as const) {
      const entry = manager.pending.find(({ params }) => params.id === id)!;
      entry.answer({ ok: false, kind: outcomes[id], value: id, retryAfterMs: null });
    }
    const kinds = [kindOf(await one.answer()), kindOf(await one.answer()), kindOf(await one.answer())];
    expect(kinds).toEqual(['423 halted', '423 frozen', '409 slots_full']);
  });

  it('may not be any number', async () => {
    const { client, manager, listener } = await start();
    manager.next = () => null;
    const one = await client();
    one.send(requestText('pre-reboot').repeat(40));
    expect(await one.ended()).toBe('');
    expect(manager.pending.length).toBeLessThanOrEqual(32);
    for (const entry of [...manager.pending]) entry.answer(done('granted'));
    const other = await client();
    manager.next = () => done('granted');
    other.send(requestText('pre-reboot'));
    expect((await other.answer()).status).toBe(200);
    expect(listener.connections).toBe(1);
  });

  it('that went well do not count', async () => {
    const { client } = await start();
    const one = await client();
    for (let round = 0; round < 20; round += 1) {
      one.send(requestText('pre-reboot').repeat(16));
      for (let i = 0; i < 16; i += 1) expect((await one.answer()).status).toBe(200);
    }
  });
});

describe('very many connections', () => {
  const COUNT = process.env['HOLDPOINT_MANY'] === undefined ? 2000 : 10_000;

  it.each([
    ['that say nothing', ''],
    ['with half a head', 'POST /v1/pre-reboot HTTP/1.1\r\nhost: x\r\n'],
    ['with half a body', requestText('pre-reboot').slice(0, -5)],
    ['that were used and are kept', requestText('pre-reboot')],
  ])('%s keep nobody out', { timeout: 120_000 }, async (_, sent) => {
    const { port, client, listener } = await start({ limits: { maxConnections: 512, keepAliveMs: 60_000 } });
    await occupy(port, COUNT, sent);
    for (let i = 0; i < 20; i += 1) {
      const one = await client();
      one.send(requestText('pre-reboot'));
      expect((await one.answer()).status).toBe(200);
      one.close();
    }
    expect(listener.connections).toBeLessThanOrEqual(512);
  });

  it('that were cut are forgotten, with their requests', async () => {
    const { port, client } = await start({ limits: { maxConnections: 16 } });
    await occupy(port, 1200, requestText('pre-reboot').slice(0, -5));
    const one = await client();
    one.send(requestText('pre-reboot').repeat(2));
    expect([(await one.answer()).status, (await one.answer()).status]).toEqual([200, 200]);
  });

  it('that wait with consent leave some for others, who are answered at once', async () => {
    const { port, client, manager } = await start({ limits: { maxConnections: 64 } });
    manager.next = () => null;
    const waiting = requestText('pre-reboot', { headers: { prefer: 'wait=50' } });
    await occupy(port, 48, waiting);
    await manager.waiting(48);
    expect(manager.pending.every(({ options }) => options.waitMs === 50_000)).toBe(true);
    manager.next = () => done('granted');
    const one = await client();
    one.send(waiting);
    const answer = await one.answer();
    expect([answer.status, answer.headers['preference-applied']]).toEqual([200, undefined]);
    expect(manager.calls.at(-1)).toBe('lock workers/node-1');
  });

  it('on which we work are not cut; when there are only such, more are dropped', async () => {
    const { port, client, manager } = await start({ limits: { maxConnections: 16 } });
    manager.next = () => null;
    const clients: RawClient[] = [];
    for (let i = 1; i <= 16; i += 1) {
      const one = await client();
      one.send(requestText('pre-reboot'));
      await manager.waiting(i);
      clients.push(one);
    }
    const late = await rawClient(port).catch(() => null);
    expect((await late?.ended()) ?? '').toBe('');
    for (const entry of [...manager.pending]) entry.answer(done('granted'));
    for (const one of clients) expect((await one.answer()).status).toBe(200);
  });
});
