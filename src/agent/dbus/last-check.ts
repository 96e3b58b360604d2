import { explainVerdict } from '../../graph/why.ts';
import type { AgentState, Trouble } from '../machine/state.ts';

/** How the update graph was asked last. */
export interface LastCheck {
  /** Seconds since 1970 of the last answer that could be used; 0: there was none. */
  readonly at: number;
  /** `update`, `failed`, or the kind of the verdict (`newest`, `rollout`, …); empty: it was not asked yet. */
  readonly result: string;
  /** The same as a clause, for people. */
  readonly text: string;
}

/** What came of the last look at the update graph. */
export function lastCheck({ check, troubles, phase }: Pick<AgentState, 'check' | 'troubles' | 'phase'>): LastCheck {
  const at = check === null ? 0 : Math.floor(check.at.wall / 1000);
  if (troubles.graph !== undefined) return { at, result: 'failed', text: troubles.graph.text };
  if (check === null) return { at, result: '', text: '' };
  if (check.verdict !== null) return { at, result: check.verdict.kind, text: explainVerdict(check.verdict) };
  const target = 'target' in phase ? ` to ${phase.target.version}` : '';
  return { at, result: 'update', text: `there is an update${target}` };
}

/** What goes wrong at present, the newest first, for people; empty when nothing does. */
export function lastError({ troubles }: Pick<AgentState, 'troubles'>): string {
  const list: readonly Trouble[] = Object.values(troubles);
  return list
    .toSorted((a, b) => b.since.mono - a.since.mono)
    .map(({ text }) => text)
    .join('; ');
}
