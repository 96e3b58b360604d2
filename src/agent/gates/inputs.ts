import type { Instant } from '../../base/clock.ts';
import type { Memory } from '../machine/memory.ts';
import type { AgentState, Refusal, Settings } from '../machine/state.ts';
import type { Around, Courtesy, HookVerdict } from './around.ts';

/** What the local gates look at. */
export interface GateInputs {
  readonly at: Instant;
  readonly memory: Memory;
  readonly settings: Settings;
  /** The last "not now" of the lock server, of rpm-ostree or of a hook, while it lasts. */
  readonly refusal: Refusal | null;
  /** The last reading of what surrounds a reboot; null before the first. */
  readonly around: Around | null;
  readonly courtesy: Courtesy;
  /** What the `may-reboot` hooks said last; null: they were not asked. */
  readonly hooks: HookVerdict | null;
}

/** What the gates look at in a state. */
export function inputsOf(state: AgentState, at: Instant, refusal: Refusal | null): GateInputs {
  const { memory, settings, around, courtesy, hooks } = state;
  return { at, memory, settings, refusal, around, courtesy, hooks };
}

/** Milliseconds after which a gate that waits for a moment on the clock looks at it again: it may have been set. */
const CLOCK_MS = 60_000;

/** When to look again, in ms since boot, at what is to happen at a moment in ms since 1970. */
export function lookAgainFor({ at }: Pick<GateInputs, 'at'>, wall: number): number {
  return at.mono + Math.min(wall - at.wall, CLOCK_MS);
}
