import type { Instant } from '../../base/clock.ts';
import type { AgentState } from './state.ts';

/** What an administrator may order. `forMs`: milliseconds; `until`: milliseconds since 1970, null: until it is resumed. */
export type Order =
  | { readonly kind: 'checkNow' }
  | { readonly kind: 'updateNow'; readonly forMs: number }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'pause'; readonly until: number | null; readonly reason: string }
  | { readonly kind: 'resume' }
  | { readonly kind: 'skip'; readonly version: string }
  | { readonly kind: 'unskip'; readonly version: string };

/** What comes of an order. `text`: for people, one clause, lower case, no full stop. */
export interface OrderAnswer {
  readonly outcome: 'done' | 'nothing' | 'refused';
  readonly text: string;
}

/** What would come of an order in this state. */
export function answerOrder(state: AgentState, order: Order, at: Instant): OrderAnswer {
  if (state.stopping !== null) return { outcome: 'refused', text: `the agent is stopping since ${at.mono}` };
  return { outcome: 'done', text: `${order.kind} is done` };
}
