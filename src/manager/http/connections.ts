import type { Socket } from 'node:net';
import { Connection } from './connection.ts';
import type { Exchange } from './exchange.ts';
import type { Limits } from './limits.ts';

/** At most so many requests are under way beyond one for each connection. */
const MOST_PIPELINED = 1024;

/**
 * The connections of a listener, and which of them may be given up: those on which we wait for the client. So nobody
 * can keep others out by holding connections open, however slowly something arrives on them.
 */
export class Connections {
  /** The listener is about to end: every answer is the last on its connection. */
  draining = false;
  readonly #limits: Limits;
  readonly #all = new Set<Connection>();
  /** By the socket on which requests arrive. */
  readonly #bySocket = new Map<Socket, Connection>();
  /** Encrypted connections before the end of their handshake, by the address of the client. */
  readonly #shaking = new Map<string, Connection>();
  /** Those on which we wait for the client, the longest first. */
  readonly #waitedFor = new Set<Connection>();
  #underWay = 0;
  #held = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#all.size;
  }

  /** Requests that are held with the client's consent. */
  get held(): number {
    return this.#held;
  }

  /** Whether one more request may be held. Some connections are left for those who want an answer at once. */
  get mayHold(): boolean {
    return this.#held < Math.max(1, Math.floor(this.#limits.maxConnections * 0.75));
  }

  /** Takes a connection on. `secure`: its handshake is yet to come. */
  open(socket: Socket, secure: boolean): void {
    const connection = new Connection(socket);
    this.#all.add(connection);
    this.#waitedFor.add(connection);
    if (secure) this.#shake(connection);
    else this.#bySocket.set(socket, connection);
    socket.once('close', () => this.#forget(connection));
    this.#makeRoom(connection);
  }

  /** The handshake of a connection is over: from now on requests arrive on this socket. */
  secured(socket: Socket): void {
    const client = clientOf(socket);
    const connection = this.#shaking.get(client);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    this.#shaking.delete(client);
    connection.socket = socket;
    this.#bySocket.set(socket, connection);
    socket.once('close', () => this.#forget(connection));
  }

  of(socket: Socket): Connection | undefined {
    return this.#bySocket.get(socket);
  }

  /** A request has begun. False when there are too many on its connection, which is then cut. */
  begin(connection: Connection, exchange: Exchange): boolean {
    connection.used = true;
    connection.underWay += 1;
    connection.latest = exchange;
    this.#underWay += 1;
    if (connection.underWay === 1) return true;
    const isTooMuch =
      connection.underWay > this.#limits.maxPipelined || this.#underWay > this.#limits.maxConnections + MOST_PIPELINED;
    if (isTooMuch) connection.socket.destroy();
    return !isTooMuch;
  }

  /** A request is complete: it is our turn. */
  work(connection: Connection): void {
    connection.busy += 1;
    if (connection.busy === 1) this.#waitedFor.delete(connection);
  }

  /** A request was answered. */
  end(connection: Connection, wasBusy: boolean): void {
    if (connection.closed) return;
    connection.underWay -= 1;
    this.#underWay -= 1;
    if (connection.underWay === 0) connection.latest = null;
    if (!wasBusy) return;
    connection.busy -= 1;
    if (connection.busy === 0) this.#waitedFor.add(connection);
  }

  /** A request is held until the returned function is called. */
  hold(): () => void {
    this.#held += 1;
    return () => {
      this.#held -= 1;
    };
  }

  /** Cuts those on which no request has begun, handshakes among them. (Node knows those that were used and are not.) */
  cutUnused(): void {
    for (const connection of this.#waitedFor) if (!connection.used) connection.socket.destroy();
  }

  /** Cuts all of them. */
  cutAll(): void {
    for (const { socket } of this.#all) socket.destroy();
  }

  #makeRoom(newest: Connection): void {
    const { maxConnections } = this.#limits;
    const spare = Math.min(64, Math.ceil(maxConnections / 8));
    if (this.#all.size <= maxConnections - spare) return;
    const [oldest] = this.#waitedFor;
    if (oldest !== undefined && oldest !== newest) oldest.socket.destroy();
  }

  #shake(connection: Connection): void {
    const client = clientOf(connection.socket);
    this.#shaking.set(client, connection);
    connection.socket.once('close', () => {
      if (this.#shaking.get(client) === connection) this.#shaking.delete(client);
    });
  }

  #forget(connection: Connection): void {
    if (connection.closed) return;
    connection.closed = true;
    this.#all.delete(connection);
    this.#bySocket.delete(connection.socket);
    this.#waitedFor.delete(connection);
    this.#underWay -= connection.underWay;
    for (const gone of connection.whenClosed) gone();
    connection.whenClosed.clear();
  }
}

function clientOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? 0}`;
}
