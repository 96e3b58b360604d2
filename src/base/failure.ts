/**
 * Whose fault a failure is, and so what follows:
 * - `transient`: it passes; try again.
 * - `gone`: what was staged is no longer there, or is something else.
 * - `release`: the release cannot be had as it is; counted against it.
 * - `unlocked`: finalize found the deployment unlocked already.
 * - `underway`: the host is about to reboot already.
 * - `unknown`: the call may or may not have been carried out.
 */
export type FailureClass = 'transient' | 'gone' | 'release' | 'unlocked' | 'underway' | 'unknown';

/** Something that did not work, in words fit for one line of a log. */
export interface Failure {
  readonly class: FailureClass;
  readonly text: string;
  /** Milliseconds that the other side asked to wait before the next try, if it did. */
  readonly retryAfterMs?: number;
}

/** A failure as it travels through code that throws. */
export class FailureError extends Error {
  override readonly name = 'FailureError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.text);
    this.failure = failure;
  }
}
