import { refuse } from '../answer.ts';
import type { Manager } from '../api.ts';
import { textAnswer } from './answers.ts';
import { withDeadline } from '../../base/deadline.ts';
import type { Exchange } from './exchange.ts';

/** Milliseconds that the store has to show that it is there. */
const LONGEST_LOOK_MS = 5000;
const LATE = `the store of the lock manager did not answer within ${LONGEST_LOOK_MS / 1000} s`;

/** Asks whether the manager is ready, once for all who ask at the same time. */
export class Readiness {
  readonly #manager: Pick<Manager, 'readiness'>;
  #look: Promise<string | null> | null = null;

  constructor(manager: Pick<Manager, 'readiness'>) {
    this.#manager = manager;
  }

  /** Null: it is ready; a text says why not. Never rejects. */
  async problem(): Promise<string | null> {
    this.#look ??= this.#ask().finally(() => {
      this.#look = null;
    });
    return this.#look;
  }

  async #ask(): Promise<string | null> {
    try {
      return await withDeadline(this.#manager.readiness(), LONGEST_LOOK_MS, LATE);
    } catch {
      // Who asks may be anybody.
      return LATE;
    }
  }
}

const GET_ONLY = refuse('method_not_allowed', 'this is asked with GET');
const ALIVE = textAnswer(200, 'text/plain; charset=utf-8', 'ok');

/** Refuses what is neither GET nor HEAD. True when it did. */
export function refuseUnlessGet(exchange: Exchange): boolean {
  const { method } = exchange.request;
  if (method === 'GET' || method === 'HEAD') return false;
  exchange.refuse(GET_ONLY, ['Allow', 'GET, HEAD']);
  return true;
}

/** Answers whether the process lives (`healthz`), or whether it can decide (`readyz`). */
export function answerProbe(exchange: Exchange, route: 'healthz' | 'readyz', readiness: Readiness): void {
  if (refuseUnlessGet(exchange)) return;
  exchange.work();
  if (route === 'healthz') exchange.answer(ALIVE);
  else void answerReady(exchange, readiness);
}

async function answerReady(exchange: Exchange, readiness: Readiness): Promise<void> {
  const problem = await readiness.problem();
  if (problem === null) exchange.answer(ALIVE);
  else exchange.refuse(refuse('store_unavailable', problem, LONGEST_LOOK_MS));
}
