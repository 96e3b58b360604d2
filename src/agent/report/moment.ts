import type { Instant } from '../../base/clock.ts';

/** How a moment (ms since 1970) is shown. */
export type ShowMoment = (wall: number) => string;

/** Another moment, in ms since 1970, as far as the boot clock of this boot goes: it does not count below 0. */
export function instantAt(now: Instant, wall: number): Instant {
  return { wall, mono: Math.max(0, now.mono + (wall - now.wall)) };
}

/** The last moment of the year 9999: later ones cannot be written, and are told as none. */
const LAST = 253_402_300_799_999;

/** A moment in ms since 1970; null for one that is beyond the year 9999. */
export function thatComes(wall: number | null): number | null {
  return wall === null || wall > LAST ? null : wall;
}

/** Milliseconds since 1970 of a moment on the boot clock; null for none, and for one that never comes. */
export function wallOf(mono: number | null | undefined, at: Instant): number | null {
  return mono === null || mono === undefined || !Number.isFinite(mono) ? null : thatComes(at.wall + (mono - at.mono));
}
