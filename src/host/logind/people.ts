import type { Session } from './session.ts';

/** Whose sessions count. */
export interface PeopleOptions {
  /** logind's classes of session that stand for people. */
  readonly classes: readonly string[];
  /** Who has not touched the session for longer than this many ms does not count; 0: everybody counts. */
  readonly idleMs: number;
}

/**
 * The sessions of people at `wall`. One that is closing belongs to nobody: who it was has logged out. Without a time of
 * the last input, or with one that is yet to come, somebody is at work.
 */
export function peopleIn(
  sessions: readonly Session[],
  { classes, idleMs }: PeopleOptions,
  wall: number,
): readonly Session[] {
  return sessions.filter((session) => {
    if (session.state === 'closing' || !classes.includes(session.class)) return false;
    return idleMs === 0 || session.idleSince === null || wall - session.idleSince <= idleMs;
  });
}
