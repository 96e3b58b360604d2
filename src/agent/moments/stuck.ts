import type { Instant } from '../../base/clock.ts';
import { duration } from '../../base/text.ts';
import { gatesOf, statusLine } from '../machine/explain.ts';
import { TROUBLES } from '../machine/narrate.ts';
import type { AgentState, TroubleSource } from '../machine/state.ts';
import { isClosed } from '../gates/gate.ts';
import { type Moment, momentOf } from './moment.ts';

/** What has been seen of what lasts. */
export interface Lasting {
  /** What has been called stuck and is not over, by its cause: since when, and what was said. */
  readonly told: ReadonlyMap<string, Cause>;
  /** Since when a reboot could have come, but for what ends at no known time; null: there is none to come. */
  readonly heldBack: Instant | null;
}

/** Nothing has been seen yet. */
export const NOTHING_LASTS: Lasting = { told: new Map(), heldBack: null };

/** One thing that can last too long. */
interface Cause {
  readonly since: Instant;
  /** What it is, as a clause. */
  readonly what: string;
  readonly reason: string;
}

/** These are somebody's to look after as soon as they are there. */
const AT_ONCE: ReadonlySet<string> = new Set<TroubleSource>(['health', 'reboot']);
const WAITING = 'waiting';
/** While one of these is told of, it is no news that the reboot does not come. */
const HOLDS_BACK: ReadonlySet<string> = new Set<TroubleSource>([
  'host',
  'slot',
  'report',
  'memory',
  'undo',
  'health',
  'finalize',
  'reboot',
]);

/**
 * What has lasted for `stuckMs` by now is told of once for each cause, and once more when it is over. With 0 nothing is
 * called stuck.
 */
export function lookForStuck(
  before: Lasting,
  state: AgentState,
  at: Instant,
  stuckMs: number,
): { readonly lasting: Lasting; readonly moments: readonly Moment[] } {
  const heldBack = heldBackSince(before.heldBack, state, at);
  const causes = causesIn(state, at, heldBack);
  const over = [...before.told].filter(([cause]) => !causes.has(cause));
  const told = new Map([...before.told].filter(([cause]) => causes.has(cause)));
  const moments = over.map(([cause, was]) => recovered(state, at, cause, was));
  for (const [cause, found] of stuckMs === 0 ? [] : causes) {
    const isKnown = told.has(cause) || (cause === WAITING && [...told.keys()].some((other) => HOLDS_BACK.has(other)));
    if (isKnown || at.mono - found.since.mono < (AT_ONCE.has(cause) ? 0 : stuckMs)) continue;
    told.set(cause, found);
    moments.push(stuck(state, at, cause, found));
  }
  return { lasting: { told, heldBack }, moments };
}

/** All that lasts, errors first. */
function causesIn(state: AgentState, at: Instant, heldBack: Instant | null): ReadonlyMap<string, Cause> {
  const causes = new Map<string, Cause>();
  for (const source of Object.keys(TROUBLES) as TroubleSource[]) {
    const trouble = state.troubles[source];
    if (trouble === undefined) continue;
    const kept = source === 'health' ? keptSlot(state) : '';
    causes.set(source, { since: trouble.since, what: TROUBLES[source], reason: trouble.text + kept });
  }
  if (heldBack !== null) {
    causes.set(WAITING, { since: heldBack, what: 'a reboot that does not come', reason: statusLine(state, at) });
  }
  return causes;
}

/** A boot that is not healthy stops the rollout. */
function keptSlot({ memory }: AgentState): string {
  const slot = memory.owed.find((report) => report.slot);
  return slot === undefined ? '' : `; the slot of group ${slot.group} is kept`;
}

/**
 * A window or a freeze that is to end is no reason to worry, so the time begins at the first moment without one. From
 * then on it goes on, also through the next window that is closed, until there is nothing to be rebooted into.
 */
function heldBackSince(since: Instant | null, state: AgentState, at: Instant): Instant | null {
  const { phase, memory } = state;
  const isStaged = phase.name === 'holding' || phase.name === 'releasing' || phase.name === 'rebooting';
  if (!isStaged && memory.target === null) return null;
  if (since !== null || !isStaged) return since;
  const ends = gatesOf(state, at).some((gate) => isClosed(gate) && gate.opensAt !== undefined);
  return ends ? null : at;
}

function stuck(state: AgentState, at: Instant, cause: string, { since, what, reason }: Cause): Moment {
  const lasts = at.mono - since.mono;
  const why = reason.startsWith(what) ? reason : `${what}: ${reason}`;
  const text = `stuck${lasts === 0 ? '' : ` for ${duration(lasts)}`}: ${why}`;
  return momentOf(state, at, 'stuck', text, { level: 'error', cause, reason, since: since.wall });
}

function recovered(state: AgentState, at: Instant, cause: string, { since, what }: Cause): Moment {
  const text = `no longer stuck, after ${duration(at.mono - since.mono)}: ${what}`;
  return momentOf(state, at, 'recovered', text, { cause, since: since.wall });
}
