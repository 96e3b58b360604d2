import { createConnection, type Socket } from 'node:net';
import { parseAddress, type SocketAddress } from './address.ts';
import { BusClosedError, BusTimeoutError } from './api.ts';
import { Connection, type ConnectionOptions } from './connection.ts';

/** Milliseconds for connecting and authentication together, unless told otherwise. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Connects and authenticates; several addresses are tried in order. Rejects with `BusClosedError` or
 * `BusTimeoutError`; the `cause` is the socket's error.
 */
export async function openConnection(address: string, options: ConnectionOptions = {}): Promise<Connection> {
  const errors: unknown[] = [];
  for (const target of parseAddress(address)) {
    try {
      return await dial(target, options);
    } catch (error) {
      errors.push(error);
    }
  }
  throw errors.find((error) => socketErrorCode(error) !== 'ENOENT') ?? errors[0];
}

/** The code of the socket's error behind a failed connection, for example `ECONNREFUSED`. */
export function socketErrorCode(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

function dial(target: SocketAddress, options: ConnectionOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const ms = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    const connection = new Connection(connectSocket(target), options, () => {
      clearTimeout(timer);
      resolve(connection);
    });
    const timer = setTimeout(() => {
      connection.close(new BusTimeoutError(`${target.name}: no connection within ${ms} ms`));
    }, ms);
    void connection.closed.then((error) => {
      clearTimeout(timer);
      reject(error ?? new BusClosedError('closed while connecting'));
    });
  });
}

function connectSocket(target: SocketAddress): Socket {
  if (target.kind === 'path') return createConnection({ path: target.name });
  if (Number(process.versions.node.split('.')[0]) < 22)
    throw new BusClosedError(`unix:abstract=${target.name}: abstract sockets need Node 22 or later`);
  return createConnection({ path: `\0${target.name}` });
}
