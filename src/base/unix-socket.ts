import { lstatSync } from 'node:fs';
import { connect } from 'node:net';
import { isNotFound } from './files.ts';

/**
 * Longest path that the kernel takes for a Unix socket, in bytes, without the NUL at its end. Some versions of Node cut
 * a longer one and use what is left.
 */
export const MAX_SOCKET_PATH = 107;

/** Milliseconds in which a live server takes a connection, at the very least. */
const PROBE_MS = 2_000;

/**
 * What is at the path of a Unix socket: `stale` is one that nobody listens on. In doubt somebody does: only a refused
 * connection shows that nobody is there. Rejects when that cannot be found out.
 */
export async function whatIsAt(path: string): Promise<'nothing' | 'stale' | 'alive' | 'other'> {
  try {
    if (!lstatSync(path).isSocket()) return 'other';
  } catch (error) {
    if (isNotFound(error)) return 'nothing';
    throw error;
  }
  return (await isAlive(path)) ? 'alive' : 'stale';
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const end = (alive: boolean): void => {
      socket.destroy();
      resolve(alive);
    };
    socket.setTimeout(PROBE_MS, () => end(true));
    socket.on('connect', () => end(true));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || isNotFound(error)) end(false);
      else if (error.code === 'EAGAIN') end(true);
      else reject(error);
    });
  });
}
