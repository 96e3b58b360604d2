import { chmodSync, existsSync, rmSync } from 'node:fs';
import { type ListenOptions, createServer } from 'node:net';
import { dirname } from 'node:path';
import { ensureFolder } from '../../base/files.ts';
import { errorText } from '../../base/text.ts';
import { MAX_SOCKET_PATH, whatIsAt } from '../../base/unix-socket.ts';
import { Guests } from './guests.ts';
import type { Serve } from './serve.ts';

/** A place to listen. */
export type Place = { readonly path: string } | { readonly address: string; readonly port: number };

/** A listener that is open. */
export interface Listener {
  /** False when somebody has removed the socket, so that nobody can come any more. */
  readonly isReachable: () => boolean;
  /** Ends it with all its connections, and removes the socket. Never rejects. */
  readonly close: () => Promise<void>;
}

/**
 * Opens a listener. A Unix socket may be used by everybody; one that was left behind is replaced, but not one that
 * somebody listens on. Rejects with an error for people.
 */
export async function listen(place: Place, serve: Serve, guests = new Guests()): Promise<Listener> {
  const where = nameOf(place);
  try {
    if ('path' in place) await makeRoom(place.path);
    return await open(place, serve, guests);
  } catch (error) {
    throw new Error(`no metrics on ${where}: ${errorText(error)}`, { cause: error });
  }
}

/** The place for people. */
export function nameOf(place: Place): string {
  return 'path' in place ? place.path : `port ${place.port} of ${place.address} (metrics.address, metrics.port)`;
}

async function makeRoom(path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) throw new Error(`the path is longer than ${MAX_SOCKET_PATH} bytes`);
  ensureFolder(dirname(path));
  const found = await whatIsAt(path);
  if (found === 'alive') throw new Error('another process listens there');
  if (found === 'other') throw new Error('something is there that is no socket');
  rmSync(path, { force: true });
}

/** Nobody waits for connections that have not come: they do not keep the process alive. */
async function open(place: Place, serve: Serve, guests: Guests): Promise<Listener> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    guests.take(socket);
    serve(socket);
  });
  const options: ListenOptions = 'path' in place ? { path: place.path } : { host: place.address, port: place.port };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
  if ('path' in place) chmodSync(place.path, 0o666);
  server.unref();
  // One connection that cannot be taken is no reason to take none.
  server.on('error', () => undefined);
  return {
    isReachable: () => !('path' in place) || existsSync(place.path),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        guests.sendAway();
      }),
  };
}
