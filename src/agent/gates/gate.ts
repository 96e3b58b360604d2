/** What one gate says. */
export type GateVerdict = {
  readonly gate: GateName;
} & (
  | {
      readonly open: true;
      /** Milliseconds since boot at which it closes by itself; left out when nothing but an event closes it. */
      readonly until?: number;
      /** Why it would be closed if an administrator had not ordered otherwise, as a clause. */
      readonly despite?: string;
    }
  | {
      readonly open: false;
      /** Why, as a clause that follows "waiting: ". */
      readonly reason: string;
      /** Milliseconds since boot at which to look again; null when an event will tell. */
      readonly lookAgain: number | null;
      /** Milliseconds since 1970 at which it opens by itself, where that is known. */
      readonly opensAt?: number;
      /** What would open it. */
      readonly opens: string;
    }
);

/** The gates, in the order in which they are asked. */
export const GATES = [
  'enabled',
  'health',
  'freeze',
  'pause',
  'clock',
  'window',
  'uptime',
  'postponed',
  'inhibitors',
  'holds',
  'power',
  'people',
  'hooks',
  'report',
  'refusal',
] as const;
/** One of them. */
export type GateName = (typeof GATES)[number];

/** A closed verdict. */
export type ClosedGate = Extract<GateVerdict, { open: false }>;

/** Milliseconds from `mono` (since boot) for which all gates stay open unless something happens; may be Infinity. */
export function openFor(verdicts: readonly GateVerdict[], mono: number): number {
  const ends = verdicts.flatMap((verdict) => (verdict.open ? (verdict.until ?? []) : mono));
  return Math.max(0, Math.min(...ends) - mono);
}

/** True for a gate that keeps the reboot back. */
export function isClosed(verdict: GateVerdict): verdict is GateVerdict & ClosedGate {
  return !verdict.open;
}

/** A gate that nothing but an event closes. */
export function open(gate: GateName): GateVerdict {
  return { gate, open: true };
}

/** A gate that an event will open. */
export function closed(
  gate: GateName,
  reason: string,
  opens: string,
  lookAgain: number | null = null,
): GateVerdict & ClosedGate {
  return { gate, open: false, reason, lookAgain, opens };
}
