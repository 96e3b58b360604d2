import { rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { ensureFolder } from '../../base/files.ts';
import { errorText } from '../../base/text.ts';
import { MAX_SOCKET_PATH, whatIsAt } from '../../base/unix-socket.ts';
import type { Manager } from '../api.ts';
import { createAdminHandler } from './handler.ts';

/** A listener for administrators that is open. */
export interface AdminListener {
  /** Takes no more connections, and gives what is under way `graceMs` to end. Never rejects. */
  close(graceMs?: number): Promise<void>;
}

/** Few administrators work at a time; a program that asks too much must not take the files of the process. */
const MOST_CONNECTIONS = 64;
const REQUEST_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;

/**
 * Opens the Unix socket for administration: mode 0660, its folder made (0750) when it is missing. What a server that is
 * gone left behind is removed. Rejects with an error for people when another one lives there, or when it cannot be.
 */
export async function openAdminSocket(path: string, handler: RequestListener): Promise<AdminListener> {
  try {
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH) throw new Error(`it is longer than ${MAX_SOCKET_PATH} bytes`);
    ensureFolder(dirname(path), 0o750);
    await removeStale(path);
    const server = limited(handler);
    await listening(server, () => server.listen(path));
    return listener(server);
  } catch (error) {
    if (error instanceof InTheWay) throw error;
    throw new Error(`the socket ${path} cannot be opened (admin.socket): ${errorText(error)}`, { cause: error });
  }
}

/** Opens a TCP listener for administration. Whoever asks must show one of `tokens`, the content of a file of them. */
export async function openAdminTcp(
  { address, port }: { readonly address: string; readonly port: number },
  manager: Manager,
  tokens: () => string,
): Promise<AdminListener & { readonly port: number }> {
  const server = limited(createAdminHandler(manager, { token: tokens }));
  try {
    await listening(server, () => server.listen({ host: address, port }));
  } catch (error) {
    const text = `port ${port} of ${address} cannot be opened (admin.address, admin.port): ${errorText(error)}`;
    throw new Error(text, { cause: error });
  }
  return { ...listener(server), port: (server.address() as AddressInfo).port };
}

/** Something at the path of the socket that must not be removed. */
class InTheWay extends Error {}

/** Removes a socket that nobody listens on. */
async function removeStale(path: string): Promise<void> {
  const found = await whatIsAt(path);
  if (found === 'other') throw new InTheWay(`${path} (admin.socket) is there, and is no socket`);
  if (found === 'alive') throw new InTheWay(`another manager is running at ${path} (admin.socket)`);
  rmSync(path, { force: true });
}

function limited(handler: RequestListener): Server {
  const server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    handler,
  );
  server.maxConnections = MOST_CONNECTIONS;
  return server;
}

/** Nobody may connect to a socket before its mode is right: it is created with it. */
function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    const before = process.umask(0o117);
    try {
      listen();
    } finally {
      process.umask(before);
    }
  });
}

function listener(server: Server): AdminListener {
  return {
    close: (graceMs = 1_000) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), graceMs);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}
