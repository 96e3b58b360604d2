import { statSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { isNotFound } from '../../base/files.ts';
import type { Log } from '../../base/log.ts';
import { errorText } from '../../base/text.ts';
import type { Admin, AdminFailure, Asked } from '../../manager/admin/admin.ts';
import type { Manager } from '../../manager/api.ts';
import type { LoadedManagerConfig } from '../../manager/config/load.ts';
import type { ManagerConfig } from '../../manager/config/schema.ts';
import { EXIT, type Io } from '../command.ts';

/** Opens the store of a configuration, and a manager on it. */
export type OpenManager = (
  config: ManagerConfig,
  log: Log,
  /** A damaged embedded store is gone on with. */
  acceptDamage: boolean,
) => Promise<{ readonly manager: Manager; close(): Promise<void> }>;

/** A command as it was called. */
export interface Call {
  /** Its name after `holdpoint`. */
  readonly name: string;
  readonly options: {
    readonly config: string | undefined;
    readonly socket: string | undefined;
    readonly 'accept-damaged-store': boolean;
  };
  readonly io: Io;
}

/** Where the manager of a call is. */
export interface Where {
  readonly loaded: LoadedManagerConfig;
  readonly socket: string;
  /** Of the configuration; the default where that has errors. */
  readonly defaultGroup: string;
}

/** Finds the manager's socket, in a configuration with errors too. */
export async function locate({ options }: Call): Promise<Where> {
  const { loadManagerConfig } = await import('../../manager/config/load.ts');
  const { MANAGER_KEYS } = await import('../../manager/config/schema.ts');
  const { valueReader } = await import('../../config/merge.ts');
  const loaded = loadManagerConfig(options.config ?? null);
  const get = valueReader(MANAGER_KEYS, loaded.values);
  return { loaded, socket: options.socket ?? get('admin.socket'), defaultGroup: get('lock.default_group_name') };
}

/**
 * Asks the manager that runs, or, when none does and no socket was named, a manager of our own on the same store.
 * Resolves with the answer, or, once it has said why there is none, with an exit status.
 */
export async function reach<T>(
  call: Call,
  where: Where,
  ask: (admin: Admin) => Promise<Asked<T>>,
  open: OpenManager,
): Promise<{ readonly value: T } | { readonly exit: number }> {
  const { socketAdmin } = await import('../../manager/admin/client.ts');
  const asked = await ask(socketAdmin(where.socket));
  const alone = !asked.ok && asked.failure.kind === 'not-running' && call.options.socket === undefined;
  if (!alone) return outcome(call, asked);
  const { config } = where.loaded;
  if (config === null) return unknownStore(call, where.loaded, asked.failure.text);
  const refusal = config.etcd3 === null ? storeRefusal(config.store.path, asked.failure.text) : null;
  if (refusal !== null) return outcome(call, { ok: false, failure: refusal });
  const how = config.etcd3 === null ? 'on its store, and no host is being answered' : 'on etcd directly';
  const begun = (): void => complain(call, `${asked.failure.text}; this is done ${how}`);
  for (const end = performance.now() + IN_USE_MS; ;) {
    const answer = await askStore(config, call, { ask, open, begun });
    if (answer !== IN_USE) return outcome(call, answer);
    // Another command, which is over soon, or a manager that is just starting: then that one can be asked.
    await setTimeout(TRY_AGAIN_MS);
    const again = await ask(socketAdmin(where.socket));
    if (again.ok || again.failure.kind !== 'not-running') return outcome(call, again);
    if (performance.now() >= end) return outcome(call, inUse(config, asked.failure.text));
  }
}

/** What is tried again comes to this. */
const IN_USE = 'in use';
/** Milliseconds for which a store that is in use is tried again, and between two tries. */
const [IN_USE_MS, TRY_AGAIN_MS] = [3_000, 100];

function inUse({ store }: ManagerConfig, notRunning: string): { readonly ok: false; readonly failure: AdminFailure } {
  const text = `${notRunning}, but another process has had its store ${store.path} open for ${IN_USE_MS / 1000} s: a manager with another socket (name it with --socket), one that cannot start or stop, or another command`;
  return { ok: false, failure: { kind: 'failed', text } };
}

/** What is wrong with the configuration, in a few words; it is not usable. */
export function unusable({ path, found }: LoadedManagerConfig): string {
  return found ? `the configuration ${path} has errors` : `there is no configuration ${path}`;
}

/** Where no manager runs, and nothing says where its store is. */
async function unknownStore(
  call: Call,
  loaded: LoadedManagerConfig,
  notRunning: string,
): Promise<{ readonly exit: number }> {
  if (loaded.found) {
    const { formatProblem } = await import('../../config/problem.ts');
    for (const problem of loaded.problems) call.io.stderr(`${formatProblem(problem)}\n`);
  }
  complain(call, `${notRunning}, and ${unusable(loaded)}, so that its store is not known`);
  return { exit: loaded.found ? EXIT.configuration : EXIT.notRunning };
}

/** Says on stderr what is wrong. */
export function complain({ name, io }: Call, text: string): void {
  io.stderr(`holdpoint ${name}: ${text}\n`);
}

function outcome<T>(call: Call, asked: Asked<T>): { readonly value: T } | { readonly exit: number } {
  if (asked.ok) return { value: asked.value };
  complain(call, asked.failure.text);
  return { exit: EXITS[asked.failure.kind] };
}

const EXITS: Readonly<Record<AdminFailure['kind'], number>> = {
  'not-running': EXIT.notRunning,
  denied: EXIT.denied,
  failed: EXIT.failure,
};

/**
 * Why the embedded store is not to be opened from here, or null. A command makes no store where there is none, and leaves
 * no files in it that the manager's own user could not use afterwards.
 */
function storeRefusal(path: string, notRunning: string): AdminFailure | null {
  try {
    const { uid } = statSync(path);
    if (uid === process.geteuid?.()) return null;
    return {
      kind: 'denied',
      text: `${notRunning}, and only the user who owns its store ${path} (number ${uid}) may work on it: run this as that user`,
    };
  } catch (error) {
    if (isNotFound(error)) return { kind: 'not-running', text: `${notRunning}, and there is no store at ${path}` };
    return { kind: isDenied(error) ? 'denied' : 'failed', text: `${notRunning}; ${path}: ${errorText(error)}` };
  }
}

async function askStore<T>(
  config: ManagerConfig,
  { io, options }: Call,
  {
    ask,
    open,
    begun,
  }: {
    readonly ask: (admin: Admin) => Promise<Asked<T>>;
    readonly open: OpenManager;
    /** The store is not in use. */
    readonly begun: () => void;
  },
): Promise<Asked<T> | typeof IN_USE> {
  const { StoreInUse } = await import('../../manager/store/store.ts');
  const { directAdmin } = await import('../../manager/admin/admin.ts');
  const { createLog } = await import('../../base/log.ts');
  const log = createLog({ format: 'text', level: 'warn', write: io.stderr, journald: false });
  let opened: Awaited<ReturnType<OpenManager>>;
  try {
    opened = await open(config, log, options['accept-damaged-store']);
  } catch (error) {
    if (error instanceof StoreInUse) return IN_USE;
    begun();
    return { ok: false, failure: { kind: isDenied(error) ? 'denied' : 'failed', text: errorText(error, 1000) } };
  }
  try {
    begun();
    return await ask(directAdmin(opened.manager));
  } finally {
    await opened.close();
  }
}

/** Whether an error, or what led to it, is a lack of permission. */
function isDenied(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : '';
  return code === 'EACCES' || code === 'EPERM' || isDenied(error.cause);
}
