import { connect } from 'node:net';
import { once } from 'node:events';
import { authenticate } from './auth.ts';
import { Connection, WireError } from './connection.ts';
import type { OutgoingCall } from './connection.ts';

const BUS = 'org.freedesktop.DBus';
const BUS_OBJECT = { destination: BUS, path: '/org/freedesktop/DBus', interface: BUS } as const;
const DO_NOT_QUEUE = 4;
const PRIMARY_OWNER = 1;

/** Connects to a peer at `unix:path=…`: authentication, no Hello. */
export async function connectPeer(address: string): Promise<Connection> {
  const path = /(?:^|;)unix:(?:[^;]*,)?path=([^,;]+)/.exec(address)?.[1];
  if (path === undefined) throw new Error(`${address}: not an address of the form unix:path=…`);
  const socket = connect(decodeURIComponent(path));
  await once(socket, 'connect');
  await authenticate(socket);
  return new Connection(socket);
}

/** The simulator's own connection to a message bus. */
export class BusConnection {
  readonly connection: Connection;
  private readonly vanished = new Map<string, Set<() => void>>();

  private constructor(connection: Connection) {
    this.connection = connection;
    connection.onSignal((signal) => {
      if (signal.sender !== BUS || signal.member !== 'NameOwnerChanged' || signal.body[2] !== '') return;
      const name = String(signal.body[0]);
      const handlers = this.vanished.get(name) ?? [];
      this.vanished.delete(name);
      for (const handler of handlers) handler();
    });
  }

  /** Connects, says Hello and follows who leaves the bus. */
  static async open(address: string): Promise<BusConnection> {
    const bus = new BusConnection(await connectPeer(address));
    await bus.ask('Hello');
    await bus.ask('AddMatch', 's', [`type='signal',sender='${BUS}',member='NameOwnerChanged'`]);
    return bus;
  }

  /** Owns a well-known name. Rejects when somebody else has it. */
  async own(name: string): Promise<void> {
    const [answer] = await this.ask('RequestName', 'su', [name, DO_NOT_QUEUE]);
    if (answer !== PRIMARY_OWNER) throw new Error(`${name}: somebody else owns this name on the bus`);
  }

  /** Gives a well-known name back. */
  async disown(name: string): Promise<void> {
    await this.ask('ReleaseName', 's', [name]);
  }

  /** The process that owns a name; null when nobody does. */
  processOf(name: string): Promise<number | null> {
    return this.askAbout('GetConnectionUnixProcessID', name);
  }

  /** The number of the user who owns a name; null when nobody does. */
  userOf(name: string): Promise<number | null> {
    return this.askAbout('GetConnectionUnixUser', name);
  }

  private async askAbout(member: string, name: string): Promise<number | null> {
    try {
      const [number] = await this.ask(member, 's', [name]);
      return typeof number === 'number' ? number : null;
    } catch (error) {
      if (error instanceof WireError) return null;
      throw error;
    }
  }

  /** Calls `handler` once, when a unique name has left the bus, or had already; returns the way to stop waiting. */
  onVanished(name: string, handler: () => void): () => void {
    const handlers = this.vanished.get(name) ?? new Set();
    this.vanished.set(name, handlers.add(handler));
    void this.ask('NameHasOwner', 's', [name]).then(
      ([there]) => {
        if (there === false && handlers.delete(handler)) handler();
      },
      () => undefined,
    );
    return () => handlers.delete(handler);
  }

  call(call: OutgoingCall): Promise<readonly unknown[]> {
    return this.connection.call(call);
  }

  private ask(member: string, signature = '', body: readonly unknown[] = []): Promise<readonly unknown[]> {
    return this.connection.call({ ...BUS_OBJECT, member, signature, body });
  }
}
