import type { Instant } from '../base/clock.ts';
import { utc } from '../base/text.ts';
import { type ClosedGate, isClosed } from '../agent/gates/gate.ts';
import { gatesOf } from '../agent/machine/explain.ts';
import type { AgentState } from '../agent/machine/state.ts';
import type { NewStep } from './step.ts';

/** What keeps a staged release back. */
export interface Held {
  /** The same while nothing of it changes, and where the same keeps it back again, at another time. */
  readonly now: string;
  readonly key: string;
  /** How many times it may be told on its own: each has its own end, but that of a refusal is only another question. */
  readonly rows: number;
  readonly step: NewStep;
}

const MOST_ROWS = 3;

/** What keeps a staged release back at this moment, or null. */
export function heldBy(state: AgentState, at: Instant): Held | null {
  const { phase } = state;
  if (phase.name !== 'holding') return null;
  const closed = gatesOf(state, at).filter(isClosed);
  if (closed.length === 0) return null;
  const now = closed.map(({ gate, reason, opensAt = 0 }) => `${gate} ${reason} ${opensAt}`).join();
  const key = `hold ${closed.map(({ gate, reason }) => `${gate} ${reason}`).join()}`;
  const { version } = phase.target;
  const text = `holds ${version}: ${closed.map((gate) => reasonOf(gate, at)).join('; ')}`;
  const rows = closed.some(({ gate }) => gate === 'refusal') ? 1 : MOST_ROWS;
  return { now, key, rows, step: { kind: 'hold', release: version, text, next: lastOf(closed, at) } };
}

function reasonOf(closed: ClosedGate, at: Instant): string {
  const { reason, opensAt } = closed;
  if (opensAt === Infinity) return `${reason}, for ever`;
  if (opensAt !== undefined) return `${reason}, until ${utc(opensAt)}`;
  const again = againAt(closed, at);
  return again === null ? reason : `${reason}, asked again at ${utc(again)}`;
}

/** A refusal opens by itself, which says nothing of the answer to the next question. */
function againAt({ lookAgain }: ClosedGate, at: Instant): number | null {
  return lookAgain === null ? null : at.wall + lookAgain - at.mono;
}

/** Milliseconds since 1970 at which all of them are open, or asked again; null where nobody knows. */
function lastOf(closed: readonly ClosedGate[], at: Instant): number | null {
  const times = closed.map((gate) => gate.opensAt ?? againAt(gate, at) ?? Infinity);
  const last = Math.max(...times);
  return last === Infinity ? null : last;
}
