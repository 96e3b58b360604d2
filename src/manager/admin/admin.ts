import type { Answer } from '../answer.ts';
import type { FleetStatus, Manager } from '../api.ts';
import type { AuditRecord } from '../document.ts';
import { type HistoryQuery, StoreError } from '../store/store.ts';
import { errorText } from '../../base/text.ts';
import { type AdminOrder, carryOut } from './orders.ts';

/** Why something could not be asked, or was not answered. */
export interface AdminFailure {
  /** Nobody listens; this user may not ask; anything else. */
  readonly kind: 'not-running' | 'denied' | 'failed';
  /** For people, one line. */
  readonly text: string;
}

/** What came of asking; nothing is thrown. A refusal of an order is an `Answer`, not a failure. */
export type Asked<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: AdminFailure };

/** The manager as an administrator's command sees it: over its socket, or on its store. */
export interface Admin {
  status(): Promise<Asked<FleetStatus>>;
  /** Oldest first. */
  history(query: HistoryQuery): Promise<Asked<readonly AuditRecord[]>>;
  order(order: AdminOrder): Promise<Asked<Answer>>;
}

/** A manager in this process. */
export function directAdmin(manager: Manager): Admin {
  return {
    status: () => asked(manager.status()),
    history: (query) => asked(manager.history(query)),
    order: (order) => asked(carryOut(manager, order)),
  };
}

async function asked<T>(answer: Promise<T>): Promise<Asked<T>> {
  try {
    return { ok: true, value: await answer };
  } catch (error) {
    if (error instanceof StoreError) return { ok: false, failure: { kind: 'failed', text: errorText(error) } };
    throw error;
  }
}
