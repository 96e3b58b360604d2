import type { Bus } from '../../bus/api.ts';
import { errorText, oneLine } from '../../base/text.ts';
import { unlessCut, withDeadline } from '../../base/deadline.ts';
import { callManager, isAbsent, MANAGER, MANAGER_PATH, readProperty, refusal, subscribe, SYSTEMD } from './manager.ts';
import { readUnit, readUnitsLike } from './units.ts';
import { unitPath, type UnitState } from './unit.ts';

/** How often to look at a job whose end may have been missed. */
const LOOK_MS = 5_000;
/** How long a unit may take to stop. */
const STOP_MS = 30_000;
/** `ExecMainCode` of a process that ended by itself. */
const CLD_EXITED = 1;

/** How a service of the kind that runs once ended. */
export type ServiceEnd =
  /** Its process ended by itself, with a status that the unit counts as success. `text`: its last words, or empty. */
  | { readonly kind: 'success'; readonly status: number; readonly text: string }
  /** `what`: systemd's word for it (`exit-code`, `signal`, `timeout`, …). */
  | { readonly kind: 'failure'; readonly what: string; readonly text: string }
  /** systemd did not run it at all. `what`: its word for what came of the start, or the state of the unit. */
  | { readonly kind: 'not-run'; readonly what: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'called-off' };

/** Within what a service is run. */
export interface ServiceLimits {
  readonly timeoutMs: number;
  /** Stops the service. */
  readonly signal: AbortSignal;
}

/**
 * Runs a service of `Type=oneshot` with `RemainAfterExit=yes` (so that its result can be read) to its end, and clears it
 * away with all its processes. One of the same name that is left from before is stopped first, since starting what is
 * started does nothing. Rejects when systemd refuses, or cannot be asked.
 */
export async function runService(bus: Bus, unit: string, { timeoutMs, signal }: ServiceLimits): Promise<ServiceEnd> {
  if (signal.aborted) return { kind: 'called-off' };
  const jobs = followJobs(bus, unit);
  try {
    await subscribe(bus);
    await clear(bus, unit, jobs);
    // Not one that pushes out what else is queued, such as a stop of everything at shutdown.
    const ended = jobs.ended(await queue(bus, 'StartUnit', unit, 'fail'));
    const first = await unlessCut(
      ended.then((result) => ({ kind: 'ended', result }) as const),
      timeoutMs,
      signal,
    );
    const end = first.kind === 'ended' ? await readEnd(bus, unit, first.result) : first;
    // Whoever runs it next clears it away; what it said counts.
    await clear(bus, unit, jobs).catch(() => undefined);
    return end;
  } finally {
    jobs.stop();
  }
}

/**
 * Stops services whose names match a pattern, with all their processes, but for those that are named. Rejects when
 * systemd refuses or cannot be asked, or when one has not stopped after half a minute.
 */
export async function stopServices(bus: Bus, pattern: string, but: ReadonlySet<string>): Promise<void> {
  const units = await readUnitsLike(bus, pattern).catch((error: unknown) => {
    throw new Error(`systemd cannot be asked about ${pattern}: ${errorText(error)}`, { cause: error });
  });
  const running = units.filter(({ name, active, job }) => !but.has(name) && !(isOver(active) && job === null));
  if (running.length === 0) return;
  await subscribe(bus);
  await Promise.all(running.map(({ name }) => stopService(bus, name)));
}

async function stopService(bus: Bus, unit: string): Promise<void> {
  const jobs = followJobs(bus, unit);
  try {
    await clear(bus, unit, jobs);
  } finally {
    jobs.stop();
  }
}

function isOver(active: string): boolean {
  return active === 'inactive' || active === 'failed';
}

async function readEnd(bus: Bus, unit: string, job: string | null): Promise<ServiceEnd> {
  const { active } = await stateOf(bus, unit);
  const path = unitPath(unit);
  const names = ['Result', 'ExecMainCode', 'ExecMainStatus', 'StatusText'];
  const [result, code, status, said] = await Promise.all(names.map((name) => readProperty(bus, path, 'Service', name)));
  const text = typeof said === 'string' ? oneLine(said) : '';
  const exited = code === CLD_EXITED && typeof status === 'number';
  if (active === 'active' && result === 'success' && exited) return { kind: 'success', status, text };
  if (typeof result === 'string' && result !== 'success') return { kind: 'failure', what: oneLine(result, 40), text };
  // A condition that does not hold counts as success, for example.
  return { kind: 'not-run', what: job ?? active };
}

async function stateOf(bus: Bus, unit: string): Promise<UnitState> {
  const state = await readUnit(bus, unit);
  if (state === null) throw new Error('systemd is not on the bus');
  return state;
}

/** Brings a unit back to how it was before it was ever started: no process, no failure. */
async function clear(bus: Bus, unit: string, jobs: Jobs): Promise<void> {
  const before = await stateOf(bus, unit);
  let { active } = before;
  // A start that waits for something would still begin it.
  if (!isOver(active) || before.job !== null) {
    const stopped = jobs.ended(await queue(bus, 'StopUnit', unit, 'replace'));
    await withDeadline(stopped, STOP_MS, `${unit} does not stop`);
    ({ active } = await stateOf(bus, unit));
  }
  if (active === 'failed') await ask(bus, 'ResetFailedUnit', 's', unit);
}

/** Queues a job and returns its path. */
async function queue(bus: Bus, member: string, unit: string, mode: string): Promise<string> {
  const [job] = await ask(bus, member, 'ss', unit, mode);
  if (typeof job !== 'string') throw new Error(`systemd answers ${member} with something else than a job`);
  return job;
}

async function ask(bus: Bus, member: string, signature: string, ...body: readonly unknown[]): Promise<unknown[]> {
  try {
    return [...(await callManager(bus, member, signature, ...body))];
  } catch (error) {
    const text = isAbsent(error) ? 'systemd is not on the bus' : `systemd: ${member}: ${refusal(error)}`;
    throw new Error(text, { cause: error });
  }
}

interface Jobs {
  /** Resolves with the result of a job (`done`, `failed`, `canceled`, …), or null when it ended unseen. */
  ended(path: string): Promise<string | null>;
  stop(): void;
}

/** Follows the jobs of a unit from now on: a job may end before the call that queued it is answered. */
function followJobs(bus: Bus, unit: string): Jobs {
  const results = new Map<string, string>();
  const waiting = new Map<string, (result: string | null) => void>();
  const unwatch = bus.watch(
    { sender: SYSTEMD, path: MANAGER_PATH, interface: MANAGER, member: 'JobRemoved' },
    ({ body: [, path, name, result] }) => {
      if (name !== unit || typeof path !== 'string' || typeof result !== 'string') return;
      results.set(path, oneLine(result, 40));
      waiting.get(path)?.(results.get(path) ?? null);
    },
  );
  // A signal is lost with the connection; the state is not.
  const look = async (): Promise<void> => {
    const state = await readUnit(bus, unit).catch(() => null);
    if (state === null) return;
    for (const [path, resolve] of waiting) if (state.job?.path !== path) resolve(null);
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  return {
    ended: (path) =>
      new Promise((resolve) => {
        const known = results.get(path);
        if (known === undefined) waiting.set(path, resolve);
        else resolve(known);
      }),
    stop: () => {
      clearInterval(timer);
      unwatch();
    },
  };
}
