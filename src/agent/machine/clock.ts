import type { Quarantine } from './memory.ts';
import { QUARANTINE_MS } from './quarantine.ts';
import { type Turn, remember } from './turn.ts';

/** Milliseconds by which the wall clock must have moved against the other one to have been set. */
const SET_MS = 60_000;

/**
 * Keeps what is measured in wall time right where the clock is set, which often is after the first look at a new boot: a
 * quarantine that was written before moves with it. Also notices a clock that was set while the agent did not run.
 */
export function followClock(turn: Turn): void {
  const { memory, bootId } = turn.state;
  if (memory.bootId !== bootId) return;
  const { wall, mono } = turn.event.at;
  const bootWall = wall - mono;
  const by = memory.bootWall === null ? 0 : bootWall - memory.bootWall;
  if (memory.bootWall !== null && Math.abs(by) < SET_MS) return;
  const quarantine = memory.quarantine.map((entry) => ({ ...entry, since: entry.since + by, until: entry.until + by }));
  const postponed = later(memory.postponed, by);
  const [order, cancelled] = [later(memory.order, by), later(memory.cancelled, by)];
  remember(turn, { bootWall, ...(by === 0 ? {} : { quarantine, postponed, order, cancelled }) });
}

function later<T extends { readonly until: number }>(span: T | null, by: number): T | null {
  return span === null ? null : { ...span, until: span.until + by };
}

/** At a start: follows the clock from here on in a new boot. What was written with a clock ahead lasts a day at most. */
export function beginClock(turn: Turn, isNewBoot: boolean): void {
  const { wall, mono } = turn.event.at;
  const { quarantine } = turn.state.memory;
  const latest = wall + QUARANTINE_MS;
  const clamp = (entry: Quarantine): Quarantine =>
    entry.until <= latest ? entry : { ...entry, since: Math.min(entry.since, wall), until: latest };
  if (isNewBoot) remember(turn, { bootWall: wall - mono });
  if (quarantine.some(({ until }) => until > latest)) remember(turn, { quarantine: quarantine.map(clamp) });
}

/** Forgets quarantines that are over, and a reboot that was cancelled for long enough. */
export function endQuarantines(turn: Turn): void {
  const { quarantine, cancelled } = turn.state.memory;
  if (cancelled !== null && cancelled.until <= turn.event.at.wall) remember(turn, { cancelled: null });
  const kept = quarantine.filter(({ until }) => until > turn.event.at.wall);
  if (kept.length < quarantine.length) remember(turn, { quarantine: kept });
}
