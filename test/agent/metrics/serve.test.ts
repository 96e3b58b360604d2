import { once } from 'node:events';
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Socket, type Server, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Guests } from '../../../src/agent/metrics/guests.ts';
import { type Listener, listen } from '../../../src/agent/metrics/listen.ts';
import { type Serve, type Text, serveHttp, servePlain } from '../../../src/agent/metrics/serve.ts';

const TEXT = '# HELP x The only one.\n# TYPE x gauge\nx 1\n';
const GET = 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n';
const says: Text = () => Promise.resolve(TEXT);

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'hp-metrics-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

interface Opened {
  readonly path: string;
  readonly listener: Listener;
}

async function open(serve: Serve, guests?: Guests): Promise<Opened> {
  const path = join(folder(), 'x.sock');
  const listener = await listen({ path }, serve, guests);
  onTestFinished(() => listener.close());
  return { path, listener };
}

/** Somebody who connects; `heard` is all that he gets until the end. */
class Client {
  readonly socket: Socket;
  readonly heard: Promise<string>;

  constructor(path: string, says = '') {
    this.socket = connect({ path, allowHalfOpen: true });
    onTestFinished(() => void this.socket.destroy());
    let text = '';
    this.socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    // To be cut off is an end, too.
    this.heard = new Promise((resolve) => {
      this.socket.on('error', () => resolve(text)).on('end', () => resolve(text));
      this.socket.on('close', () => resolve(text));
    });
    if (says !== '') this.socket.write(says);
  }

  async here(): Promise<this> {
    if (this.socket.connecting) await once(this.socket, 'connect');
    return this;
  }
}

describe('HTTP', () => {
  test.each([
    ['GET /metrics', 'HTTP/1.1 200 OK'],
    ['GET /metrics?x=y', 'HTTP/1.1 200 OK'],
    ['GET /', 'HTTP/1.1 404 Not Found'],
    ['GET /metricsx', 'HTTP/1.1 404 Not Found'],
    ['POST /metrics', 'HTTP/1.1 405 Method Not Allowed'],
    ['DELETE /metrics', 'HTTP/1.1 405 Method Not Allowed'],
  ])('%s: %s', async (request, status) => {
    const { path } = await open(serveHttp(says));
    const heard = await new Client(path, `${request} HTTP/1.1\r\nhost: x\r\n\r\n`).heard;
    expect(heard.split('\r\n')[0]).toBe(status);
    expect(heard).toMatch(/\r\nconnection: close\r\n/i);
    expect(heard.endsWith(`\r\n\r\n${TEXT}`)).toBe(status.includes('200'));
  });

  test('HEAD gets the head alone', async () => {
    const { path } = await open(serveHttp(says));
    const heard = await new Client(path, 'HEAD /metrics HTTP/1.1\r\nhost: x\r\n\r\n').heard;
    expect(heard).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/);
  });

  test('a request in pieces is answered, and the one behind it is not', async () => {
    const { path } = await open(serveHttp(says));
    const client = await new Client(path).here();
    for (const part of ['GET /met', 'rics HTTP/1.1\r\nho', 'st: x\r\n', `\r\n${GET}`]) {
      client.socket.write(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.heard).split('HTTP/1.1 200 OK')).toHaveLength(2);
  });

  test.each([
    ['nonsense', 'nonsense\r\n\r\n'],
    ['a head without end', `GET /metrics HTTP/1.1\r\nx: ${'x'.repeat(20_000)}`],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000'],
  ])('%s is turned away', async (_, request) => {
    const { path } = await open(serveHttp(says));
    const heard = await new Client(path, request).heard;
    expect(heard === '' || / 4\d\d /.test(heard.split('\r\n')[0] ?? ''), heard).toBe(true);
    expect(await new Client(path, GET).heard).toContain(TEXT);
  });

  test('says so when the metrics cannot be made', async () => {
    const { path } = await open(serveHttp(() => Promise.reject(new Error('no'))));
    expect(await new Client(path, GET).heard).toMatch(/^HTTP\/1\.1 500 /);
  });
});

describe("zincati's form", () => {
  test('is the text and the end, whatever is sent', async () => {
    const { path } = await open(servePlain(says));
    expect(await new Client(path).heard).toBe(TEXT);
    expect(await new Client(path, GET).heard).toBe(TEXT);
  });

  test('reaches those who end first, as `socat -u` and `nc -N` do', async () => {
    const { path } = await open((socket) => {
      const ended = once(socket, 'end');
      servePlain(() => ended.then(() => TEXT))(socket);
    });
    const client = await new Client(path).here();
    client.socket.end();
    expect(await client.heard).toBe(TEXT);
  });

  test('is nothing when the metrics cannot be made', async () => {
    const { path } = await open(servePlain(() => Promise.reject(new Error('no'))));
    expect(await new Client(path).heard).toBe('');
  });
});

