import type { Instant } from '../../base/clock.ts';
import type { MomentName } from '../../config/moment-names.ts';
import type { AgentState } from '../machine/state.ts';
import type { Sight } from '../observer.ts';

/** Something that people, or programs, should hear of. */
export interface Moment {
  readonly event: MomentName;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly level: 'error' | 'warn' | 'info';
  /** The version that runs; null while it is not known. */
  readonly booted: string | null;
  /** The version that it is about, or that is to be booted next. */
  readonly target: string | null;
  /** The version that was left. */
  readonly from: string | null;
  /** Of `stuck` and the `recovered` that follows it: what it is, the same for both. */
  readonly cause: string | null;
  /** Why, as a clause. May hold the words of a server: in one line, and none of its control characters. */
  readonly reason: string | null;
  /** Milliseconds since 1970 at which it began, where that is worth knowing. */
  readonly since: number | null;
  /** One sentence without a full stop. */
  readonly text: string;
}

/** What moments are found in: the state before and after a step. */
export type Step = Pick<Sight, 'before' | 'after' | 'at'>;

/** A moment about a state, with what is known of it. */
export function momentOf(
  state: AgentState,
  at: Instant,
  event: MomentName,
  text: string,
  rest: Partial<Omit<Moment, 'event' | 'at' | 'text'>> = {},
): Moment {
  const { host, memory, phase } = state;
  const target = 'target' in phase ? phase.target.version : (memory.target?.release.version ?? null);
  const booted = host?.booted?.version ?? memory.lastBoot?.version ?? null;
  const none = { from: null, cause: null, reason: null, since: null };
  return { event, at: at.wall, level: 'info', booted, target, ...none, ...rest, text };
}
