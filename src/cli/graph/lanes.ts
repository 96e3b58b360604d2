/** A part of one dimension. */
export interface Extent {
  readonly from: number;
  readonly to: number;
}

/** Puts lines that run side by side into lanes, so that those in one lane do not meet; beyond `most` lanes they do. */
export function lanesOf(
  extents: readonly Extent[],
  most: number,
): { readonly lanes: readonly number[]; readonly amount: number } {
  const lanes = extents.map(() => 0);
  const ends: number[] = [];
  const order = extents.map((_, index) => index).sort((a, b) => (extents[a]?.from ?? 0) - (extents[b]?.from ?? 0));
  for (const [turn, index] of order.entries()) {
    const { from, to } = extents[index] ?? { from: 0, to: 0 };
    const free = ends.findIndex((end) => end < from);
    const lane = free !== -1 ? free : ends.length < most ? ends.length : turn % most;
    ends[lane] = Math.max(to, ends[lane] ?? to);
    lanes[index] = lane;
  }
  return { lanes, amount: ends.length };
}
