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
  const all = [head, ...rows];
  const width = (key: keyof Row): number => Math.max(...all.map((row) => row[key].length));
  const columns = (['what', 'value', 'beside', 'aim'] as const).map((key) => [key, width(key)] as const);
  return all
    .map(
      (row) =>
        `${columns
          .map(([key, size]) => row[key].padEnd(size))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** The middle value; of an even number the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}

/** Milliseconds for people. */
export function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
