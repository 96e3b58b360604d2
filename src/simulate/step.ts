/** What may happen in a simulation. */
export const STEP_KINDS = [
  'boot',
  'check',
  'stage',
  'staged',
  'discard',
  'hold',
  'ask',
  'granted',
  'refused',
  'tell',
  'finalize',
  'report',
  'trouble',
] as const;

/** One line of the timeline. */
export interface SimulatedStep {
  /** Milliseconds since 1970 at which it happens, and at which it happens for the last time where it is repeated. */
  readonly at: number;
  readonly last: number;
  /** How often it happens until something else of importance does. */
  readonly times: number;
  readonly kind: (typeof STEP_KINDS)[number];
  /** The version that it is about, or null. */
  readonly release: string | null;
  /** What happens and why, for people; moments in it are in UTC. */
  readonly text: string;
  /** Milliseconds since 1970 of what the agent waits for: its next look at the graph, or the opening of what holds it. */
  readonly next: number | null;
}

/** A step that happens once, so far. */
export type NewStep = Omit<SimulatedStep, 'last' | 'times' | 'at'>;
