import type { Instant } from '../../base/clock.ts';
import type { FailureClass } from '../../base/failure.ts';
import type { Event } from '../machine/event.ts';
import type { AgentState, AsyncKind, PhaseName } from '../machine/state.ts';
import type { Sight } from '../observer.ts';

/** What was counted since this process began. */
export interface Counts {
  /** Number of the last effect that was counted. */
  readonly lastId: number;
  /** Work that was begun. */
  readonly begun: Readonly<Partial<Record<AsyncKind, number>>>;
  /** Work that failed: the class is that of the failure. */
  readonly failed: readonly { readonly kind: AsyncKind; readonly class: FailureClass; readonly count: number }[];
  /** Finalize calls that rpm-ostree has acknowledged. */
  readonly finalized: number;
  /** Answers of lock servers to the question for a slot. */
  readonly slots: { readonly granted: number; readonly refused: number };
  /** The size of the last graph that was read; null: there was none. */
  readonly graph: { readonly releases: number; readonly edges: number } | null;
  /** Since when (ms since 1970) a staged update waits for its reboot, the ones that it replaced included; null: none. */
  readonly pendingSince: number | null;
  /** When the agent took its last step, or looked at others an hour after it; null: it did neither. */
  readonly seenAt: Instant | null;
}

/** Nothing has happened. */
export const NO_COUNTS: Counts = {
  lastId: 0,
  begun: {},
  failed: [],
  finalized: 0,
  slots: { granted: 0, refused: 0 },
  graph: null,
  pendingSince: null,
  seenAt: null,
};

/** The counts after one more sight. Answers that nobody waited for, late or foreign ones, do not count. */
export function countSight(counts: Counts, { before, after, event, at }: Omit<Sight, 'line' | 'config'>): Counts {
  return {
    ...counts,
    ...(event === null ? {} : countEvent(counts, before, event)),
    begun: begun(counts, after),
    lastId: after.lastId,
    pendingSince: pendingSince(counts.pendingSince, after, at),
    seenAt: at,
  };
}

/** Between two sights there may be a step that is not seen, so it is the number that tells what is new. */
function begun(counts: Counts, { pending, lastId }: AgentState): Counts['begun'] {
  if (lastId === counts.lastId) return counts.begun;
  const result = { ...counts.begun };
  for (const [name, id] of Object.entries(pending)) {
    const kind = name as AsyncKind;
    if (id > counts.lastId) result[kind] = (result[kind] ?? 0) + 1;
  }
  return result;
}

function countEvent(counts: Counts, { pending }: AgentState, event: Event): Partial<Counts> {
  const { slots, failed, finalized } = counts;
  if (event.kind === 'failed') {
    const { effect, id, failure } = event;
    return pending[effect] === id ? { failed: oneMore(failed, effect, failure.class) } : {};
  }
  if (event.kind === 'graphRead') return pending.fetchGraph === event.id ? { graph: sizeOf(event.graph) } : {};
  if (event.kind === 'finalized') return pending.finalize === event.id ? { finalized: finalized + 1 } : {};
  if (event.kind === 'slotGranted' || event.kind === 'slotRefused') {
    const answer = event.kind === 'slotGranted' ? 'granted' : 'refused';
    return pending.lock === event.id ? { slots: { ...slots, [answer]: slots[answer] + 1 } } : {};
  }
  return {};
}

type Graph = Extract<Event, { kind: 'graphRead' }>['graph'];

function sizeOf({ releases, edges, unusable }: Graph): Counts['graph'] {
  return { releases: unusable ?? releases.length, edges: edges.reduce((sum, to) => sum + to.length, 0) };
}

function oneMore(failed: Counts['failed'], kind: AsyncKind, failureClass: FailureClass): Counts['failed'] {
  const isIt = (one: Counts['failed'][number]): boolean => one.kind === kind && one.class === failureClass;
  const before = failed.find(isIt)?.count ?? 0;
  return [...failed.filter((one) => !isIt(one)), { kind, class: failureClass, count: before + 1 }];
}

const STAGED: ReadonlySet<PhaseName> = new Set(['holding', 'releasing', 'rebooting']);
const NOTHING: ReadonlySet<PhaseName> = new Set(['watching', 'disabled']);

/** While a newer release is staged in place of another one, the reboot has been waiting all the same. */
function pendingSince(before: number | null, { phase }: AgentState, at: Instant): number | null {
  if (NOTHING.has(phase.name)) return null;
  return STAGED.has(phase.name) ? (before ?? at.wall) : before;
}
