import { sipHash13 } from '../base/siphash.ts';
import type { Period } from './period.ts';

const SECOND = 1000;
/** Hosts are spread over no more than this, so that none waits for days in what is open for days. */
const WIDEST = 24 * 60 * 60 * SECOND;
/** Of the hash, as many as a number can hold. */
const BITS = 53;

/**
 * Where a host begins within an open time, in milliseconds since 1970, whole seconds after its start: a place that
 * follows from its id and from that start, so that it is the same whenever it is asked for, and another one in the next
 * window, within its first day. `graceMs` are left from there to the end, where the window is long enough; where it is
 * not, all begin at its start, as they do in what has been open since ever.
 */
export function placeIn({ from, to }: Period, nodeId: string, graceMs: number): number {
  if (from === Number.NEGATIVE_INFINITY) return from;
  const room = Math.min(to - from - graceMs, WIDEST);
  if (room <= 0) return from;
  const hash = sipHash13(new TextEncoder().encode(`${nodeId} ${from}`)) >> BigInt(64 - BITS);
  const part = Number(hash) / 2 ** BITS;
  return from + Math.floor((part * room) / SECOND) * SECOND;
}
