import type { Window } from '../../src/config/window.ts';

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;
const WEEK_MINUTES = 7 * 24 * 60;

/**
 * Reads local clocks as `Date` does, through TZ, while the code under test asks `Intl` for each zone: another way to
 * the same data. The property tests look at whole minutes, at which all of their zones' clocks do too.
 */
export function inZone<T>(timeZone: string, read: () => T): T {
  const before = process.env['TZ'];
  process.env['TZ'] = timeZone;
  try {
    return read();
  } finally {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  }
}

/** Minutes since Sunday 00:00 on the local clock; whether some window began no longer ago than it lasts. */
export function expectedOpen(windows: readonly Window[], wall: number): boolean {
  const date = new Date(wall);
  const clock = date.getDay() * 1440 + date.getHours() * 60 + date.getMinutes();
  return windows.some(({ days, startMinute, lengthMinutes }) =>
    days.some((day) => (clock - day * 1440 - startMinute + 2 * WEEK_MINUTES) % WEEK_MINUTES < lengthMinutes),
  );
}

/** The first multiple of `step` after `wall`, up to `end`, at which windows are open (or closed); `end` when none is. */
export function expectedNext(
  windows: readonly Window[],
  open: boolean,
  wall: number,
  end: number,
  step: number,
): number {
  let at = Math.floor(wall / step) * step + step;
  while (at < end && expectedOpen(windows, at) !== open) at += step;
  return Math.min(at, end);
}

/** Every instant in [from, to) at which the offset of the local clocks is not what it was a quarter of an hour before. */
export function shiftsBetween(from: number, to: number): readonly number[] {
  const shifts: number[] = [];
  let offset = new Date(from).getTimezoneOffset();
  for (let at = from; at < to; at += 15 * MINUTE) {
    const next = new Date(at).getTimezoneOffset();
    if (next !== offset) shifts.push(at);
    offset = next;
  }
  return shifts;
}
