import { setTimeout as sleep } from 'node:timers/promises';
import type { Peer, Signal } from './api.ts';
import type { Incoming } from './codec.ts';
import { contain, type Report } from './contain.ts';
import { openConnection, socketErrorCode } from './open.ts';

/** A server that is about to listen: its socket is not there, nobody listens yet, or its queue is full. */
const NOT_YET = ['ENOENT', 'ECONNREFUSED', 'EAGAIN'];
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 500;

/** How to connect to a peer. */
export interface PeerOptions {
  /** Milliseconds for one try to connect and authenticate. Default 10 000. */
  readonly timeoutMs?: number;
  /** Milliseconds of pauses after which a peer that does not listen yet is given up. Default 5 000. */
  readonly retryMs?: number;
  /** Longest message that is read, in bytes; longer ones are passed over. Default 16 MiB. */
  readonly maxMessageBytes?: number;
  /** Told of what went wrong without ending the connection, for example in a signal handler. */
  readonly onError?: Report;
}

/**
 * Connects to a D-Bus server that is no bus, and waits a little for one that does not listen yet. Rejects with
 * `BusClosedError` or `BusTimeoutError`.
 */
export async function connectPeer(address: string, options: PeerOptions = {}): Promise<Peer> {
  let [pause, left] = [FIRST_PAUSE_MS, options.retryMs ?? 5000];
  for (;;) {
    try {
      return await connectOnce(address, options);
    } catch (error) {
      if (left <= 0 || !NOT_YET.includes(socketErrorCode(error) ?? '')) throw error;
      pause = Math.min(pause, left);
      await sleep(pause);
      left -= pause;
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }
}

async function connectOnce(address: string, options: PeerOptions): Promise<Peer> {
  const handlers = new Set<(signal: Signal) => void>();
  const report = options.onError ?? ((): void => undefined);
  const connection = await openConnection(address, {
    connectTimeoutMs: options.timeoutMs,
    maxMessageBytes: options.maxMessageBytes,
    onError: report,
    onSignal(message): void {
      if (handlers.size === 0) return;
      const signal = { ...readSignal(message), sender: undefined };
      for (const handler of [...handlers]) contain(report, () => handler(signal));
    },
  });
  return {
    closed: connection.closed,
    call: (call) => connection.call(call),
    onSignal(handler): () => void {
      // An own function for each, so that the same handler can be there twice.
      const own = (signal: Signal): void => handler(signal);
      handlers.add(own);
      return () => handlers.delete(own);
    },
    close: () => connection.close(),
  };
}

/** A received signal for its handlers. Throws like `Incoming.body`. */
export function readSignal(message: Incoming): Signal {
  return {
    sender: message.sender,
    path: message.path ?? '',
    interface: message.interface ?? '',
    member: message.member ?? '',
    signature: message.signature,
    body: message.body(),
  };
}
