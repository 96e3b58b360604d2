import type { Peer, Signal } from '../../bus/api.ts';
import { type Failure, FailureError } from '../../base/failure.ts';
import { errorText, oneLine } from '../../base/text.ts';
import { finishedFailure } from './errors.ts';

const INTERFACE = 'org.projectatomic.rpmostree1.Transaction';

/** How a transaction is followed. */
export interface TransactionOptions {
  /** Milliseconds without any signal after which it counts as lost. */
  readonly stallMs: number;
  /** The class of "nobody knows how it ended". */
  readonly lost: Failure['class'];
  /** Called with a line for people whenever there is one. */
  readonly onProgress: (text: string) => void;
}

/**
 * Starts a transaction on its own connection, or joins it where it runs already, and follows it to its end. Resolves
 * when rpm-ostree says that it succeeded; rejects with a `FailureError`. The connection is closed in any case: while it
 * is open, rpm-ostree refuses every other transaction.
 */
export async function followTransaction(peer: Peer, options: TransactionOptions): Promise<void> {
  const watchdog = stallTimer(options);
  const finished = new Promise<void>((resolve, reject) => {
    // Signals may arrive before the reply to Start: the handler is there first.
    peer.onSignal((signal) => {
      if (signal.interface !== INTERFACE) return;
      watchdog.touch();
      if (signal.member !== 'Finished') report(signal, options.onProgress);
      else if (signal.body[0] === true) resolve();
      else reject(new FailureError(finishedFailure(textOf(signal.body[1]) || 'failed without a reason')));
    });
  });
  const lost = peer.closed.then((error) => {
    const text = `rpm-ostree's transaction ended without a result (${error === null ? 'closed' : errorText(error)})`;
    throw new FailureError({ class: options.lost, text });
  });
  try {
    const started = peer.call({ path: '/', interface: INTERFACE, member: 'Start' }).then(
      () => undefined,
      (error: unknown) => {
        throw new FailureError({ class: options.lost, text: `starting the transaction: ${errorText(error)}` });
      },
    );
    // A result may overtake the reply to Start; a failed Start must not wait for a result.
    await Promise.race([finished, started.then(() => finished), lost, watchdog.expired]);
  } finally {
    watchdog.stop();
    peer.close();
    finished.catch(() => undefined);
    lost.catch(() => undefined);
  }
}

interface StallTimer {
  readonly expired: Promise<never>;
  readonly touch: () => void;
  readonly stop: () => void;
}

function stallTimer({ stallMs, lost }: TransactionOptions): StallTimer {
  let fire: (error: Error) => void = () => undefined;
  const expired = new Promise<never>((_, reject) => (fire = reject));
  expired.catch(() => undefined);
  const text = `no sign of life from rpm-ostree's transaction for ${stallMs / 1000} s`;
  const timer = setTimeout(() => fire(new FailureError({ class: lost, text })), stallMs);
  return { expired, touch: () => timer.refresh(), stop: () => clearTimeout(timer) };
}

function report(signal: Signal, onProgress: (text: string) => void): void {
  const [first, second] = signal.body;
  if (signal.member === 'PercentProgress' && typeof second === 'number')
    onProgress(`${textOf(first)} ${second} %`.trim());
  if (signal.member === 'TaskBegin') onProgress(textOf(first));
  if (signal.member === 'DownloadProgress') onProgress(downloadText(signal.body));
}

/** `DownloadProgress (tt)(uu)(uuu)(uuut)(uu)(tt)`: the third tells metadata, the fifth content objects: had and wanted. */
function downloadText(body: readonly unknown[]): string {
  const [had, wanted] = Array.isArray(body[4]) ? (body[4] as readonly unknown[]) : [];
  if (typeof had !== 'number' || typeof wanted !== 'number' || wanted === 0) return 'downloading';
  return `downloading ${Math.min(100, Math.floor((had / wanted) * 100))} %`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? oneLine(value, 200) : '';
}
