import type { Clock } from '../../base/clock.ts';
import { parseUrl } from '../../base/http-url.ts';
import { connectorFor, type TlsSource } from './etcd/connect.ts';
import { Endpoint } from './etcd/endpoint.ts';
import type { Failure } from './etcd/failure.ts';
import { Gateway, type User } from './etcd/gateway.ts';
import { DEFAULT_PREFIX, keysBelow } from './etcd/keys.ts';
import { type Needs, probe } from './etcd/probe.ts';
import { EtcdStore } from './etcd/etcd-store.ts';
import { type AuditBounds, type Store, StoreError } from './store.ts';

export type { TlsMaterial, TlsSource } from './etcd/connect.ts';
export type { User } from './etcd/gateway.ts';

/** Milliseconds for one transaction, unless configured: airlock's default. */
const DEFAULT_TIMEOUT_MS = 3000;

/** How a store in etcd is opened. */
export interface EtcdOptions {
  /** URLs of the members, or of what stands before them; at least one. Their paths do not count. */
  readonly endpoints: readonly string[];
  /** Milliseconds for one transaction, all endpoints included. */
  readonly timeoutMs?: number;
  /** Certificates, asked for with each new connection. Left out: as Node has them. */
  readonly tls?: TlsSource;
  /** Left out: etcd's authentication is off. */
  readonly user?: User;
  /** What our own keys begin with; a slash is put at its end. */
  readonly prefix?: string;
  readonly clock: Clock;
  readonly audit: AuditBounds;
  /** Told what an operator should see to, one line each, never with a secret. */
  readonly onWarning: (text: string) => void;
}

/**
 * Opens a store in etcd, over its JSON gateway. The first endpoint that can serve is enough. Rejects with a `StoreError`:
 * `broken` when one is there and cannot serve, with what to do about it; `unavailable` when none can be reached.
 */
export async function openEtcdStore(options: EtcdOptions): Promise<Store> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, tls = null, user = null, prefix = DEFAULT_PREFIX } = options;
  const urls = options.endpoints.map(urlOf);
  if (urls.length === 0) throw new StoreError('broken', 'etcd: there are no endpoints');
  // An address that swallows everything must leave time for the others.
  const connect = await connectorFor(tls, Math.ceil(timeoutMs / urls.length));
  const endpoints = await Promise.all(urls.map((url) => Endpoint.at(url, connect)));
  const gateway = new Gateway(endpoints, user);
  const keys = keysBelow(prefix);
  try {
    const needs = { prefix: keys.prefix, user: user?.name ?? null, tls, timeoutMs };
    await findOne(gateway, needs, options.onWarning);
    const store = new EtcdStore(gateway, keys, { ...options, timeoutMs });
    await store.load();
    return store;
  } catch (error) {
    await gateway.close();
    throw error;
  }
}

function urlOf(text: string): URL {
  const url = parseUrl(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    // What cannot be read is not repeated: there may be a password in it.
    throw new StoreError('broken', 'etcd: an endpoint is not a URL that begins with http:// or https://');
  }
  return url;
}

/** Makes the first endpoint that can serve the one that is tried first. */
async function findOne(gateway: Gateway, needs: Needs, warn: (text: string) => void): Promise<void> {
  const failures: Failure[] = [];
  for (const endpoint of gateway.endpoints) {
    const failure = await probe(gateway, endpoint, needs);
    if (failure === null) {
      for (const { text } of failures) warn(text);
      return;
    }
    failures.push(failure);
    gateway.passOver(endpoint);
  }
  const text = failures.map((failure) => failure.text).join('; ');
  throw new StoreError(failures.some(({ kind }) => kind === 'broken') ? 'broken' : 'unavailable', text);
}
