import { setTimeout as delay } from 'node:timers/promises';
import type { FaultFolder } from '../faults.ts';
import type { Connection } from '../wire/connection.ts';
import { signatureOf } from '../wire/interface.ts';
import { serve } from '../wire/objects.ts';
import { PeerServer } from '../wire/peer-server.ts';
import { TRANSACTION } from './interfaces.ts';

/** Where in a transaction a fault can act. */
export type Phase = 'start' | 'download' | 'done';

/** What a transaction's work tells those who watch, and asks of its transaction. */
export interface Progress {
  /** Marks a point of the work; faults act here. Rejects when the transaction has been cancelled or made to fail. */
  phase(at: Phase): Promise<void>;
  signal(member: string, ...body: readonly unknown[]): void;
  readonly cancelled: AbortSignal;
}

/** A piece of work for the daemon. It fails by throwing: the text is what Finished says. */
export interface Work {
  /** As in the `method` of a fault. */
  readonly method: string;
  readonly title: string;
  run(progress: Progress): Promise<void>;
}

/** What the daemon learns of a transaction. */
export interface TransactionEvents {
  finished(success: boolean): void;
  /** The transaction is over and nobody is connected to it any more. */
  closed(): void;
}

/** The daemon waits this long for its peers to leave after Finished. */
const LINGER_MS = 30_000;
/**
 * The real daemon asks polkit before it looks whether it is busy. A peer that leaves at once after Finished has left by
 * then, although nothing orders the peer's socket against the bus.
 */
const SETTLE_MS = 20;
const CANCELLED = 'Operation was cancelled';

/** One transaction: a socket for its peers, and work that begins when one of them says Start. */
export class Transaction {
  readonly work: Work;
  state: 'waiting' | 'running' | 'finished' | 'closed' = 'waiting';
  private readonly faults: FaultFolder;
  private readonly events: TransactionEvents;
  private readonly server: PeerServer;
  private readonly abort = new AbortController();
  private readonly ended = new AbortController();
  private readonly gone = new AbortController();
  private outcome: readonly [boolean, string] = [false, ''];
  private linger: NodeJS.Timeout | undefined;

  constructor(work: Work, socket: string, faults: FaultFolder, events: TransactionEvents) {
    this.work = work;
    this.faults = faults;
    this.events = events;
    this.server = new PeerServer(socket, {
      joined: (peer) => this.welcome(peer),
      gone: (left) => {
        if (left === 0 && this.state === 'finished') this.close();
      },
    });
  }

  /** Opens the socket, or only later when the fault says so. */
  async open(): Promise<void> {
    const late = this.faults.take('lateSocket');
    if (late === null) return this.server.listen();
    setTimeout(() => {
      if (this.state !== 'closed') void this.server.listen();
    }, late.ms);
  }

  /** Gives the peers of a finished transaction a moment to leave. */
  async settle(): Promise<void> {
    if (this.state !== 'finished') return;
    const patience = AbortSignal.timeout(SETTLE_MS);
    await aborted(AbortSignal.any([this.gone.signal, patience]));
  }

  /** The caller's bus name has vanished: what has not begun never will. */
  callerVanished(): void {
    if (this.state !== 'waiting') return;
    this.finish(CANCELLED);
    this.close();
  }

  private welcome(peer: Connection): void {
    const properties = (): Record<string, unknown> => ({ Title: this.work.title, InitiatingClientDescription: '' });
    const methods = {
      Start: async () => {
        const started = this.start();
        if (this.faults.take('lateStart') !== null) await aborted(this.ended.signal);
        if (!started && this.state === 'finished') setImmediate(() => send(peer, 'Finished', this.outcome));
        return [started];
      },
      Cancel: () => {
        this.cancel();
        return [];
      },
    };
    serve(
      peer,
      () => new Map([['/', [{ spec: TRANSACTION, methods, properties }]]]),
      () => '',
    );
  }

  private start(): boolean {
    if (this.state !== 'waiting') return false;
    this.state = 'running';
    void this.execute();
    return true;
  }

  private cancel(): void {
    this.abort.abort();
    if (this.state === 'waiting') this.finish(CANCELLED);
  }

  private async execute(): Promise<void> {
    const progress: Progress = {
      phase: (at) => this.phase(at),
      signal: (member, ...body) => this.broadcast(member, body),
      cancelled: this.abort.signal,
    };
    try {
      await this.work.run(progress);
      this.finish(null);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.finish(this.abort.signal.aborted ? CANCELLED : text);
    }
  }

  private async phase(at: Phase): Promise<void> {
    const here = (fault: { readonly at: string; readonly method: string }): boolean =>
      fault.at === at && (fault.method === '' || fault.method === this.work.method);
    if (this.faults.take('die', here) !== null) await die();
    if (this.faults.take('garbage', here) !== null) for (const peer of this.server.peers) peer.sendRaw(GARBAGE);
    if (this.faults.take('vanish', here) !== null) {
      this.close();
      throw new Error('nobody is told');
    }
    if (this.faults.take('cancel', here) !== null) this.abort.abort();
    if (this.faults.take('hang', here) !== null) await aborted(this.abort.signal);
    const failure = this.faults.take('fail', here);
    if (failure !== null) throw new Error(failure.text);
    this.abort.signal.throwIfAborted();
  }

  /** Null is success, a text is why not. */
  private finish(error: string | null): void {
    if (this.state === 'finished' || this.state === 'closed') return;
    this.state = 'finished';
    this.outcome = [error === null, error ?? ''];
    this.broadcast('Finished', this.outcome);
    this.ended.abort();
    this.events.finished(error === null);
    if (this.server.peers.length === 0) this.close();
    else this.linger = setTimeout(() => this.close(), LINGER_MS);
  }

  /** Ends it as it is: nobody is told how it ended. */
  close(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    clearTimeout(this.linger);
    this.server.close();
    this.events.closed();
    this.gone.abort();
  }

  private broadcast(member: string, body: readonly unknown[]): void {
    for (const peer of this.server.peers) send(peer, member, body);
  }
}

/** A header of the right length, and nonsense where its fields should be. */
const GARBAGE = Buffer.concat([
  Buffer.from([0x6c, 4, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 16, 0, 0, 0]),
  Buffer.alloc(16, 0xff),
]);

/** Kills this process without ceremony, as the faults `die` and `dieInCall` want it. */
export async function die(): Promise<void> {
  process.kill(process.pid, 'SIGKILL');
  await delay(60_000);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function send(peer: Connection, member: string, body: readonly unknown[]): void {
  const types = TRANSACTION.signals.get(member) ?? [];
  peer.signal('/', TRANSACTION.name, member, signatureOf(types), body);
}
