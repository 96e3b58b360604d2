import { systemClock } from '../base/clock.ts';
import { readCapped } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import { readSecret } from '../base/secret-file.ts';
import type { EtcdConfig, ManagerConfig } from './config/schema.ts';
import type { Meter } from './meter.ts';
import { ConfiguredPolicies } from './policies.ts';
import { Service } from './service.ts';
import type { TlsMaterial } from './store/etcd.ts';
import type { AuditBounds, Store } from './store/store.ts';
import type { Time } from './time.ts';
import { createWitness } from './witness.ts';

/** A manager that is ready to decide, without listeners. */
export interface OpenedManager {
  readonly manager: Service;
  readonly policies: ConfiguredPolicies;
  /** Ends its timers, then its store. */
  close(): Promise<void>;
}

/** The time of this machine. */
export const REAL_TIME: Time = {
  now: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

const NO_METER: Meter = { decision: () => undefined, storeTime: () => undefined, storeError: () => undefined };

/**
 * Opens the store that a configuration names and puts a manager on it. Rejects with a `StoreError` whose text says what
 * is wrong and what to do.
 */
export async function openManager(config: ManagerConfig, log: Log, meter: Meter = NO_METER): Promise<OpenedManager> {
  const store = await openStore(config, log);
  try {
    const policies = new ConfiguredPolicies(config, REAL_TIME.now);
    const manager = new Service({
      store,
      storeKind: config.etcd3 === null ? 'embedded' : 'etcd',
      time: REAL_TIME,
      policies,
      witness: createWitness(log, meter, REAL_TIME.now),
      decisionMs: config.service.decisionTimeoutMs,
    });
    await manager.start();
    return {
      manager,
      policies,
      close: async () => {
        await manager.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function openStore({ etcd3, store, audit }: ManagerConfig, log: Log): Promise<Store> {
  const bounds: AuditBounds = { mostRecords: audit.maxRecords, longestMs: audit.maxAgeMs };
  if (etcd3 === null) {
    const { openEmbeddedStore } = await import('./store/embedded.ts');
    return openEmbeddedStore({ path: store.path, clock: REAL_TIME.now, audit: bounds });
  }
  const { openEtcdStore } = await import('./store/etcd.ts');
  const { endpoints, transactionTimeoutMs, prefix, user } = etcd3;
  return openEtcdStore({
    endpoints,
    timeoutMs: transactionTimeoutMs,
    prefix,
    clock: systemClock,
    audit: bounds,
    onWarning: (text) => log.warn(text),
    ...(user === null ? {} : { user: { name: user.name, password: () => readSecret(user.passwordPath) } }),
    ...(etcd3.caCertPath === null && etcd3.clientCert === null ? {} : { tls: () => readTls(etcd3) }),
  });
}

/** Certificates as they are at the moment. Throws an error that names the file that cannot be read. */
function readTls({ caCertPath, clientCert }: EtcdConfig): TlsMaterial {
  return {
    ...(caCertPath === null ? {} : { ca: readPem(caCertPath) }),
    ...(clientCert === null ? {} : { cert: readPem(clientCert.certPath), key: readPem(clientCert.keyPath) }),
  };
}

const MOST_PEM_BYTES = 1024 * 1024;

function readPem(path: string): string {
  const text = readCapped(path, MOST_PEM_BYTES);
  if (text === null) throw new Error(`${path}: there is no such file`);
  return text;
}
