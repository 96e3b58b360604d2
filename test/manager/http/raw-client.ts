import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

/** An answer, as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** With names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A client that sends what it is told, however wrong. */
export interface RawClient {
  readonly socket: Socket;
  send(text: string | Buffer): void;
  /** The next answer. Rejects when the connection ends before. `bodiless`: to a HEAD request. */
  answer(options?: { readonly bodiless?: boolean }): Promise<RawAnswer>;
  /** Everything that came and is no part of an answer that was taken, once the server has ended the connection. */
  ended(): Promise<string>;
  close(): void;
}

/** Connects to the loopback address. */
export async function rawClient(port: number, tls: ConnectionOptions | null = null): Promise<RawClient> {
  const socket = tls === null ? connect(port, '127.0.0.1') : connectTls({ port, host: '127.0.0.1', ...tls });
  let text = '';
  let isOver = false;
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of waiting) look();
  };
  const over = (): void => {
    isOver = true;
    wake();
  };
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text += chunk;
    wake();
  });
  socket.on('end', over).on('close', over);
  await new Promise<void>((resolve, reject) => {
    socket.once(tls === null ? 'connect' : 'secureConnect', resolve).once('error', reject);
  });
  socket.on('error', () => undefined);
  const until = <T>(look: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const tryIt = (): void => {
        const found = look();
        if (found === undefined && !isOver) return;
        waiting.delete(tryIt);
        if (found === undefined) reject(new Error(`the connection ended after ${JSON.stringify(text)}`));
        else resolve(found);
      };
      waiting.add(tryIt);
      tryIt();
    });
  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    answer: ({ bodiless = false } = {}) =>
      until(() => {
        const parsed = parseAnswer(text, bodiless);
        if (parsed === null) return undefined;
        text = text.slice(parsed.length);
        return parsed.answer;
      }),
    ended: () => until(() => (isOver ? text : undefined)),
    close: () => void socket.destroy(),
  };
}

function parseAnswer(text: string, bodiless: boolean): { answer: RawAnswer; length: number } | null {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  const length = bodiless ? 0 : Number(headers['content-length'] ?? 0);
  if (text.length < end + 4 + length) return null;
  const body = Buffer.from(text.slice(end + 4, end + 4 + length), 'latin1').toString('utf8');
  return { answer: { status: Number(first.split(' ')[1]), headers, body }, length: end + 4 + length };
}

/** The text of a FleetLock request. Headers replace those of the same name; an empty one is left out. */
export function requestText(
  operation: string,
  options: { readonly body?: string; readonly headers?: Readonly<Record<string, string>>; readonly base?: string } = {},
): string {
  const { body = BODY, headers = {}, base = '' } = options;
  const all = {
    host: 'lock.example',
    'fleet-lock-protocol': 'true',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === '' ? [] : [`${name}: ${value}`]));
  return [`POST ${base}/v1/${operation} HTTP/1.1`, ...lines, '', body].join('\r\n');
}

/** The body that `requestText` sends unless told otherwise. */
export const BODY = '{"client_params":{"id":"node-1","group":"workers"}}';
