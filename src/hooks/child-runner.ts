import { hookEnvironment } from './event.ts';
import { type HookEnd, firstLine, judgeEnd } from './outcome.ts';
import { runProgram } from './program.ts';
import type { HookRunner, HookSet } from './run.ts';
import { trustedHook } from './trust.ts';

/** Runs hooks as children of this process, as the user it runs as: where there is no systemd. */
export function childRunner(): HookRunner {
  return { prepare: (set) => Promise.resolve((name, signal) => runHook(set, name, signal)) };
}

/** Runs one hook as a child of this process. Never rejects. `onOutput` is given the beginning of its output. */
export async function runHook(
  { dir, event, timeoutMs, context }: HookSet,
  name: string,
  signal: AbortSignal,
  onOutput: (chunk: Buffer) => void = () => undefined,
): Promise<HookEnd> {
  const hook = trustedHook(dir, { event, name });
  if ('problem' in hook) return { kind: 'failed', text: hook.problem };
  const env = hookEnvironment(event, context);
  const { end, stdout, stderr } = await runProgram(hook.path, { env, timeoutMs, signal, onOutput });
  return judgeEnd(end, firstLine(stdout, stderr), timeoutMs);
}
