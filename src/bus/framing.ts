import { HEADER_BYTES, messageLength } from './codec.ts';

/**
 * Cuts a stream of bytes into messages. Holds at most one message; one longer than `maxBytes` is not held but passed
 * over, because any user of a bus may send one and nothing of it is wanted.
 */
export class Framer {
  readonly #maxBytes: number;
  readonly #onOversize: (bytes: number) => void;
  #parts: Buffer[] = [];
  #held = 0;
  /** Length of the message under way; null until its first 16 bytes are here. */
  #length: number | null = null;
  #skip = 0;

  constructor(maxBytes: number, onOversize: (bytes: number) => void) {
    this.#maxBytes = maxBytes;
    this.#onOversize = onOversize;
  }

  /** The messages that are complete with this chunk. Throws `MalformedMessageError`; there is no going on after it. */
  *push(chunk: Buffer): Generator<Buffer, void, undefined> {
    let rest = chunk;
    while (rest.length > 0) {
      const taken = this.#skip > 0 ? this.#pass(rest) : this.#take(rest);
      rest = rest.subarray(taken);
      const whole = this.#whole();
      if (whole !== null) yield whole;
    }
  }

  #pass(bytes: Buffer): number {
    const taken = Math.min(this.#skip, bytes.length);
    this.#skip -= taken;
    return taken;
  }

  #take(bytes: Buffer): number {
    const part = bytes.subarray(0, (this.#length ?? HEADER_BYTES) - this.#held);
    this.#parts.push(part);
    this.#held += part.length;
    return part.length;
  }

  #whole(): Buffer | null {
    if (this.#length === null && this.#held === HEADER_BYTES) this.#begin();
    if (this.#length === null || this.#held < this.#length) return null;
    const whole = Buffer.concat(this.#parts, this.#length);
    this.#clear();
    return whole;
  }

  #begin(): void {
    const start = Buffer.concat(this.#parts, HEADER_BYTES);
    this.#length = messageLength(start);
    this.#parts = [start];
    if (this.#length <= this.#maxBytes) return;
    this.#onOversize(this.#length);
    this.#skip = this.#length - HEADER_BYTES;
    this.#clear();
  }

  #clear(): void {
    this.#parts = [];
    this.#held = 0;
    this.#length = null;
  }
}
