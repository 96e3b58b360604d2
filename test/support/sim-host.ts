import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Variant } from 'dbus-next/lib/variant.js';
import { afterAll, afterEach } from 'vitest';
import { createMachine } from '../../src/sim/machine.ts';
import type { Machine, MachineOptions } from '../../src/sim/machine.ts';
import { BusConnection, connectPeer } from '../../src/sim/wire/bus.ts';
import type { Connection } from '../../src/sim/wire/connection.ts';
import { bundleRpmOstreed } from './bundle.ts';

/** Releases whose versions and checksums are those of the recorded dumps in test/fixtures/rpm-ostree. */
export const COMMITS = {
  v1: '2690ebef4c4251afd1f31759aa462f0bb4dfb993fd3dde3cfb643ae11a666a4c',
  v2: 'deb3031e59b7b4a87e1e6802d0f5c9d8fe22f64bd11fe09afb0fe2a9108252ed',
  v3: 'd4529a3206ee576ee257af35f86d4ad291337f69a8f02ab6b8b6128c9940e7f9',
} as const;
export const DIGESTS = {
  v1: 'sha256:97669c70397e786b6b1c76ed9d0bfd282fa594d1dad080493b619ec6714b5e39',
  v2: 'sha256:fc80a47ce6b8ccfee42f9aa265d168a1d5fb131292a4e3ff59c6ab22dd20967e',
} as const;
export const VERSIONS = { v1: '43.20260101.2.0', v2: '43.20260115.2.0', v3: '43.20260129.2.0' } as const;
export const IMAGE = 'ostree-unverified-registry:localhost:5055/fedora/fedora-coreos:testing';

function node(version: string, payload: string, age: number): unknown {
  return { version, payload, metadata: { 'org.fedoraproject.coreos.releases.age_index': String(age) } };
}

/** An update graph of three commits. */
export const GRAPH = JSON.stringify({
  nodes: [node(VERSIONS.v1, COMMITS.v1, 1), node(VERSIONS.v3, COMMITS.v3, 3), node(VERSIONS.v2, COMMITS.v2, 2)],
  edges: [],
});
/** The same stream as images. */
export const IMAGE_GRAPH = JSON.stringify({
  nodes: [
    node(VERSIONS.v1, `localhost:5055/fedora/fedora-coreos@${DIGESTS.v1}`, 1),
    node(VERSIONS.v2, `localhost:5055/fedora/fedora-coreos@${DIGESTS.v2}`, 2),
  ],
  edges: [],
});

const bundled = bundleRpmOstreed();
const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
afterAll(async () => (await bundled).remove());

/** A machine of stream `testing`, booted from v1, that is stopped when the test is over. */
export async function machine(options: Partial<MachineOptions> = {}): Promise<Machine> {
  const { command } = await bundled;
  const made = await createMachine({
    graph: GRAPH,
    stream: 'testing',
    basearch: 'x86_64',
    bootedVersion: VERSIONS.v1,
    command,
    ...options,
  });
  cleanups.push(() => made.stop());
  return made;
}

/** What came of a transaction, as a peer saw it. */
export interface Seen {
  /** The answer of Start; null when none came. */
  readonly started: unknown;
  /** Success and text; null when the stream ended without it. */
  readonly finished: readonly [boolean, string] | null;
  /** Every signal in order, with its arguments. */
  readonly signals: readonly (readonly [string, ...unknown[]])[];
}

const NAME = 'org.projectatomic.rpmostree1';
const PATHS = {
  Sysroot: '/org/projectatomic/rpmostree1/Sysroot',
  OS: '/org/projectatomic/rpmostree1/fedora_coreos',
} as const;

/** Another client on the machine's bus. */
export class Client {
  readonly bus: BusConnection;

  constructor(bus: BusConnection) {
    this.bus = bus;
  }

  sysroot(member: string, signature = '', ...body: unknown[]): Promise<readonly unknown[]> {
    return this.call('Sysroot', member, signature, body);
  }

  /** A method that begins a transaction; resolves with its address. */
  async os(member: string, signature = '', ...body: unknown[]): Promise<string> {
    const [address] = await this.call('OS', member, signature, body);
    return String(address);
  }

  /** Begins a transaction and follows it to its end. */
  async run(member: string, signature: string, ...body: unknown[]): Promise<Seen> {
    return follow(await this.os(member, signature, ...body));
  }

  deploy(revision: string, options: Record<string, Variant> = {}): Promise<Seen> {
    return this.run('Deploy', 'sa{sv}', revision, options);
  }

  stageLocked(revision: string): Promise<Seen> {
    return this.deploy(revision, { 'lock-finalization': flag(true) });
  }

  finalize(checksum: string, options: Record<string, Variant> = {}): Promise<Seen> {
    return this.run('FinalizeDeployment', 'a{sv}', { checksum: text(checksum), ...options });
  }

  async properties(which: keyof typeof PATHS): Promise<Readonly<Record<string, Variant>>> {
    const [all] = await this.bus.call({
      destination: NAME,
      path: PATHS[which],
      interface: 'org.freedesktop.DBus.Properties',
      member: 'GetAll',
      signature: 's',
      body: [`${NAME}.${which}`],
    });
    return all as Readonly<Record<string, Variant>>;
  }

  close(): void {
    this.bus.connection.close();
  }

  private call(which: keyof typeof PATHS, member: string, signature: string, body: unknown[]) {
    return this.bus.call({
      destination: NAME,
      path: PATHS[which],
      interface: `${NAME}.${which}`,
      member,
      signature,
      body,
    });
  }
}

/** Connects a client, which leaves when the test is over. */
export async function client(to: Machine): Promise<Client> {
  const connected = new Client(await BusConnection.open(to.busAddress));
  cleanups.push(() => connected.close());
  return connected;
}

/** Connects to a transaction, waiting for a socket that is late. */
export async function join(address: string): Promise<Connection> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await connectPeer(address);
    } catch (error) {
      if (tries === 100) throw error;
      await delay(5);
    }
  }
}

/** Calls a method of a transaction. */
export async function ask(peer: Connection, member: string): Promise<unknown> {
  const [answer] = await peer.call({ path: '/', interface: `${NAME}.Transaction`, member });
  return answer;
}

/** Starts a transaction and follows it until Finished or the end of the stream. */
export async function follow(address: string): Promise<Seen> {
  const peer = await join(address);
  const signals: [string, ...unknown[]][] = [];
  const over = new AbortController();
  peer.onSignal(({ member, body }) => {
    signals.push([member ?? '', ...body]);
    if (member === 'Finished') over.abort();
  });
  void peer.closed.then(() => over.abort());
  const started = ask(peer, 'Start').catch(() => null);
  if (!over.signal.aborted) await once(over.signal, 'abort');
  const last = signals.find(([member]) => member === 'Finished');
  const answer = await Promise.race([started, peer.closed.then(() => null)]);
  peer.close();
  return { started: answer, finished: last === undefined ? null : [last[1] === true, String(last[2])], signals };
}

/** Variants as the values in them, at any depth. */
export function plain(value: unknown): unknown {
  if (value instanceof Variant) return plain(value.value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
  }
  return value;
}

/** A variant of type `b`. */
export function flag(value: boolean): Variant {
  return new Variant('b', value);
}

/** A variant of type `s`. */
export function text(value: string): Variant {
  return new Variant('s', value);
}
