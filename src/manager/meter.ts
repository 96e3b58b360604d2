import type { Operation, RefusalKind } from '../fleetlock/protocol.ts';
import type { Done } from './answer.ts';
import type { StoreError } from './store/store.ts';

/** Counts what is decided and what the store does. */
export interface Meter {
  /** A request was decided. `kind`: the outcome, or the kind of the refusal. */
  decision(group: string, operation: Operation, kind: Done['outcome'] | RefusalKind): void;
  /** A refresh or commit of the store has taken so many seconds. */
  storeTime(operation: 'refresh' | 'commit', seconds: number): void;
  storeError(kind: StoreError['kind']): void;
}

/** Counts what arrives as well. */
export interface HttpMeter extends Meter {
  /** A request has arrived, good or not. */
  incoming(operation: Operation): void;
}
