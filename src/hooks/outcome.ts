import { duration, oneLine } from '../base/text.ts';

/** The exit status by which a hook says "not now": EX_TEMPFAIL of sysexits.h. */
export const NOT_NOW = 75;

/** How one hook ended. */
export type HookEnd =
  | { readonly kind: 'passed' }
  | { readonly kind: 'not-now'; readonly text: string }
  | { readonly kind: 'failed'; readonly text: string }
  /** Nobody could start it, or learn what came of it: systemd refuses, or is away. That is not the hook's doing. */
  | { readonly kind: 'not-run'; readonly text: string };

/** How the hooks of an event ended; `hook` is the name of the one that did not pass, `text` one line for people. */
export type HookOutcome =
  | { readonly kind: 'passed'; readonly ran: number }
  | { readonly kind: 'not-now' | 'failed' | 'not-run'; readonly hook: string; readonly text: string };

/** How a program ended. */
export type ProgramEnd =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'timeout' }
  /** Whoever started it wanted it no longer. */
  | { readonly kind: 'called-off' }
  | { readonly kind: 'not-started'; readonly why: string };

/** What a hook's end means. `said` is the first line of its output, or empty. */
export function judgeEnd(end: ProgramEnd, said: string, timeoutMs: number): HookEnd {
  if (end.kind === 'exited' && end.status === 0) return { kind: 'passed' };
  if (end.kind === 'exited' && end.status === NOT_NOW) {
    return { kind: 'not-now', text: said === '' ? 'not now (it gave no reason)' : said };
  }
  const what = describeEnd(end, timeoutMs);
  return { kind: 'failed', text: said === '' ? what : `${what}: ${said}` };
}

function describeEnd(end: ProgramEnd, timeoutMs: number): string {
  switch (end.kind) {
    case 'exited':
      return `exit status ${end.status}`;
    case 'killed':
      return `killed by ${end.signal}`;
    case 'timeout':
      return `took longer than ${timeoutMs < 1000 ? `${timeoutMs} ms` : duration(timeoutMs)} and was killed`;
    case 'called-off':
      return 'killed: it is no longer wanted';
    case 'not-started':
      return `cannot be started: ${end.why}`;
  }
}

/** The first line with something on it, fit to be shown; empty when there is none. */
export function firstLine(...outputs: readonly string[]): string {
  for (const output of outputs) {
    const line = output
      .split('\n')
      .map((text) => oneLine(text))
      .find((text) => text !== '');
    if (line !== undefined) return line;
  }
  return '';
}
