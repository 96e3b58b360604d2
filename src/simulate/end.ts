import type { Instant } from '../base/clock.ts';
import { duration } from '../base/text.ts';
import type { Verdict } from '../graph/choose.ts';
import { explainVerdict } from '../graph/why.ts';
import { isClosed } from '../agent/gates/gate.ts';
import { gatesOf } from '../agent/machine/explain.ts';
import type { AgentState } from '../agent/machine/state.ts';
import { freezeAt } from '../strategy/freeze.ts';
import { scheduleAt } from '../strategy/schedule.ts';
import type { World } from './world.ts';

/**
 * Why a simulation ends. `newest`, `deadEnd`, `noUpdate`: the graph has nothing more for this host; `never`: no moment is
 * left at which it may reboot; `idle`: this host takes no updates from a graph; `until`, `steps`: it was to go no further.
 */
export const ENDS = ['newest', 'deadEnd', 'noUpdate', 'never', 'idle', 'until', 'steps'] as const;

/** How a simulation ended. `text`: one clause for people. */
export interface End {
  readonly kind: (typeof ENDS)[number];
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly text: string;
}

/** The end where nothing more can happen in this world, or null. The agent must have nothing under way. */
export function endOf(state: AgentState, at: Instant, world: World): End | null {
  const { phase, settings } = state;
  if (phase.name === 'disabled') return { kind: 'idle', at: at.wall, text: phase.reason };
  if (phase.name === 'holding') return neverOpen(state, at);
  if (phase.name !== 'watching') return null;
  if (settings.source === 'staged') {
    return { kind: 'idle', at: at.wall, text: 'it waits for somebody else to stage a release (updates.source)' };
  }
  const verdict = state.check?.verdict ?? null;
  if (verdict === null || state.memory.owed.length > 0 || mayChange(verdict, world)) return null;
  const kind = verdict.kind === 'newest' || verdict.kind === 'deadEnd' ? verdict.kind : 'noUpdate';
  return { kind, at: at.wall, text: explainVerdict(verdict) };
}

/** The end of one that went as far as it was to go. */
export function cutOff(kind: 'until' | 'steps', at: number, world: World): End {
  const text =
    kind === 'until'
      ? `the simulated ${duration(world.until - world.at)} are over`
      : 'more happens than is simulated at once (see --until)';
  return { kind, at, text };
}

/** Only the rollouts of a raw graph go on, and those of them that are not paused. */
function mayChange(verdict: Verdict, { graph }: World): boolean {
  if (graph.raw !== true) return false;
  return 'wait' in verdict && verdict.wait !== null && verdict.wait.at !== null;
}

/** Windows that never come, and freezes that never end. */
function neverOpen(state: AgentState, at: Instant): End | null {
  const { schedule, freezes } = state.settings;
  const isShut = schedule !== null && isNever(scheduleAt(schedule, at.wall));
  const frozen = freezes === null ? null : freezeAt(freezes, at.wall);
  const isFrozen = frozen?.frozen === true && frozen.until === Infinity;
  if (!isShut && !isFrozen) return null;
  const gate = gatesOf(state, at).find((one) => one.gate === (isFrozen ? 'freeze' : 'window') && isClosed(one));
  return gate === undefined || gate.open ? null : { kind: 'never', at: at.wall, text: `${gate.reason}, for ever` };
}

function isNever(openness: ReturnType<typeof scheduleAt>): boolean {
  return !openness.open && openness.opens === null;
}
