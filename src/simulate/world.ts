import type { Settings } from '../agent/machine/state.ts';
import type { Graph, Target } from '../graph/types.ts';

/**
 * What the lock server does: grants every slot at once, refuses every one, or has one free so many ms after it was first
 * asked for.
 */
export type SlotRule = 'granted' | 'refused' | { readonly freeAfterMs: number };

/** Everything that a simulation depends on: the same world gives the same steps. */
export interface World {
  readonly settings: Settings;
  /** Never changes; with `raw` its rollouts go on with the time. */
  readonly graph: Graph;
  /** What runs at first. */
  readonly from: Target;
  /** Of the booted release; null: nobody knows. */
  readonly stream: string | null;
  /** Milliseconds since 1970 at which the agent starts, and at which this ends at the latest. */
  readonly at: number;
  readonly until: number;
  /** Milliseconds that the host is up when the agent starts. */
  readonly uptimeMs: number;
  /** Milliseconds that it takes to fetch and stage a release, and from finalize to the start of the agent. */
  readonly stageMs: number;
  readonly bootMs: number;
  readonly slot: SlotRule;
  /** Somebody is logged in all the time. */
  readonly people: boolean;
  /** In place of chance: 0 <= dice < 1. */
  readonly dice: number;
}
