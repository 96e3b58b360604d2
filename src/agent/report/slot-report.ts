import { utc } from '../../base/text.ts';
import type { Instant } from '../../base/clock.ts';
import type { AgentState, Refusal } from '../machine/state.ts';
import { wallOf } from './moment.ts';
import type { GateReport } from './report.ts';

type Slot = Pick<GateReport, 'verdict' | 'reason'> & Partial<Omit<GateReport, 'from' | 'gate' | 'asNow'>>;

/** The lock server refuses, or does not answer, as it said last; null: it has not, or may be asked again. */
function refusalOfSlot({ phase }: AgentState, mono: number): Refusal | null {
  const refusal = phase.name === 'holding' ? phase.refusal : null;
  return refusal?.by === 'lock' && refusal.until > mono ? refusal : null;
}

/** The slot of the fleet as the last gate: held, asked for, refused, not asked for yet, or not needed. */
export function slotReport(state: AgentState, at: Instant): Slot {
  const { settings, memory, phase, pending } = state;
  const { slot } = memory;
  if (slot?.state === 'held') {
    return { verdict: 'open', reason: `the slot of group ${slot.group} is held since ${utc(slot.since)}` };
  }
  const group = (slot ?? settings.lock)?.group ?? '';
  if (phase.name === 'releasing' && pending.lock !== undefined) {
    return closed(waiting(phase, phase.last?.since ?? slot?.since ?? at.wall, group), group);
  }
  const refusal = refusalOfSlot(state, at.mono);
  if (refusal !== null) return { ...closed(refusal.text, group), lookAgain: wallOf(refusal.until, at) };
  if (settings.lock === null) return withoutLock(state);
  const kept = slot === null ? '' : `; one that may be held already is kept since ${utc(slot.since)}`;
  return { verdict: 'notAsked', reason: `a slot of group ${group} is asked for when every gate is open${kept}` };
}

/** `since`: ms since 1970 of the first question. */
function waiting({ waitMs }: { readonly waitMs: number }, since: number, group: string): string {
  const how = waitMs === 0 ? 'is being asked' : 'answers the moment one is free';
  return `waits for a slot of group ${group} since ${utc(since)} (the lock manager ${how})`;
}

function closed(reason: string, group: string): Slot {
  const how = `who holds the slots: holdpoint manager status --group ${group}, on the lock manager`;
  return { verdict: 'closed', reason, opens: `the lock manager grants a slot of group ${group}`, how };
}

function withoutLock({ phase }: AgentState): Slot {
  if (phase.name === 'starting') return { verdict: 'notAsked', reason: 'this host has not been read yet' };
  return { verdict: 'open', reason: 'updates.strategy asks for no lock manager: this host decides alone' };
}
