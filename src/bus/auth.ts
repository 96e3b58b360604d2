import { oneLine } from '../base/text.ts';

/** Longest line that a server may send during authentication, in bytes. */
const MAX_LINE = 4096;

/**
 * The client's side of D-Bus authentication with the mechanism EXTERNAL: the server takes the user id from the socket
 * (D-Bus specification, "Authentication Protocol").
 */
export class ExternalAuth {
  /** What to send first. */
  readonly first: string;
  /** What to send once `push` has returned bytes; messages follow. */
  readonly last: string = 'BEGIN\r\n';
  #received: Buffer = Buffer.alloc(0);

  constructor(uid: number) {
    this.first = `\0AUTH EXTERNAL ${Buffer.from(String(uid)).toString('hex')}\r\n`;
  }

  /** Null until the server has accepted; then the bytes that came after its answer. Throws when it refuses. */
  push(chunk: Buffer): Buffer | null {
    this.#received = Buffer.concat([this.#received, chunk]);
    const end = this.#received.indexOf('\r\n');
    if (end > MAX_LINE || (end < 0 && this.#received.length > MAX_LINE))
      throw new Error(`authentication: a line longer than ${MAX_LINE} bytes`);
    if (end < 0) return null;
    const line = this.#received.toString('latin1', 0, end);
    if (!/^OK( |$)/.test(line)) throw new Error(`authentication: expected OK, found "${oneLine(line, 80)}"`);
    return this.#received.subarray(end + 2);
  }
}
