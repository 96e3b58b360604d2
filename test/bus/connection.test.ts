import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BusClosedError, BusError, BusTimeoutError, type MethodCall } from '../../src/bus/api.ts';
import { encodeMessage, MESSAGE_TYPE } from '../../src/bus/codec.ts';
import type { Connection, ConnectionOptions } from '../../src/bus/connection.ts';
import { openConnection } from '../../src/bus/open.ts';
import { fakeServer, type FakeServer } from './fake-server.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const CALL: MethodCall = { path: '/', interface: 'a.b', member: 'M' };

let server: FakeServer;
const opened: Connection[] = [];

beforeEach(async () => {
  server = fakeServer();
  await server.listen();
});

afterEach(() => {
  for (const connection of opened.splice(0)) connection.close();
  server.stop();
});

async function open(options: ConnectionOptions = {}): Promise<Connection> {
  const connection = await openConnection(server.address, options);
  opened.push(connection);
  return connection;
}

/** Answers calls of member `Echo` with their body, `Fail` with an error, and says nothing to others. */
function echo(): void {
  server.onMessage = (message, client): void => {
    if (message.member === 'Echo') client.reply(message, message.signature, message.body());
    const error = { type: MESSAGE_TYPE.error, replySerial: message.serial, errorName: 'x.Y' };
    if (message.member === 'Fail') client.send({ ...error, signature: 's', body: ['why'] });
    if (message.member === 'FailBare') client.send({ ...error, signature: 'u', body: [1] });
  };
}

describe('connecting', () => {
  it('tries several addresses in order', async () => {
    const connection = await openConnection(`unix:path=/nonexistent/hp;${server.address}`);
    opened.push(connection);
    expect(server.clients).toHaveLength(1);
  });

  it('says which address cannot be reached', async () => {
    await expect(openConnection('unix:path=/nonexistent/hp')).rejects.toThrow(/ENOENT.*\/nonexistent\/hp/);
    await expect(openConnection('unix:path=/nonexistent/hp')).rejects.toThrow(BusClosedError);
  });

  it('does not wait for ever for a server that says nothing', async () => {
    server.greeting = null;
    await expect(open({ connectTimeoutMs: 30 })).rejects.toThrow(BusTimeoutError);
  });

  it.each([
    ['REJECTED EXTERNAL\r\n', 'found "REJECTED EXTERNAL"'],
    ['x'.repeat(10_000), 'longer than 4096'],
    ['OKAY\r\n', 'expected OK'],
  ])('gives up a server that answers %.20j', async (greeting, message) => {
    server.greeting = greeting;
    await expect(open()).rejects.toThrow(message);
  });

  it('takes an abstract socket only where Node can', async () => {
    const error = Number(process.versions.node.split('.')[0]) < 22 ? 'need Node 22' : 'ECONNREFUSED';
    await expect(openConnection('unix:abstract=hp-nobody-listens')).rejects.toThrow(error);
  });

  it('can be given up', async () => {
    server.greeting = null;
    const ending = new AbortController();
    const opening = open({ signal: ending.signal });
    ending.abort();
    await expect(opening).rejects.toThrow('closed while connecting');
    await expect(open({ signal: ending.signal })).rejects.toThrow('aborted');
  });
});

