import { chmodSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { admit } from './auth.ts';
import { Connection } from './connection.ts';

/** What happens at a peer-to-peer server. */
export interface PeerEvents {
  /** Somebody has connected and is authenticated. */
  joined(peer: Connection): void;
  /** Somebody has gone; `left` others are still there. */
  gone(left: number): void;
}

/** A D-Bus server without a bus: whoever connects to its socket is a peer. */
export class PeerServer {
  readonly path: string;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly connections = new Set<Connection>();

  constructor(path: string, events: PeerEvents) {
    this.path = path;
    this.server = createServer((socket) => void this.accept(socket, events));
  }

  /** Listens, open to every local user. Resolves when the socket is there. */
  async listen(): Promise<void> {
    rmSync(this.path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.path, resolve);
    });
    chmodSync(this.path, 0o666);
  }

  /** Those who are connected now. */
  get peers(): readonly Connection[] {
    return [...this.connections];
  }

  /** Removes the socket and ends every connection, after what was sent to it. */
  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroySoon();
  }

  private async accept(socket: Socket, events: PeerEvents): Promise<void> {
    this.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.sockets.delete(socket));
    try {
      await admit(socket);
    } catch {
      socket.destroy();
      return;
    }
    const connection = new Connection(socket);
    this.connections.add(connection);
    events.joined(connection);
    await connection.closed;
    this.connections.delete(connection);
    events.gone(this.connections.size);
  }
}
