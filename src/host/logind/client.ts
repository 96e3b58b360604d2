import { type Bus, BusError } from '../../bus/api.ts';
import { asDict, type Dict } from '../../bus/dict.ts';
import { withDeadline } from '../../base/deadline.ts';
import { errorText } from '../../base/text.ts';
import { PROPERTIES } from '../property.ts';
import { type Inhibitor, parseInhibitors } from './inhibitor.ts';
import { LOGIND, LOGIND_PATH, MANAGER, SESSION } from './names.ts';
import { type ListedSession, parseSession, parseSessionList, type Session } from './session.ts';

/** logind answers at once; where it must be started first, in a moment. */
const CALL_MS = 5_000;
/** Thousands of sessions, all of which are slow, are not waited for. */
const SESSIONS_MS = 10_000;
/** Message buses limit how many answers one connection may wait for. */
const AT_ONCE = 16;
/** How logind says that there is no such session. */
const UNKNOWN: ReadonlySet<string> = new Set([
  'org.freedesktop.DBus.Error.UnknownObject',
  'org.freedesktop.login1.NoSuchSession',
]);

/**
 * Reads who is logged in. Rejects with an error that says what is wrong when the list or one of its sessions cannot be
 * read or understood, within about 10 s. A session that ends meanwhile is left out.
 */
export function readSessions(bus: Bus): Promise<readonly Session[]> {
  return withDeadline(readAll(bus), SESSIONS_MS, `logind did not tell its sessions within ${SESSIONS_MS} ms`);
}

/** Reads who holds what back. Rejects with an error that says what is wrong, within about 5 s. */
export async function readInhibitors(bus: Bus): Promise<readonly Inhibitor[]> {
  try {
    return parseInhibitors(await ask(bus, 'ListInhibitors'));
  } catch (error) {
    throw new Error(`logind does not tell who inhibits: ${errorText(error)}`, { cause: error });
  }
}

async function readAll(bus: Bus): Promise<readonly Session[]> {
  const listed = await list(bus);
  const read = await inTurn(listed, (entry) => readSession(bus, entry));
  const gone = listed.filter((_, index) => read[index] === null);
  if (gone.length > 0) await refuseListed(bus, gone);
  return read.filter((session) => session !== null);
}

/** What logind does not know must not be in its list either: else nobody knows who is there. */
async function refuseListed(bus: Bus, gone: readonly ListedSession[]): Promise<void> {
  const paths = new Set((await list(bus)).map(({ path }) => path));
  const odd = gone.find(({ path }) => paths.has(path));
  if (odd !== undefined) throw new Error(`logind lists session ${odd.id} and does not know it`);
}

async function list(bus: Bus): Promise<readonly ListedSession[]> {
  try {
    return parseSessionList(await ask(bus, 'ListSessions'));
  } catch (error) {
    throw new Error(`logind does not tell who is logged in: ${errorText(error)}`, { cause: error });
  }
}

/** Null when the session has ended. */
async function readSession(bus: Bus, listed: ListedSession): Promise<Session | null> {
  try {
    return parseSession(listed, await properties(bus, listed.path));
  } catch (error) {
    if (error instanceof BusError && UNKNOWN.has(error.errorName)) return null;
    throw new Error(`logind does not tell about session ${listed.id}: ${errorText(error)}`, { cause: error });
  }
}

async function properties(bus: Bus, path: string): Promise<Dict | undefined> {
  const call = { destination: LOGIND, path, interface: PROPERTIES, member: 'GetAll', timeoutMs: CALL_MS };
  const [values] = await bus.call({ ...call, signature: 's', body: [SESSION] });
  return asDict(values);
}

async function ask(bus: Bus, member: string): Promise<unknown> {
  const call = { destination: LOGIND, path: LOGIND_PATH, interface: MANAGER, member, timeoutMs: CALL_MS };
  const [value] = await bus.call(call);
  return value;
}

/** Does the work for each item, a few at a time; results are in the order of the items. The first failure rejects. */
async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  return results;
}
