/** A time in which something is so, half-open, in milliseconds since 1970; ends may be infinite. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** Joins times that overlap or touch, or other such parts: what they cover together, ascending. */
export function joined(periods: readonly Period[]): readonly Period[] {
  const apart: Period[] = [];
  for (const next of [...periods].sort((a, b) => a.from - b.from)) {
    const last = apart.at(-1);
    if (last === undefined || last.to < next.from) apart.push(next);
    else if (next.to > last.to) apart[apart.length - 1] = { from: last.from, to: next.to };
  }
  return apart;
}
