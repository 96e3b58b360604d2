import type { Memory } from '../machine/memory.ts';
import type { GateVerdict } from './gate.ts';
import type { GateInputs } from './inputs.ts';

/** True while an `update --now` is in force, at a moment in milliseconds since 1970. */
export function isOrdered({ order }: Pick<Memory, 'order'>, wall: number): boolean {
  return order !== null && wall < order.until;
}

/** An `update --now` stands for the consent of gates that are about time and patience, while it is in force. */
export function hurryOf({ at, memory }: GateInputs): (verdict: GateVerdict) => GateVerdict {
  const { order } = memory;
  if (order === null || !isOrdered(memory, at.wall)) return (verdict) => verdict;
  const until = at.mono + (order.until - at.wall);
  return (verdict) => (verdict.open ? verdict : { gate: verdict.gate, open: true, until, despite: verdict.reason });
}
