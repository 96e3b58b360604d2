import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BusClosedError, BusTimeoutError, type Signal } from '../../src/bus/api.ts';
import { connectPeer } from '../../src/bus/peer.ts';
import { fakeServer, type FakeServer } from './fake-server.ts';

let server: FakeServer;

beforeEach(() => {
  server = fakeServer();
});

afterEach(() => server.stop());

describe('connectPeer', () => {
  it('waits for a peer that does not listen yet', async () => {
    const connecting = connectPeer(server.address);
    // Several tries: connecting to a socket that is not there fails at once.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await server.listen();
    const peer = await connecting;
    peer.close();
    expect(await peer.closed).toBeNull();
  });

  it('gives up in the end', async () => {
    await expect(connectPeer(server.address, { retryMs: 30 })).rejects.toThrow(BusClosedError);
  });

  it('does not try again where that would not help', async () => {
    await server.listen();
    server.greeting = 'REJECTED\r\n';
    await expect(connectPeer(server.address)).rejects.toThrow('REJECTED');
    server.greeting = null;
    await expect(connectPeer(server.address, { timeoutMs: 20 })).rejects.toThrow(BusTimeoutError);
    await vi.waitFor(() => expect(server.clients).toHaveLength(2));
  });
});

describe('a peer', () => {
  it('delivers signals in order to every handler, also ahead of the answer to Start', async () => {
    await server.listen();
    server.onMessage = (call, client): void => {
      for (let n = 0; n < 100; n += 1)
        client.send({ sender: 'some.body', member: 'PercentProgress', signature: 'su', body: ['x', n] });
      client.reply(call, 'b', [true]);
    };
    const peer = await connectPeer(server.address);
    const [first, second]: [Signal[], Signal[]] = [[], []];
    peer.onSignal((signal) => first.push(signal));
    const stop = peer.onSignal((signal) => {
      second.push(signal);
      if (second.length === 10) stop();
    });
    expect(await peer.call({ path: '/', interface: 'a.b', member: 'Start' })).toEqual([true]);
    expect(first.map(({ body }) => body[1])).toEqual(Array.from({ length: 100 }, (_, n) => n));
    expect(first[0]).toEqual({
      sender: undefined,
      path: '/',
      interface: 'a.b',
      member: 'PercentProgress',
      signature: 'su',
      body: ['x', 0],
    });
    expect(second).toHaveLength(10);
    peer.close();
  });

  it('outlives a handler that throws', async () => {
    await server.listen();
    server.onMessage = (call, client): void => {
      client.send({});
      client.reply(call);
    };
    const problems: Error[] = [];
    const peer = await connectPeer(server.address, { onError: (error) => problems.push(error) });
    const seen: string[] = [];
    peer.onSignal(() => {
      throw new Error('mine');
    });
    peer.onSignal(({ member }) => seen.push(member));
    await peer.call({ path: '/', interface: 'a.b', member: 'M' });
    expect([seen, problems.map(String)]).toEqual([['S'], ['Error: mine']]);
    peer.close();
  });

  it('ends once when the other side goes', async () => {
    await server.listen();
    const peer = await connectPeer(server.address);
    const call = peer.call({ path: '/', interface: 'a.b', member: 'M' });
    server.onMessage = (_, { socket }): void => void socket.destroy();
    await expect(call).rejects.toThrow(BusClosedError);
    expect(await peer.closed).toBeInstanceOf(BusClosedError);
  });
});
