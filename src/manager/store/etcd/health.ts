import { array, record } from '../../../base/shape.ts';
import { errorText } from '../../../base/text.ts';
import type { StoreHealth } from '../store.ts';
import type { Endpoint } from './endpoint.ts';
import { failureIn, type Gateway } from './gateway.ts';
import { type RangeRequest, whole } from './messages.ts';

const MIB = 1024 * 1024;
/** etcd's limit for its database unless it was started with another one. */
const DEFAULT_QUOTA = 2048 * MIB;
/** The part of the limit from which on there is a warning. */
const NEAR = 0.8;

/** Reads a key with the consent of the majority, and asks every member how it is. Milliseconds for each of both. */
export async function healthOf(gateway: Gateway, key: RangeRequest, timeoutMs: number): Promise<StoreHealth> {
  const [problem, alarms, ...members] = await Promise.all([
    problemOf(gateway.call('/v3/kv/range', key, { timeoutMs })),
    alarmsOf(gateway, timeoutMs),
    ...gateway.endpoints.map((endpoint) => memberWarnings(gateway, endpoint, timeoutMs)),
  ]);
  return { problem, warnings: [...new Set([alarms, ...members].flat())] };
}

async function problemOf(reading: Promise<unknown>): Promise<string | null> {
  try {
    await reading;
    return null;
  } catch (error) {
    return errorText(error);
  }
}

async function alarmsOf(gateway: Gateway, timeoutMs: number): Promise<readonly string[]> {
  try {
    const answer = await gateway.call('/v3/maintenance/alarm', { action: 'GET' }, { timeoutMs });
    const alarms = array(record(answer, '')['alarms'] ?? [], 'alarms').map((each) => record(each, 'alarms')['alarm']);
    return alarms.map((alarm) => `etcd has raised the alarm ${String(alarm)}${ALARMS[String(alarm)] ?? ''}`);
  } catch {
    // The reading says already that there is no answer; what only the root user may ask is not ours to know.
    return [];
  }
}

const ALARMS: Readonly<Record<string, string>> = {
  NOSPACE: ': its database is full and nothing can be written; compact and defragment it, then disarm the alarm',
  CORRUPT: ': its members disagree',
};

async function memberWarnings(gateway: Gateway, endpoint: Endpoint, timeoutMs: number): Promise<readonly string[]> {
  const where = `etcd at ${endpoint.url.origin}`;
  try {
    const status = record(await gateway.ask(endpoint, '/v3/maintenance/status', '{}', timeoutMs), 'status');
    const isLost = (status['leader'] ?? '0') === '0';
    return [...(isLost ? [`${where} has no leader`] : []), ...sizeWarning(where, status)];
  } catch (error) {
    return [failureIn(error, endpoint).text];
  }
}

function sizeWarning(where: string, status: Readonly<Record<string, unknown>>): readonly string[] {
  const size = whole(status['dbSize'], 'dbSize');
  // Known since 3.6 only.
  const quota = whole(status['dbSizeQuota'], 'dbSizeQuota');
  if (size <= NEAR * (quota || DEFAULT_QUOTA)) return [];
  const limit = quota === 0 ? 'its limit is 2048 MiB unless it was started with another' : `its limit is ${mib(quota)}`;
  return [`the database of ${where} has ${mib(size)}, ${limit}: compact and defragment it`];
}

function mib(size: number): string {
  return `${Math.round(size / MIB)} MiB`;
}
