import type { Problem } from '../config/problem.ts';
import { EXIT, type Io } from './command.ts';

/** What came of checking a configuration. */
export interface Checked {
  readonly usable: boolean;
  readonly problems: readonly Problem[];
  /** Those that were read. */
  readonly files: readonly string[];
}

/** Prints every problem and a verdict, or all of it as JSON; gives the exit status. */
export async function printCheck({ usable, problems, files }: Checked, asJson: boolean, io: Io): Promise<number> {
  const { formatProblem } = await import('../config/problem.ts');
  const lines = [...problems.map(formatProblem), verdict({ usable, problems, files })];
  if (asJson) io.stdout(`${JSON.stringify({ ok: usable, files, problems }, null, 2)}\n`);
  else io.stdout(lines.map((line) => `${line}\n`).join(''));
  return usable ? EXIT.ok : EXIT.configuration;
}

function verdict({ usable, problems, files }: Checked): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const found = `${count(errors, 'error')}, ${count(problems.length - errors, 'warning')} in ${count(files.length, 'file')}`;
  return `The configuration is ${usable ? 'good' : 'not usable'}: ${found}.`;
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
