import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeMessage, encodeMessage, type Incoming, MESSAGE_TYPE, type Outgoing } from '../../src/bus/codec.ts';
import { Framer } from '../../src/bus/framing.ts';

/** One client of a fake server. */
export interface Client {
  readonly socket: Socket;
  send(message: Partial<Outgoing>): void;
  reply(call: Incoming, signature?: string, body?: readonly unknown[]): void;
}

/** A D-Bus server, no bus, whose behaviour the test decides. */
export interface FakeServer {
  readonly address: string;
  readonly path: string;
  /** What it does with messages; at first nothing. */
  onMessage: (message: Incoming, client: Client) => void;
  /** What it says during authentication; null is nothing at all. */
  greeting: string | null;
  readonly clients: Client[];
  /** Messages that arrived. */
  readonly received: Incoming[];
  listen(): Promise<void>;
  stop(): void;
}

/** A server that is not listening yet. Stop it when the test is over. */
export function fakeServer(): FakeServer {
  const folder = mkdtempSync(join(tmpdir(), 'hp-peer-'));
  const path = join(folder, 'socket');
  const fake: FakeServer = {
    address: `unix:path=${path}`,
    path,
    greeting: 'OK 0123456789abcdef\r\n',
    clients: [],
    received: [],
    onMessage: () => undefined,
    async listen(): Promise<void> {
      server.listen(path);
      await once(server, 'listening');
    },
    stop(): void {
      for (const { socket } of fake.clients) socket.destroy();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const server: Server = createServer((socket) => accept(fake, socket));
  return fake;
}

function accept(fake: FakeServer, socket: Socket): void {
  const framer = new Framer(2 ** 27, () => undefined);
  const client = connectedClient(socket);
  fake.clients.push(client);
  let opening = '';
  const onMessages = (chunk: Buffer): void => {
    for (const frame of framer.push(chunk)) {
      const message = decodeMessage(frame);
      fake.received.push(message);
      fake.onMessage(message, client);
    }
  };
  const onAuth = (chunk: Buffer): void => {
    const text = chunk.toString('latin1');
    if (opening === '' && fake.greeting !== null) socket.write(fake.greeting);
    opening += text;
    const begin = opening.indexOf('BEGIN\r\n');
    if (begin < 0) return;
    socket.off('data', onAuth).on('data', onMessages);
    const rest = Buffer.from(opening.slice(begin + 7), 'latin1');
    if (rest.length > 0) onMessages(rest);
  };
  socket.on('data', onAuth).on('error', () => undefined);
}

function connectedClient(socket: Socket): Client {
  let serial = 0;
  const client: Client = {
    socket,
    send(message): void {
      serial += 1;
      const signal = { type: MESSAGE_TYPE.signal, path: '/', interface: 'a.b', member: 'S' };
      socket.write(encodeMessage({ ...(message.type === undefined ? signal : {}), serial, type: 4, ...message }));
    },
    reply: (call, signature, body) =>
      client.send({ type: MESSAGE_TYPE.reply, replySerial: call.serial, signature, body }),
  };
  return client;
}
