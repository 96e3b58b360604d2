import { errorText } from '../base/text.ts';
import type { HookContext, HookEvent } from './event.ts';
import { findHooks } from './find.ts';
import type { HookEnd, HookOutcome } from './outcome.ts';

/** What is the same for all hooks of one run. */
export interface HookSet {
  /** The folder with a folder for each event: `/etc/holdpoint/hooks.d`. */
  readonly dir: string;
  readonly event: HookEvent;
  /** How long each hook may take, in milliseconds: 1 to 86 400 000. */
  readonly timeoutMs: number;
  readonly context: HookContext;
}

/** Runs one hook to its end. May reject: the hook counts as not run then. */
export type StartHook = (name: string, signal: AbortSignal) => Promise<HookEnd>;

/** A way to run hooks. */
export interface HookRunner {
  /** Gets ready for the hooks of one run. Rejects when they cannot be run now. */
  prepare(set: HookSet): Promise<StartHook>;
}

/** One run of the hooks of an event. */
export interface HookRun extends HookSet {
  /** Ends the hook that runs, and runs no other. */
  readonly signal: AbortSignal;
  readonly runner: HookRunner;
}

/**
 * Runs the hooks of an event one after another, by name. The first that does not pass ends the run, but for
 * `reboot-cancelled`: all of those are run, since each undoes something, and one that could not be run is told of rather
 * than one that failed. Never rejects, and takes at most as long as all hooks together may, with a few seconds for each.
 */
export async function runHooks(run: HookRun): Promise<HookOutcome> {
  const { names, problem } = findHooks(run.dir, run.event);
  const anyway = run.event === 'reboot-cancelled';
  const bad: Exclude<HookOutcome, { kind: 'passed' }>[] = problem === null ? [] : [{ kind: 'failed', ...problem }];
  const isOver = (): boolean => bad.length > 0 && !anyway;
  if (names.length === 0 || isOver()) return bad[0] ?? { kind: 'passed', ran: 0 };
  let start: StartHook;
  try {
    start = await run.runner.prepare(run);
  } catch (error) {
    return { ...notRun(error), hook: names[0] ?? run.event };
  }
  for (const name of names) {
    const end = await start(name, run.signal).catch((error: unknown) => notRun(error));
    if (end.kind !== 'passed') bad.push({ ...end, hook: name });
    if (isOver()) break;
  }
  return bad.find(({ kind }) => kind === 'not-run') ?? bad[0] ?? { kind: 'passed', ran: names.length };
}

function notRun(error: unknown): Extract<HookEnd, { kind: 'not-run' }> {
  return { kind: 'not-run', text: errorText(error) };
}
