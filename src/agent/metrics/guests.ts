import type { Socket } from 'node:net';

/** Connections of one listener at a time. */
const MOST = 16;
/** Milliseconds from the first byte to the last, however slowly somebody reads or writes. */
const LIFE_MS = 10_000;

/**
 * The connections of a listener. Each has its time and no more, and for one too many the oldest goes: so nobody can keep
 * others out by holding connections open.
 */
export class Guests {
  readonly #timers = new Map<Socket, NodeJS.Timeout>();
  readonly #lifeMs: number;

  constructor(lifeMs = LIFE_MS) {
    this.#lifeMs = lifeMs;
  }

  /** Takes a connection on. What goes wrong with it is its own affair. */
  take(socket: Socket): void {
    const timer = setTimeout(() => socket.destroy(), this.#lifeMs);
    timer.unref();
    this.#timers.set(socket, timer);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      clearTimeout(timer);
      this.#timers.delete(socket);
    });
    const [oldest] = this.#timers.keys();
    if (this.#timers.size > MOST) oldest?.destroy();
  }

  /** Ends all of them. */
  sendAway(): void {
    for (const socket of this.#timers.keys()) socket.destroy();
  }
}
