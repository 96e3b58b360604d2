import { oneLine } from '../base/text.ts';

/** A place in a file. Line and column start at 1; both are 0 when the file or folder as a whole is meant. */
export interface Origin {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** An `error` makes the whole configuration unusable, a `warning` does not. */
export type Severity = 'error' | 'warning';

/** Something wrong in a configuration file, fit for one line of a terminal or log; never shows a password. */
export interface Problem extends Origin {
  readonly severity: Severity;
  readonly message: string;
}

/** Takes note of a problem; an error unless said otherwise. */
export type Report = (at: Origin, message: string, severity?: Severity) => void;

/** The same, with the name of a key before each message about its value. */
export function prefixed(name: string, report: Report): Report {
  return (at, message, severity) => report(at, `${name}: ${message}`, severity);
}

/** The origin that means a file or folder as a whole. */
export function wholeFile(file: string): Origin {
  return { file, line: 0, column: 0 };
}

/** Builds a problem; the message is made fit for one line. */
export function problem(at: Origin, message: string, severity: Severity = 'error'): Problem {
  return { severity, file: at.file, line: at.line, column: at.column, message: oneLine(message, 500) };
}

/** `FILE:LINE:COLUMN: error|warning: message`, or without line and column when the whole file is meant. */
export function formatProblem({ file, line, column, severity, message }: Problem): string {
  const place = line === 0 ? '' : `:${line}:${column}`;
  return `${oneLine(file, 4096)}${place}: ${severity}: ${message}`;
}

/** Where a value was set, for people: `FILE:LINE`. */
export function formatOrigin({ file, line }: Origin): string {
  return `${oneLine(file, 4096)}:${line}`;
}

/** In the order of files, then of places in a file. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
