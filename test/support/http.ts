import {
  type IncomingMessage,
  type RequestListener,
  type Server,
  createServer,
  request as httpRequest,
} from 'node:http';
import { type AddressInfo, type Socket, connect, createServer as createTcpServer } from 'node:net';

/** A server on the loopback address for one test. */
export interface TestServer {
  readonly port: number;
  readonly url: URL;
  /** Connections that are open now. */
  readonly open: ReadonlySet<Socket>;
  /** Settles when the server has no connection left. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Serves HTTP. */
export async function serve(handler: RequestListener): Promise<TestServer> {
  return listen(createServer(handler));
}

/** Answers each connection with these bytes once it has sent something, and then ends it unless it is to stall. */
export async function serveBytes(bytes: string | Buffer, after: 'end' | 'stall' = 'end'): Promise<TestServer> {
  return listen(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write(bytes);
        if (after === 'end') socket.end();
      });
    }),
  );
}

/** What a proxy was asked for. */
export interface ProxyLog {
  readonly tunnels: string[];
  readonly forwarded: string[];
  readonly authorizations: (string | undefined)[];
}

/** A proxy that forwards plain HTTP and opens tunnels. */
export async function serveProxy(log: ProxyLog): Promise<TestServer> {
  const server = createServer((request, response) => {
    log.forwarded.push(request.url ?? '');
    log.authorizations.push(request.headers['proxy-authorization']);
    const onward = httpRequest(request.url ?? '', { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    log.tunnels.push(request.url ?? '');
    log.authorizations.push(request.headers['proxy-authorization']);
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const onward = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(client);
      client.pipe(onward);
    });
    onward.on('error', () => client.destroy());
    client.on('error', () => onward.destroy());
  });
  return listen(server);
}

interface Listening {
  on(event: 'connection', listener: (socket: Socket) => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
  listen(port: number, host: string, done: () => void): unknown;
  address: Server['address'];
  close(done: () => void): unknown;
}

async function listen(server: Listening): Promise<TestServer> {
  const open = new Set<Socket>();
  const waiting = new Set<() => void>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => {
      open.delete(socket);
      if (open.size > 0) return;
      for (const done of waiting) done();
      waiting.clear();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: new URL(`http://127.0.0.1:${port}/`),
    open,
    idle: () => (open.size === 0 ? Promise.resolve() : new Promise<void>((resolve) => void waiting.add(resolve))),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
