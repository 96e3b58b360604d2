import { afterEach, describe, expect, it, vi } from 'vitest';
import { FailureError } from '../../../src/base/failure.ts';
import { BusClosedError, BusError, type MethodCall, type Peer, type Signal } from '../../../src/bus/api.ts';
import { followTransaction } from '../../../src/host/rpm-ostree/transaction.ts';

const INTERFACE = 'org.projectatomic.rpmostree1.Transaction';

/** A peer whose every move the test makes. */
class FakePeer implements Peer {
  readonly calls: MethodCall[] = [];
  closes = 0;
  readonly closed: Promise<Error | null>;
  /** Answers Start. */
  answer: (value: readonly unknown[]) => void = () => undefined;
  refuse: (error: Error) => void = () => undefined;
  end: (error: Error | null) => void = () => undefined;
  readonly #handlers: ((signal: Signal) => void)[] = [];

  constructor() {
    this.closed = new Promise((resolve) => (this.end = resolve));
  }

  call(call: MethodCall): Promise<readonly unknown[]> {
    this.calls.push(call);
    // A result that comes before the reply is only seen by a handler that was there before the call.
    if (this.#handlers.length === 0) throw new Error('Start was called before anybody listened');
    return new Promise((resolve, reject) => {
      this.answer = resolve;
      this.refuse = reject;
    });
  }

  onSignal(handler: (signal: Signal) => void): () => void {
    this.#handlers.push(handler);
    return () => undefined;
  }

  close(): void {
    this.closes += 1;
    this.end(null);
  }

  signal(member: string, body: readonly unknown[], name = INTERFACE): void {
    const signal = { sender: undefined, path: '/', interface: name, member, signature: '', body };
    for (const handler of this.#handlers) handler(signal);
  }
}

interface Followed {
  readonly peer: FakePeer;
  readonly progress: string[];
  /** `done`, or the failure. */
  readonly outcome: Promise<unknown>;
}

function follow(lost: 'transient' | 'unknown' = 'unknown'): Followed {
  const peer = new FakePeer();
  const progress: string[] = [];
  const onProgress = (text: string): void => void progress.push(text);
  const outcome = followTransaction(peer, { stallMs: 60_000, lost, onProgress }).then(
    () => 'done',
    (error: unknown) => (error instanceof FailureError ? error.failure : error),
  );
  return { peer, progress, outcome };
}

afterEach(() => vi.useRealTimers());

describe('followTransaction', () => {
  it('starts the transaction and ends with its result', async () => {
    const { peer, outcome } = follow();
    expect(peer.calls).toEqual([{ path: '/', interface: INTERFACE, member: 'Start' }]);
    peer.answer([true]);
    peer.signal('Finished', [true, '']);
    expect(await outcome).toBe('done');
    expect(peer.closes).toBe(1);
  });

  it('takes a result that overtakes the reply to Start', async () => {
    const { peer, outcome } = follow();
    peer.signal('Finished', [true, '']);
    expect(await outcome).toBe('done');
    expect(peer.closes).toBe(1);
  });

  it('waits for the result of a transaction that somebody else started', async () => {
    const { peer, outcome } = follow();
    peer.answer([false]);
    await Promise.resolve();
    expect(peer.closes).toBe(0);
    peer.signal('Finished', [true, '']);
    expect(await outcome).toBe('done');
  });

  it('keeps a result that was there when the stream ended', async () => {
    const { peer, outcome } = follow();
    peer.answer([true]);
    peer.signal('Finished', [true, '']);
    peer.end(new BusClosedError('end of stream'));
    expect(await outcome).toBe('done');
  });

  it.each([
    ['No pending staged deployment found', 'gone'],
    ['Staged deployment already unlocked', 'unlocked'],
    ['Operation was cancelled', 'transient'],
    ['manifest unknown', 'release'],
  ])('classes the failure "%s" as %s', async (text, expected) => {
    const { peer, outcome } = follow();
    peer.answer([true]);
    peer.signal('Finished', [false, text]);
    expect(await outcome).toEqual({ class: expected, text });
    expect(peer.closes).toBe(1);
  });

  it.each([[[false]], [[false, '']], [[false, 7]], [[]], [['true', '']], [[1, '']]])(
    'takes %j for a failure, never for success',
    async (body) => {
      const { peer, outcome } = follow();
      peer.signal('Finished', body);
      expect(await outcome).toEqual({ class: 'transient', text: 'failed without a reason' });
    },
  );

  it.each(['transient', 'unknown'] as const)('does not know how it ended when the stream ends: %s', async (lost) => {
    const { peer, outcome } = follow(lost);
    peer.answer([true]);
    peer.end(new BusClosedError('end of stream'));
    expect(await outcome).toEqual({
      class: lost,
      text: "rpm-ostree's transaction ended without a result (end of stream)",
    });
    expect(peer.closes).toBe(1);
  });

  it('does not wait for a result when Start fails', async () => {
    const { peer, outcome } = follow();
    peer.refuse(new BusError('org.freedesktop.DBus.Error.Failed', 'no such thing'));
    expect(await outcome).toEqual({ class: 'unknown', text: 'starting the transaction: no such thing' });
    expect(peer.closes).toBe(1);
  });

  it('gives up when nothing is heard for too long, and counts from the last sign of life', async () => {
    vi.useFakeTimers();
    const { peer, outcome } = follow();
    let over = false;
    void outcome.then(() => (over = true));
    peer.answer([true]);
    for (let minute = 0; minute < 5; minute += 1) {
      await vi.advanceTimersByTimeAsync(59_000);
      peer.signal('PercentProgress', ['Writing', minute]);
    }
    await vi.advanceTimersByTimeAsync(59_999);
    expect(over).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcome).toEqual({
      class: 'unknown',
      text: "no sign of life from rpm-ostree's transaction for 60 s",
    });
    expect(peer.closes).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no timer behind when it ends well', async () => {
    vi.useFakeTimers();
    const { peer, outcome } = follow();
    peer.signal('Finished', [true, '']);
    await outcome;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('tells what is going on', async () => {
    const { peer, progress, outcome } = follow();
    peer.signal('TaskBegin', ['Checking out tree\ndeb3031']);
    peer.signal('PercentProgress', ['Writing objects', 42]);
    peer.signal('DownloadProgress', [
      [1n, 2n],
      [1, 0],
      [5, 5, 0],
      [0, 0, 0, 0n],
      [1, 3],
      [10n, 5n],
    ]);
    peer.signal('DownloadProgress', [
      [1n, 2n],
      [1, 0],
      [0, 0, 0],
      [0, 0, 0, 0n],
      [0, 0],
      [0n, 0n],
    ]);
    peer.signal('DownloadProgress', [
      [1n, 2n],
      [1, 0],
      [0, 0, 0],
      [0, 0, 0, 0n],
      [9, 3],
      [0n, 0n],
    ]);
    peer.signal('Finished', [true, '']);
    await outcome;
    expect(progress).toEqual([
      'Checking out tree deb3031',
      'Writing objects 42 %',
      'downloading 33 %',
      'downloading',
      'downloading 100 %',
    ]);
  });

  it('bears signals that are not as they should be, and those of others', async () => {
    const { peer, progress, outcome } = follow();
    for (const member of ['TaskBegin', 'PercentProgress', 'DownloadProgress', 'Message', 'Whatever']) {
      for (const body of [[], [7], ['x', 'y'], [null, null, null, null, null], [{}, [], 1n]]) peer.signal(member, body);
    }
    peer.signal('Finished', [false, 'not yours'], 'org.example.Other');
    peer.signal('Finished', [true, '']);
    expect(await outcome).toBe('done');
    expect(progress.every((text) => typeof text === 'string' && text.length <= 200)).toBe(true);
  });

  it('keeps to the first result', async () => {
    const { peer, outcome } = follow();
    peer.signal('Finished', [true, '']);
    peer.signal('Finished', [false, 'late']);
    expect(await outcome).toBe('done');
  });
});
