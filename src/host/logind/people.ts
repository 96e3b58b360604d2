import type { Session } from './session.ts';

/**
 * The sessions that stand for people, of these classes. One that is closing belongs to nobody: who it was has logged out.
 */
export function peopleIn(sessions: readonly Session[], classes: readonly string[]): readonly Session[] {
  return sessions.filter((session) => session.state !== 'closing' && classes.includes(session.class));
}

/**
 * True for a session that nobody has touched for longer than `idleMs` at `wall`; 0: none is idle. Without a time of the
 * last input, or with one that is yet to come, somebody is at work.
 */
export function isIdle({ idleSince }: Session, idleMs: number, wall: number): boolean {
  return idleMs > 0 && idleSince !== null && wall - idleSince > idleMs;
}
