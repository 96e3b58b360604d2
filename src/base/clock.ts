import { uptime } from 'node:os';

/** One moment on both clocks. Durations are measured on `mono`; calendars are read from `wall`. */
export interface Instant {
  /** Milliseconds since 1970-01-01T00:00:00Z, as this host believes. May jump. */
  readonly wall: number;
  /** Milliseconds since this boot, suspend included. Never jumps, starts again at each boot. */
  readonly mono: number;
}

/** A source of the current moment, passed to whatever needs one. */
export type Clock = () => Instant;

/** The clocks of this host. */
export const systemClock: Clock = () => ({ wall: Date.now(), mono: Math.round(uptime() * 1000) });
