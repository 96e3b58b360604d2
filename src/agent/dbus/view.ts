import type { Clock } from '../../base/clock.ts';
import type { Authorization, AuthorizationQuestion } from '../../host/polkit/authority.ts';
import type { Order, OrderAnswer } from '../machine/orders.ts';
import type { Postponement } from '../machine/people.ts';
import type { AgentState } from '../machine/state.ts';

/** The agent as its interface on the bus shows it. */
export interface AgentView {
  readonly clock: Clock;
  readonly state: () => AgentState;
  /** The status line, as of now. */
  readonly line: () => string;
  /** Postpones the reboot on behalf of somebody who may. */
  readonly postpone: (by: string, forMs: number) => Postponement;
  /** Carries out an order of somebody who may give it. `by`: who that is, for people. */
  readonly order: (order: Order, by: string) => OrderAnswer;
  /** Everything that the agent has to say of itself, as JSON. `at`: ms since 1970 for which it is to say so; null: now. */
  readonly explain: (at: number | null) => Promise<string>;
}

/** Asks polkit about somebody who calls. */
export type Authorize = (question: AuthorizationQuestion) => Promise<Authorization>;
