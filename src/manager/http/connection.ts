import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Refusal } from '../answer.ts';
import { certificateNames } from './credentials.ts';
import type { Exchange } from './exchange.ts';
import { writeRaw } from './raw.ts';

/** One connection of a client, from its acceptance on. */
export class Connection {
  /** The encrypted one, once there is. */
  socket: Socket;
  closed = false;
  /** The head of a request has arrived on it. */
  used = false;
  /** Nothing that still arrives on it matters. */
  ending = false;
  /** Requests whose head has arrived and that have not been answered. */
  underWay = 0;
  /** Those of them that we are to blame for: complete, and not answered. */
  busy = 0;
  /** The newest request under way, or null. */
  latest: Exchange | null = null;
  /** Called when the connection is gone. */
  readonly whenClosed = new Set<() => void>();
  #names: readonly string[] | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** The names in the certificate of the client. */
  names(): readonly string[] {
    this.#names ??= namesOf(this.socket);
    return this.#names;
  }

  /**
   * What arrives on it can no longer be understood: says so once everything before it has been answered, and ends it.
   */
  spoil(refusal: Refusal): void {
    if (this.ending) return;
    this.ending = true;
    const { latest } = this;
    if (latest === null) writeRaw(this.socket, refusal);
    else if (latest.isArriving) latest.refuse(refusal);
    else latest.response.once('finish', () => writeRaw(this.socket, refusal));
  }
}

function namesOf(socket: Socket): readonly string[] {
  if (!(socket instanceof TLSSocket)) return [];
  const { subject, subjectaltname } = socket.getPeerCertificate() as Partial<
    ReturnType<TLSSocket['getPeerCertificate']>
  >;
  // Node's types know of one common name; there may be several, and none.
  const common = subject?.CN as string | readonly string[] | undefined;
  return certificateNames(common === undefined ? [] : [common].flat(), subjectaltname);
}
