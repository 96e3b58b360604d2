import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { type Refusal, refuse } from '../answer.ts';
import { Connections } from './connections.ts';
import { Exchange } from './exchange.ts';
import type { Limits } from './limits.ts';
import { writeRaw } from './raw.ts';

/** Answers a request, at once or later. */
export type Handler = (exchange: Exchange) => void;

/** A server that does not listen yet, and its connections. */
export interface LimitedServer {
  readonly server: Server | TlsServer;
  readonly connections: Connections;
}

const SHORTEST_CHECK_MS = 50;
const LONGEST_CHECK_MS = 1000;

/**
 * Makes a server that keeps to its limits. Whatever it cannot make sense of is refused in the form of FleetLock where
 * that is possible, and the connection ended. `tls` null: plain HTTP. With a `ca` in it, client certificates are demanded.
 */
export function createLimitedServer(handler: Handler, limits: Limits, tls: SecureContextOptions | null): LimitedServer {
  const connections = new Connections(limits);
  const options = serverOptions(limits);
  const server =
    tls === null
      ? createServer(options)
      : createTlsServer({
          ...options,
          ...tls,
          handshakeTimeout: limits.headTimeoutMs,
          requestCert: tls.ca !== undefined,
          rejectUnauthorized: true,
        });
  server.maxConnections = limits.maxConnections;
  server.timeout = limits.silenceMs;
  server.on('connection', (socket: Socket) => connections.open(socket, tls !== null));
  server.on('secureConnection', (socket: Socket) => connections.secured(socket));
  server.on('request', (request, response) => receive(request, response, connections, limits, handler));
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const refusal = refuse('invalid_request', 'the header Expect asks for something that is not known here');
    receive(request, response, connections, limits, (exchange) => exchange.refuse(refusal));
  });
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => undefined);
    writeRaw(socket, refuse('method_not_allowed', 'this is no proxy'), ['Allow: GET, POST']);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const connection = connections.of(socket);
    // A handshake that failed, or a connection that is gone: there is nobody to answer to.
    if (connection === undefined || !socket.writable || error.code === 'ECONNRESET') socket.destroy();
    else connection.spoil(refusalOf(error, limits));
  });
  return { server, connections };
}

function serverOptions(limits: Limits): ServerOptions {
  const { requestTimeoutMs, headTimeoutMs, keepAliveMs, maxHeadBytes } = limits;
  return {
    requestTimeout: requestTimeoutMs,
    headersTimeout: headTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: Math.min(LONGEST_CHECK_MS, Math.max(SHORTEST_CHECK_MS, headTimeoutMs / 4)),
    maxHeaderSize: maxHeadBytes,
    // Node would refuse without a body.
    requireHostHeader: false,
    noDelay: true,
  };
}

function receive(
  request: IncomingMessage,
  response: ServerResponse,
  connections: Connections,
  limits: Limits,
  handler: Handler,
): void {
  const connection = connections.of(request.socket);
  if (connection === undefined) {
    request.socket.destroy();
    return;
  }
  const exchange = new Exchange(request, response, connection, connections, limits.maxBodyBytes);
  if (!connections.begin(connection, exchange)) return;
  if (request.headers.host === undefined && request.httpVersion === '1.1') {
    exchange.refuse(refuse('invalid_request', 'the header Host is missing'));
  } else handler(exchange);
}

function refusalOf({ code }: NodeJS.ErrnoException, limits: Limits): Refusal {
  switch (code ?? '') {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refuse('request_timeout', `no whole request arrived within ${limits.requestTimeoutMs / 1000} s`);
    case 'HPE_HEADER_OVERFLOW':
      return refuse('request_too_large', `the head of the request is larger than ${limits.maxHeadBytes} bytes`);
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return refuse('request_too_large', 'the chunk extensions of the request are too large');
    default:
      return refuse('invalid_request', 'this is no HTTP request');
  }
}
