/** One line of the result. */
export interface Row {
  readonly what: string;
  readonly value: string;
  /** Beside the baseline of the same run: `2.1 × bare Node`; empty without one. */
  readonly beside: string;
  /** What is aimed at. */
  readonly aim: string;
}

/** Rows as a table for people. */
export function table(rows: readonly Row[]): string {
  const head: Row = { what: 'figure', value: 'measured', beside: 'beside the baseline', aim: 'aim' };
  return grid([head, ...rows].map(({ what, value, beside, aim }) => [what, value, beside, aim]));
}

/** Rows of cells in columns of equal width. */
export function grid(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}

/** The middle value; of an even number the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}

/** Milliseconds for people. */
export function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