describe('a call', () => {
  it('resolves with the body of the answer', async () => {
    echo();
    const connection = await open();
    const body = await connection.call({ ...CALL, member: 'Echo', signature: 'st', body: ['x', 5n] });
    expect(body).toEqual(['x', 5n]);
  });

  it('rejects with the error of the answer', async () => {
    echo();
    const connection = await open();
    const failed = connection.call({ ...CALL, member: 'Fail' });
    await expect(failed).rejects.toThrow(BusError);
    await expect(failed).rejects.toMatchObject({ errorName: 'x.Y', message: 'why' });
    await expect(connection.call({ ...CALL, member: 'FailBare' })).rejects.toMatchObject({ message: '' });
  });

  it('times out, and a late answer does no harm', async () => {
    const connection = await open();
    const arrived = new Promise<void>((resolve) => (server.onMessage = (): void => resolve()));
    await expect(connection.call({ ...CALL, timeoutMs: 20 })).rejects.toThrow(BusTimeoutError);
    await arrived;
    server.clients[0]!.reply(server.received[0]!, 's', ['late']);
    echo();
    await expect(connection.call({ ...CALL, member: 'Echo' })).resolves.toEqual([]);
  });

  it('may wait for as long as can be said', async () => {
    echo();
    const connection = await open();
    await expect(connection.call({ ...CALL, member: 'Echo', timeoutMs: Infinity })).resolves.toEqual([]);
  });

  it('gets its own answer, whatever the order', async () => {
    const connection = await open();
    const calls = Array.from({ length: 50 }, (_, n) => connection.call({ ...CALL, signature: 'u', body: [n] }));
    server.onMessage = (_, client): void => {
      if (server.received.length < 50) return;
      for (const call of server.received.toReversed()) client.reply(call, 'u', call.body());
    };
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 50 }, (_, n) => [n]));
    expect(new Set(server.received.map(({ serial }) => serial)).size).toBe(50);
  });

  it('that cannot be encoded rejects and harms no other', async () => {
    echo();
    const connection = await open();
    await expect(connection.call({ ...CALL, signature: 's', body: [1] })).rejects.toThrow(TypeError);
    await expect(connection.call({ ...CALL, member: 'no-name' })).rejects.toThrow(TypeError);
    await expect(connection.call({ ...CALL, member: 'Echo' })).resolves.toEqual([]);
  });

  it('beyond what may wait to be sent is refused', async () => {
    const connection = await open({ maxQueuedBytes: 300_000 });
    server.clients[0]!.socket.pause();
    const call = { ...CALL, signature: 's', body: ['x'.repeat(100_000)], timeoutMs: 60_000 };
    const calls = Array.from({ length: 20 }, () => connection.call(call));
    const refused = calls.at(-1);
    await expect(refused).rejects.toMatchObject({ errorName: 'org.freedesktop.DBus.Error.LimitsExceeded' });
    connection.close();
    expect((await Promise.allSettled(calls)).every(({ status }) => status === 'rejected')).toBe(true);
  });

  it('leaves nothing behind, twenty thousand times', async () => {
    echo();
    const connection = await open();
    const round = async (): Promise<void> => {
      for (let i = 0; i < 100; i += 1)
        await Promise.all(
          Array.from({ length: 100 }, () => connection.call({ ...CALL, member: 'Echo', signature: 's', body: ['x'] })),
        );
      server.received.length = 0;
    };
    await round();
    collect();
    const before = process.memoryUsage().heapUsed;
    await round();
    collect();
    const grown = process.memoryUsage().heapUsed - before;
    // An entry kept for each call would be far above this.
    expect(grown).toBeLessThan(2_000_000);
  }, 60_000);
});