describe('who', () => {
  test.each([
    ['sends nothing', ''],
    ['sends half a request', 'GET /metrics HTTP/1.1\r\nhost:'],
  ])('%s is cut off', async (_, sent) => {
    const { path } = await open(serveHttp(says), new Guests(50));
    expect(await new Client(path, sent).heard).not.toContain('200');
  });

  test.each([
    ['HTTP', serveHttp],
    ['plain', servePlain],
  ])('does not read is cut off: %s', async (_, serve) => {
    const much = 'x'.repeat(8_000_000);
    const { path } = await open(
      serve(() => Promise.resolve(much)),
      new Guests(50),
    );
    const client = new Client(path, GET);
    client.socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 200));
    client.socket.resume();
    expect((await client.heard).length).toBeLessThan(much.length);
  });

  test('holds many connections open keeps nobody out', async () => {
    const { path } = await open(serveHttp(says), new Guests(3_600_000));
    const idlers = await Promise.all(Array.from({ length: 100 }, () => new Client(path, 'GET /').here()));
    expect(await new Client(path, GET).heard).toContain(TEXT);
    // The oldest had to go.
    expect(await idlers[0]?.heard).toBe('');
  });
});

test('for one connection more than 16 the oldest goes, and no other', () => {
  const guests = new Guests(3_600_000);
  const sockets = Array.from({ length: 17 }, () => new Socket());
  onTestFinished(() => guests.sendAway());
  const gone = (): number[] => sockets.flatMap(({ destroyed }, index) => (destroyed ? index : []));
  for (const socket of sockets.slice(0, 16)) guests.take(socket);
  expect(gone()).toEqual([]);
  guests.take(sockets[16]!);
  expect(gone()).toEqual([0]);
});

test.each([
  [7_000, '200 OK'],
  [9_000, '431 Request Header Fields Too Large'],
])('a head of some %i bytes: %s', async (bytes, status) => {
  const { path } = await open(serveHttp(says));
  const heard = await new Client(path, `GET /metrics HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(bytes)}\r\n\r\n`).heard;
  expect(heard.split('\r\n')[0]).toBe(`HTTP/1.1 ${status}`);
});

describe('a socket', () => {
  test('that was left behind is replaced', async () => {
    const path = join(folder(), 'x.sock');
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(path, resolve));
    // Its file stays when the process is killed; here it is put back under its name.
    linkSync(path, `${path}.kept`);
    await new Promise((resolve) => dead.close(resolve));
    linkSync(`${path}.kept`, path);
    const listener = await listen({ path }, servePlain(says));
    onTestFinished(() => listener.close());
    expect(await new Client(path).heard).toBe(TEXT);
  });

  test('that somebody listens on is not stolen', async () => {
    const { path } = await open(servePlain(() => Promise.resolve('first')));
    await expect(listen({ path }, servePlain(says))).rejects.toThrow(
      `no metrics on ${path}: another process listens there`,
    );
    expect(await new Client(path).heard).toBe('first');
  });

  test('is not made over a file, and not where its path is too long', async () => {
    const dir = folder();
    writeFileSync(join(dir, 'x.sock'), 'precious');
    await expect(listen({ path: join(dir, 'x.sock') }, servePlain(says))).rejects.toThrow('is no socket');
    const long = join(dir, 'x'.repeat(100));
    mkdirSync(long);
    await expect(listen({ path: join(long, 'x.sock') }, servePlain(says))).rejects.toThrow('longer than 107 bytes');
  });

  test('of TCP that is taken is said to be so', async () => {
    const other: Server = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(listen({ address: '127.0.0.1', port }, serveHttp(says))).rejects.toThrow(
      `no metrics on port ${port} of 127.0.0.1 (metrics.address, metrics.port): listen EADDRINUSE`,
    );
  });

  test('is gone when it is closed, with those who are connected', async () => {
    const { path, listener } = await open(serveHttp(says));
    const client = await new Client(path).here();
    expect(listener.isReachable()).toBe(true);
    await listener.close();
    expect(listener.isReachable()).toBe(false);
    expect(await client.heard).toBe('');
  });
});
