const DAY = 86_400_000;
/** What is open for longer than this is always open; milliseconds. */
export const FOR_EVER = 366 * DAY;

/** A time in which something is so, half-open, in milliseconds since 1970; ends may be infinite. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** Joins times that touch; they come in the order in which they begin, and end in that order. */
export function joined(periods: readonly Period[]): readonly Period[] {
  const apart: Period[] = [];
  for (const next of periods) {
    const last = apart.at(-1);
    if (last === undefined || last.to < next.from) apart.push(next);
    else apart[apart.length - 1] = { from: last.from, to: next.to };
  }
  return apart;
}