describe('the end', () => {
  it('comes once, rejects calls under way, and later ones', async () => {
    const connection = await open();
    const call = connection.call(CALL);
    call.catch(() => undefined);
    server.clients[0]!.socket.destroy();
    expect(await connection.closed).toBeInstanceOf(BusClosedError);
    await expect(call).rejects.toThrow(BusClosedError);
    await expect(connection.call(CALL)).rejects.toThrow(BusClosedError);
    connection.close();
    expect(await connection.closed).toBeInstanceOf(BusClosedError);
  });

  it('is without an error when it is ours, and what was sent goes out', async () => {
    const connection = await open();
    const arrived = new Promise<void>((resolve) => (server.onMessage = (): void => resolve()));
    connection.send({ type: MESSAGE_TYPE.signal, path: '/', interface: 'a.b', member: 'Last' });
    connection.close();
    connection.close();
    expect(await connection.closed).toBeNull();
    await arrived;
    expect(server.received[0]?.member).toBe('Last');
  });

  const header = encodeMessage({
    type: 4,
    serial: 1,
    path: '/',
    interface: 'a.b',
    member: 'S',
    signature: 'u',
    body: [1],
  });
  const wrongBoolean = Buffer.from(header);
  wrongBoolean[wrongBoolean.lastIndexOf('u')] = 'b'.charCodeAt(0);
  wrongBoolean[wrongBoolean.length - 4] = 7;

  it.each([
    ['garbage', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['another protocol version', Buffer.from('6c010002000000000100000000000000', 'hex')],
    ['a length beyond all bounds', Buffer.from('6c010001ffffffff0100000000000000', 'hex')],
    ['a message without its required fields', Buffer.from('6c040001000000000100000000000000', 'hex')],
    ['a body that is not as its signature says', wrongBoolean],
  ])('comes with %s', async (_, bytes) => {
    const connection = await open({ onSignal: (signal) => void signal.body() });
    server.clients[0]!.socket.write(bytes);
    expect(await connection.closed).toBeInstanceOf(BusClosedError);
  });

  it('comes with a message that is cut off', async () => {
    const connection = await open();
    server.clients[0]!.socket.end(header.subarray(0, header.length - 2));
    expect(await connection.closed).toBeInstanceOf(BusClosedError);
  });

  it('does not come with a message that is too long: that is passed over', async () => {
    echo();
    const problems: Error[] = [];
    const signals: string[] = [];
    const connection = await open({
      maxMessageBytes: 10_000,
      onError: (error) => problems.push(error),
      onSignal: (signal) => signals.push(String(signal.body()[0]).slice(0, 5)),
    });
    for (const text of ['first', 'x'.repeat(50_000), 'last']) server.clients[0]!.send({ signature: 's', body: [text] });
    await connection.call({ ...CALL, member: 'Echo' });
    expect(signals).toEqual(['first', 'last']);
    expect(problems.map(String)).toEqual([expect.stringContaining('passed over')]);
  });

  it('does not come with messages of types that are not known yet, or answers to nothing', async () => {
    echo();
    const connection = await open();
    server.clients[0]!.send({ type: 5 });
    server.clients[0]!.send({ type: MESSAGE_TYPE.reply, replySerial: 999 });
    await expect(connection.call({ ...CALL, member: 'Echo' })).resolves.toEqual([]);
  });
});

describe('a call from the other side', () => {
  const incoming = { type: MESSAGE_TYPE.call, path: '/', interface: 'a.b', member: 'M' };

  async function answerTo(options: ConnectionOptions): Promise<object> {
    await open(options);
    const answered = new Promise<void>((resolve) => (server.onMessage = (): void => resolve()));
    server.clients[0]!.send(incoming);
    await answered;
    const { body, ...header } = server.received[0]!;
    return { ...header, body: body() };
  }

  it('without a handler is answered with UnknownMethod', async () => {
    const errorName = 'org.freedesktop.DBus.Error.UnknownMethod';
    expect(await answerTo({})).toMatchObject({ type: MESSAGE_TYPE.error, errorName, replySerial: 1 });
  });

  it('gets the answer of the handler', async () => {
    const onCall = (): Promise<{ signature: string; body: unknown[] }> =>
      Promise.resolve({ signature: 's', body: ['x'] });
    expect(await answerTo({ onCall })).toMatchObject({ type: MESSAGE_TYPE.reply, replySerial: 1, body: ['x'] });
  });

  it('learns the name of a D-Bus error, and nothing of others', async () => {
    const refuse = (error: Error) => (): Promise<never> => Promise.reject(error);
    expect(await answerTo({ onCall: refuse(new BusError('a.b.No', 'never')) })).toMatchObject({
      errorName: 'a.b.No',
      body: ['never'],
    });
  });

  it.each([
    [
      'the handler throws',
      (): never => {
        throw new Error('secret /path/file.ts:1');
      },
    ],
    ['the handler answers badly', () => Promise.resolve({ signature: 's', body: [1] })],
    ['the error has no valid name', () => Promise.reject(new BusError('bad name', 'secret'))],
  ])('when %s', async (_, onCall) => {
    const problems: Error[] = [];
    const connection = await open({ onCall, onError: (error) => problems.push(error) });
    const answered = new Promise<void>((resolve) => (server.onMessage = (): void => resolve()));
    server.clients[0]!.send(incoming);
    await Promise.race([answered, connection.closed]);
    expect(server.received.map(({ errorName }) => errorName)).toEqual(['org.freedesktop.DBus.Error.Failed']);
    expect(server.received[0]?.body()).toEqual(['The method failed.']);
    expect(problems).toHaveLength(1);
  });

  it.each<[string, ConnectionOptions]>([
    ['an answer', { onCall: () => Promise.resolve({ signature: '', body: [] }) }],
    ['an error', {}],
  ])('that wants no answer does not get %s', async (_, options) => {
    await open(options);
    const answered = new Promise<void>((resolve) => (server.onMessage = (): void => resolve()));
    server.clients[0]!.send({ ...incoming, flags: 1 });
    server.clients[0]!.send(incoming);
    await answered;
    expect(server.received.map(({ replySerial }) => replySerial)).toEqual([2]);
  });
});
