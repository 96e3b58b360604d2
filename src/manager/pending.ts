import type { Answer, Refusal } from './answer.ts';
import type { Request } from './batch.ts';

/** A request that has not had its answer, and who is to hear it. */
export interface Pending {
  request: Request;
  readonly settle: (answer: Answer) => void;
  /** It has had its last word: what is decided for it now reaches nobody. */
  over: boolean;
  /** How often it is looked at before the silence of the store is answered for. */
  looksLeft: number;
  /** For a request that may wait. */
  readonly wait: Wait | null;
}

/** How long a request may wait, and for whom. */
export interface Wait {
  /** Milliseconds since 1970. */
  readonly until: number;
  /** Aborted when nobody is there any more. */
  readonly signal: AbortSignal;
  /** What was decided for it last; null: nothing yet. */
  refusal: Refusal | null;
  /** Ends what watches over it. */
  stop: () => void;
}

/** It was refused and waits: nobody is kept from an answer when deciding on it is put off. */
export function isWaiting({ wait }: Pending): boolean {
  return wait !== null && wait.refusal !== null;
}

/** Nobody is there any more to hear of it. */
export function isGone({ wait }: Pending): boolean {
  return wait?.signal.aborted === true;
}

/** A grant to it may have been written without anybody here knowing. */
export function isInDoubt({ request }: Pending): boolean {
  return request.kind === 'lock' && request.waited && (request.tried ?? []).length > 0;
}

/** Notes that nobody knows whether what was decided at a moment for these requests was written. */
export function noteDoubt(batch: readonly Pending[], at: number): void {
  for (const pending of batch) {
    const { request } = pending;
    if (request.kind === 'lock' && request.waited) {
      pending.request = { ...request, tried: [...(request.tried ?? []), at] };
    }
  }
}
