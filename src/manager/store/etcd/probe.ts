import { oneLine } from '../../../base/text.ts';
import type { TlsSource } from './connect.ts';
import type { Endpoint } from './endpoint.ts';
import { EtcdError, type Failure, NEEDS_GATEWAY } from './failure.ts';
import { failureIn, type Gateway } from './gateway.ts';
import { AIRLOCK_PREFIX } from './keys.ts';
import { all, put, writtenIn } from './messages.ts';

/** What has to be there for a store. */
export interface Needs {
  /** What our own keys begin with. */
  readonly prefix: string;
  readonly user: string | null;
  readonly tls: TlsSource | null;
  readonly timeoutMs: number;
}

/** A revision that no store reaches: a transaction that compares with it never writes. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** Tries whether a store can be kept at an endpoint. Null: it can; else what is wrong there, for an operator. */
export async function probe(gateway: Gateway, endpoint: Endpoint, needs: Needs): Promise<Failure | null> {
  try {
    await checkVersion(endpoint, needs);
    for (const prefix of [AIRLOCK_PREFIX, needs.prefix]) await checkPrefix(gateway, endpoint, prefix, needs);
    return null;
  } catch (error) {
    return failureIn(error, endpoint);
  }
}

async function checkVersion(endpoint: Endpoint, { tls, timeoutMs }: Needs): Promise<void> {
  const { status, body } = await version(endpoint, tls, timeoutMs);
  if (status === 421) throw broken(`it does not take ${endpoint.url.hostname} for its own name (--host-whitelist)`);
  const found = versionIn(body);
  if (status !== 200 || found === null) {
    throw broken(`this is not etcd: it answers HTTP ${status} to GET /version: ${oneLine(body, 80)}`);
  }
  const [major = 0, minor = 0] = found.split('.').map(Number);
  if (major < 3 || (major === 3 && minor < 4)) {
    throw broken(`${NEEDS_GATEWAY} as etcd has it since 3.4, and this is etcd ${oneLine(found, 20)}`);
  }
}

async function version(
  endpoint: Endpoint,
  tls: TlsSource | null,
  timeoutMs: number,
): Promise<{ readonly status: number; readonly body: string }> {
  try {
    return await endpoint.exchange({ method: 'GET', path: '/version', headers: {}, body: '' }, timeoutMs);
  } catch (error) {
    if (!(error instanceof EtcdError) || !isClosed(error.cause)) throw error;
    const { lookAt } = await import('./look.ts');
    const reason = await lookAt(endpoint.url, (await tls?.()) ?? {}, timeoutMs);
    throw reason === null ? error : new EtcdError(reason, { cause: error });
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'UND_ERR_SOCKET');
}

function versionIn(body: string): string | null {
  try {
    const { etcdserver } = JSON.parse(body) as { etcdserver?: unknown };
    return typeof etcdserver === 'string' && /^\d+\.\d+\./.test(etcdserver) ? etcdserver : null;
  } catch {
    return null;
  }
}

/** Reads below a prefix, and asks for a write there that can never happen: permission for it is looked at all the same. */
async function checkPrefix(gateway: Gateway, endpoint: Endpoint, prefix: string, needs: Needs): Promise<void> {
  const key = `${prefix}probe`;
  const request = {
    compare: [writtenIn(key, NEVER)],
    success: [put(key, '')],
    failure: [{ request_range: { ...all(prefix), limit: '1', keys_only: true } }],
  };
  try {
    await gateway.ask(endpoint, '/v3/kv/txn', JSON.stringify(request), needs.timeoutMs);
  } catch (error) {
    if (!(error instanceof EtcdError) || !error.failure.text.includes('permission denied')) throw error;
    const keys = `the keys that begin with ${prefix}`;
    // etcd then takes the name in its own certificate, which its gateway shows, for the user.
    if (needs.user === null) throw broken(`no user is configured, and without one ${keys} may not be read and written`);
    const how = `etcdctl role grant-permission ROLE --prefix=true readwrite ${prefix}`;
    throw broken(`the user ${needs.user} may not read and write ${keys}: ${how}`);
  }
}

function broken(text: string): EtcdError {
  return new EtcdError({ kind: 'broken', certain: true, text });
}
