import type { Instant } from '../base/clock.ts';
import type { Config } from '../config/schema.ts';
import type { Event } from './machine/event.ts';
import type { AgentState } from './machine/state.ts';

/** What an observer sees: one step of the machine, or, without an event, the state after an hour at the most. */
export interface Sight {
  readonly before: AgentState;
  readonly after: AgentState;
  readonly at: Instant;
  /** Null: nothing happened but time. */
  readonly event: Event | null;
  /** The status line as it is now. */
  readonly line: string;
  /** The configuration in force. */
  readonly config: Config;
}

/**
 * Somebody who tells others what the agent does, and has no say in it. It is told after each step, when the effects have
 * been begun; what it throws is logged, and changes nothing.
 */
export interface Observer {
  /** For the log. */
  readonly name: string;
  readonly see: (sight: Sight) => void;
  /** The agent ends. What is still to be delivered may take until the signal is aborted. */
  readonly close: (signal: AbortSignal) => Promise<void> | void;
}
