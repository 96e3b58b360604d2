import { sipHash13 } from '../base/siphash.ts';
import type { Rollout } from './types.ts';

const MAX_HASH = 2 ** 64;
const LEAST_WARINESS = 1e-6;
const LAST_DATE = 8.64e15;

/**
 * How long this host waits in a rollout, from 0 (first) to 1 (last): the configured value as it is sent (six decimals),
 * else what the server derives from the node id.
 */
export function wariness(configured: number | null, nodeId: string): number {
  if (configured !== null) return Math.min(1, Math.max(0, Number(configured.toFixed(6))));
  const hash = sipHash13(new Uint8Array([...new TextEncoder().encode(nodeId), 0xff]));
  return Math.max(LEAST_WARINESS, Number(hash) / MAX_HASH);
}

/** The share of the fleet that a rollout admits at a moment (milliseconds since 1970), 0..1. */
export function admitted(rollout: Rollout, wall: number): number {
  const { startWall, startValue, durationMinutes } = rollout;
  if (wall < startWall) return 0;
  if (durationMinutes === null) return startValue;
  const end = endOf(startWall, durationMinutes);
  if (wall >= end) return 1;
  return Math.min(1, startValue + (1 - startValue) * ((wall - startWall) / (end - startWall)));
}

/**
 * The first millisecond (since 1970) at which a rollout admits a host of this wariness: 0 for one that waits for
 * nothing, null for never (the rollout is paused below its wariness, or ends beyond all dates).
 */
export function reachesAt(rollout: Rollout, hostWariness: number): number | null {
  const { startWall, startValue, durationMinutes } = rollout;
  if (hostWariness <= 0) return 0;
  if (hostWariness <= startValue) return startWall;
  if (durationMinutes === null) return null;
  // Searched for, not solved for: so it agrees with `admitted` to the last bit.
  let [before, from] = [startWall, endOf(startWall, durationMinutes)];
  while (from - before > 1) {
    const middle = before + Math.floor((from - before) / 2);
    if (admitted(rollout, middle) >= hostWariness) from = middle;
    else before = middle;
  }
  return from > LAST_DATE ? null : from;
}

function endOf(startWall: number, minutes: number): number {
  return startWall + Math.max(1, minutes) * 60_000;
}
