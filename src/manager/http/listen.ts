import { lookup } from 'node:dns/promises';
import type { Server } from 'node:http';
import { Server as TlsServer } from 'node:tls';
import { type AddressInfo, isIP } from 'node:net';
import type { Log } from '../../base/log.ts';
import { errorText } from '../../base/text.ts';
import type { Connections } from './connections.ts';
import type { Limits } from './limits.ts';
import { createLimitedServer, type Handler } from './server.ts';
import { readTls, type TlsFiles, tlsStamp } from './tls.ts';

/** Where and how to listen. */
export interface ListenOptions {
  /** The table of the configuration in which address and port stand, for messages. */
  readonly section: 'service' | 'status' | 'admin';
  /** IPv4 or IPv6, without brackets. */
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  /** Null: plain HTTP. */
  readonly tls: TlsFiles | null;
  readonly limits: Limits;
  readonly handler: Handler;
  readonly log: Log;
}

/** A listener that is open. */
export interface Listener {
  readonly port: number;
  /** Connections that are open now. */
  readonly connections: number;
  /**
   * Reads certificate, key and CAs anew. Throws when they cannot be used; what is returned puts them in place of the old
   * ones, for connections to come.
   */
  prepareReload(): () => void;
  /**
   * Takes no more connections, lets `drain` answer those who wait, and gives what is under way `graceMs` to end. Never
   * rejects.
   */
  close(graceMs: number, drain?: () => Promise<void>): Promise<void>;
}

/** Milliseconds between two looks at the files of a certificate. */
const LOOK_MS = 60_000;

/** Opens a listener. Rejects with an error whose text says what is wrong and which key of the configuration to look at. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { section, address, port, tls, limits, handler, log } = options;
  const { server, connections } = createLimitedServer(handler, limits, tls === null ? null : readTls(tls));
  const host = await resolved(address).catch((error: unknown) => {
    throw new Error(listenProblem(asError(error), section, address, port), { cause: error });
  });
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void =>
      reject(new Error(listenProblem(error, section, address, port), { cause: error }));
    server.once('error', fail);
    server.listen({ host, port, backlog: 4096 }, () => {
      server.off('error', fail);
      resolve();
    });
  });
  server.on('error', (error) => log.error({ error: errorText(error) }, `The listener of ${section} has a problem`));
  const certificate = tls === null ? null : new Certificate(server, tls, log);
  return {
    port: (server.address() as AddressInfo).port,
    get connections(): number {
      return connections.count;
    },
    prepareReload: () => certificate?.prepare() ?? (() => undefined),
    close: async (graceMs, drain) => {
      certificate?.stop();
      await close(server, connections, graceMs, drain);
    },
  };
}

/** The address that a name stands for: IPv4 before IPv6, as Go programs such as airlock choose. */
async function resolved(address: string): Promise<string> {
  if (isIP(address) !== 0) return address;
  const found = await lookup(address, { all: true });
  return (found.find(({ family }) => family === 4) ?? found[0])?.address ?? address;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** What to say when an address cannot be listened on. */
export function listenProblem(
  error: NodeJS.ErrnoException,
  section: ListenOptions['section'],
  address: string,
  port: number,
): string {
  const [keys, where] = [`(${section}.address, ${section}.port)`, `port ${port} of ${address}`];
  switch (error.code ?? '') {
    case 'EADDRINUSE':
      return `${where} is in use by another program (${section}.port)`;
    case 'EACCES':
      return `${where} may not be used by this user (${section}.port)`;
    case 'EADDRNOTAVAIL':
      return `this host does not have the address ${address} (${section}.address)`;
    case 'EINVAL':
    case 'EAFNOSUPPORT':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${address} is no address that can be listened on (${section}.address)`;
    default:
      return `${where} cannot be listened on: ${errorText(error)} ${keys}`;
  }
}

/** The certificate of a listener. It is looked at once a minute: whatever renews it need not tell anybody. */
class Certificate {
  readonly #server: object;
  readonly #files: TlsFiles;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #stamp: string;

  constructor(server: object, files: TlsFiles, log: Log) {
    this.#server = server;
    this.#files = files;
    this.#log = log;
    this.#stamp = tlsStamp(files);
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  prepare(): () => void {
    const stamp = tlsStamp(this.#files);
    const options = readTls(this.#files);
    return () => {
      this.#stamp = stamp;
      if (this.#server instanceof TlsServer) this.#server.setSecureContext(options);
      this.#log.info({ certificate: this.#files.certPath }, 'The certificate was read');
    };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const stamp = tlsStamp(this.#files);
    if (stamp === this.#stamp) return;
    try {
      this.prepare()();
    } catch (error) {
      this.#stamp = stamp;
      this.#log.error({ error: errorText(error) }, 'The new certificate cannot be used; the old one stays');
    }
  }
}

async function close(
  server: Pick<Server, 'close'>,
  connections: Connections,
  graceMs: number,
  drain: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  connections.draining = true;
  // This ends the connections that were used and are not in use, too.
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  const timer = setTimeout(() => connections.cutAll(), graceMs);
  connections.cutUnused();
  // A drain that fails has nothing to say to those who are still connected.
  await Promise.all([closed, Promise.race([closed, drain().catch(() => undefined)])]);
  clearTimeout(timer);
}
