import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { unlessCut } from '../base/deadline.ts';
import { killTree, type Marked, startedAt } from '../base/process-tree.ts';
import { errorText } from '../base/text.ts';
import type { ProgramEnd } from './outcome.ts';

/** Bytes of each stream that are kept. */
const KEPT = 4096;
/** Bytes of both streams together that are passed on. */
const PASSED_ON = 65_536;
/** Beyond that a stream is read this rarely, so that a flood costs little. */
const PACE_MS = 10;
/** How long to wait for the rest of the output once nobody can write any more. */
const DRAIN_MS = 500;

/** Within what a program is run. */
export interface ProgramLimits {
  /** The whole environment, but for `HOLDPOINT_RUN`, which is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Ends the program. */
  readonly signal: AbortSignal;
  /** Is given the beginning of its output, as it comes. */
  readonly onOutput?: (chunk: Buffer) => void;
}

/** How a program ended, and the beginning of what it said. */
export interface Ran {
  readonly end: ProgramEnd;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program in a session of its own, in the folder `/`, with nothing to read. It is killed when its time is over,
 * and whatever it leaves behind when it ends is killed as well. Never rejects.
 */
export async function runProgram(path: string, limits: ProgramLimits): Promise<Ran> {
  if (limits.signal.aborted) return { end: { kind: 'called-off' }, stdout: '', stderr: '' };
  const run = randomUUID();
  const env = { ...limits.env, HOLDPOINT_RUN: run };
  let child: ChildProcess;
  try {
    child = spawn(path, [], { env, cwd: '/', detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    return { end: { kind: 'not-started', why: errorText(error) }, stdout: '', stderr: '' };
  }
  const output = collect(child, limits.onOutput);
  const end = await followed(child, `HOLDPOINT_RUN=${run}`, limits);
  await output.drained();
  return { end, ...output.kept() };
}

async function followed(child: ChildProcess, mark: string, { timeoutMs, signal }: ProgramLimits): Promise<ProgramEnd> {
  const { pid } = child;
  if (pid === undefined) {
    const [error] = (await once(child, 'error').catch((thrown: unknown) => [thrown])) as readonly unknown[];
    return { kind: 'not-started', why: why(error) };
  }
  const root: Marked = { pid, mark, started: startedAt(pid) };
  const ended = new Promise<ProgramEnd>((resolve) => {
    child.on('error', () => undefined);
    child.on('exit', (status, by) => {
      resolve(status === null ? { kind: 'killed', signal: by ?? 'a signal' } : { kind: 'exited', status });
    });
  });
  const end = await unlessCut(ended, timeoutMs, signal);
  await killTree(root);
  return end;
}

/** Node's text names the program and the system call, which says less than the code. */
function why(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EACCES') return 'permission denied';
  if (code === 'ENOENT') return 'it, or the interpreter in its first line, is not there';
  return errorText(error);
}

interface Output {
  /** Settles when everything was read, or nobody can expect more. */
  drained(): Promise<void>;
  kept(): { readonly stdout: string; readonly stderr: string };
}

function collect({ stdout, stderr }: ChildProcess, onOutput: ProgramLimits['onOutput']): Output {
  let total = 0;
  const streams = [stdout, stderr].flatMap((stream) => stream ?? []);
  const kept = streams.map((stream) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      if (size < KEPT) chunks.push(Buffer.from(chunk.subarray(0, KEPT - size)));
      size += chunk.length;
      if (total < PASSED_ON) onOutput?.(chunk.subarray(0, PASSED_ON - total));
      total += chunk.length;
      if (total <= PASSED_ON) return;
      stream.pause();
      setTimeout(() => stream.resume(), PACE_MS);
    });
    return chunks;
  });
  const closed = Promise.all(streams.map((stream) => once(stream, 'close').catch(() => undefined)));
  const text = (index: number): string => Buffer.concat(kept[index] ?? []).toString('utf8');
  return {
    drained: async () => {
      const late = new AbortController();
      await Promise.race([closed, delay(DRAIN_MS, undefined, { signal: late.signal }).catch(() => undefined)]);
      late.abort();
      for (const stream of streams) stream.destroy();
    },
    kept: () => ({ stdout: text(0), stderr: text(1) }),
  };
}
