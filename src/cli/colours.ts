import type { Io } from './command.ts';

/** How something stands out in what a command prints for people. */
export type Standing = 'wrong' | 'notable' | 'good' | 'dim' | 'title';

const CODES: Readonly<Record<Standing, string>> = { wrong: '1;31', notable: '33', good: '32', dim: '2', title: '1' };

/** Makes text stand out where the output is a terminal that shows colours, and nobody asked for none (`NO_COLOR`). */
export function markerFor({ isTTY, env }: Io): (text: string, as: Standing) => string {
  const has = isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return has ? (text, as) => `\u001b[${CODES[as]}m${text}\u001b[0m` : (text) => text;
}
