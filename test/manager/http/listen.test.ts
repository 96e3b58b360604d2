import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { listen, type ListenOptions, listenProblem } from '../../../src/manager/http/listen.ts';
import { limitsOf } from '../../../src/manager/http/limits.ts';
import { createLog } from '../../../src/base/log.ts';
import { done } from './fake-manager.ts';
import { requestText } from './raw-client.ts';
import { start } from './start.ts';

const options: ListenOptions = {
  section: 'service',
  address: '127.0.0.1',
  port: 0,
  tls: null,
  limits: limitsOf({ maxConnections: 16, requestTimeoutMs: 1000, maxWaitMs: 0 }),
  handler: () => undefined,
  log: createLog({ format: 'text', level: 'error', journald: true, write: () => undefined }),
};

describe('an address that cannot be listened on', () => {
  it('is told when the port is taken', async () => {
    const { port } = await start();
    await expect(listen({ ...options, port })).rejects.toThrow(
      `port ${port} of 127.0.0.1 is in use by another program (service.port)`,
    );
  });

  it('is told when the host does not have it', async () => {
    await expect(listen({ ...options, section: 'status', address: '192.0.2.1' })).rejects.toThrow(
      'this host does not have the address 192.0.2.1 (status.address)',
    );
  });

  it.each([
    ['EACCES', 'port 80 of 0.0.0.0 may not be used by this user (service.port)'],
    ['EAFNOSUPPORT', '0.0.0.0 is no address that can be listened on (service.address)'],
    ['EMFILE', 'port 80 of 0.0.0.0 cannot be listened on: no more (service.address, service.port)'],
  ])('is told after %s', (code, text) => {
    expect(listenProblem(Object.assign(new Error('no more'), { code }), 'service', '0.0.0.0', 80)).toBe(text);
  });
});

it('may be given by name', async () => {
  const listener = await listen({ ...options, address: 'localhost' });
  const socket = connect(listener.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
  await listener.close(0);
});

it('that is no name of this host is told', async () => {
  await expect(listen({ ...options, address: 'no-such-host.invalid' })).rejects.toThrow(
    'no-such-host.invalid is no address that can be listened on (service.address)',
  );
});

describe('closing', () => {
  it('answers those who wait, then ends their connections', async () => {
    const { manager, listener, client } = await start();
    manager.next = () => null;
    const one = await client();
    one.send(requestText('pre-reboot', { headers: { prefer: 'wait=50' } }));
    await manager.waiting(1);
    const closed = listener.close(60_000, () => manager.drain());
    const answer = await one.answer();
    expect([answer.status, answer.headers['retry-after'], answer.headers['connection']]).toEqual([503, '2', 'close']);
    expect(await one.ended()).toBe('');
    await closed;
  });

  it('takes no more connections, and ends those that are not in use at once', async () => {
    const { manager, listener, client } = await start();
    manager.next = () => null;
    const busy = await client();
    busy.send(requestText('steady-state'));
    await manager.waiting(1);
    const unused = await client();
    const idle = await client();
    idle.send(requestText('nothing'));
    await idle.answer();
    while (listener.connections < 3) await new Promise((resolve) => setImmediate(resolve));
    const closed = listener.close(60_000);
    expect(await unused.ended()).toBe('');
    expect(await idle.ended()).toBe('');
    await expect(client()).rejects.toThrow(/ECONNREFUSED/);
    manager.pending[0]!.answer(done('released'));
    expect(await busy.answer()).toMatchObject({ status: 200, headers: { connection: 'close' } });
    await closed;
  });

  it('still reads a request that is on its way', async () => {
    const { listener, client, manager } = await start();
    const one = await client();
    const sent = requestText('steady-state');
    const other = await client();
    one.send(sent.slice(0, -5));
    other.send(requestText('nothing'));
    await other.answer();
    const closed = listener.close(60_000, () => manager.drain());
    await manager.called('drain');
    one.send(sent.slice(-5));
    expect((await one.answer()).status).toBe(200);
    await closed;
  });

  it('cuts what is not over in time, even when draining does not end', async () => {
    const { listener, client, manager } = await start();
    manager.next = () => null;
    const one = await client();
    one.send(requestText('steady-state'));
    await manager.waiting(1);
    await listener.close(50, () => new Promise(() => undefined));
    expect(await one.ended()).toBe('');
  });

  it('is not hindered by a drain that fails', async () => {
    const { listener } = await start();
    await listener.close(60_000, () => Promise.reject(new Error('the store is gone')));
    await listener.close(60_000);
  });
});
