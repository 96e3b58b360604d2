import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../base/clock.ts';
import { readCapped } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import { readSecret } from '../base/secret-file.ts';
import type { EtcdConfig, ManagerConfig } from './config/schema.ts';
import type { Holders } from './admission.ts';
import type { Meter } from './meter.ts';
import { ConfiguredPolicies } from './policies.ts';
import { Service } from './service.ts';
import type { TlsMaterial } from './store/etcd.ts';
import { type AuditBounds, type Store, StoreInUse } from './store/store.ts';
import type { Time } from './time.ts';
import { createWitness } from './witness.ts';

/** A manager that is ready to decide, without listeners. */
export interface OpenedManager {
  readonly manager: Service;
  readonly policies: ConfiguredPolicies;
  readonly holders: Holders;
  /** Small texts in the store that may be lost. They reject with a `StoreError`. */
  readonly notes: {
    readonly read: (name: string) => Promise<string | null>;
    readonly write: (name: string, text: string) => Promise<void>;
  };
  /** Ends its timers, then its store, which may be silent. */
  close(): Promise<void>;
}

/** The time of this machine. */
export const REAL_TIME: Time = {
  now: () => Date.now(),
  after: (ms, callback) => {
    const timer = globalThis.setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

const NO_METER: Meter = { decision: () => undefined, storeTime: () => undefined, storeError: () => undefined };

/** How a manager is opened. */
export interface OpenOptions {
  /** Left out: nothing is counted. */
  readonly meter?: Meter;
  /** Milliseconds for which an embedded store is tried again while another process has it; default 0. */
  readonly storeWaitMs?: number;
  /** A damaged embedded store is gone on with; default false. */
  readonly acceptDamage?: boolean;
  /** It writes what it is ordered to and nothing else, not even what the configuration says; default false. */
  readonly onlyOrders?: boolean;
}

/**
 * Opens the store that a configuration names and puts a manager on it. Rejects with a `StoreError` whose text says what
 * is wrong and what to do; a `StoreInUse` when another process has it.
 */
export async function openManager(config: ManagerConfig, log: Log, options: OpenOptions = {}): Promise<OpenedManager> {
  const { meter = NO_METER, storeWaitMs = 0, acceptDamage = false, onlyOrders = false } = options;
  const store = await patiently(() => openStore(config, log, acceptDamage), storeWaitMs, log);
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
    await (onlyOrders ? manager.read() : manager.start());
    return {
      manager,
      policies,
      holders: holdersIn(store),
      notes: { read: (name) => store.readNote(name), write: (name, text) => store.writeNote(name, text) },
      close: async () => {
        await Promise.race([manager.close(), setTimeout(CLOSE_MS, undefined, { ref: false })]);
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Milliseconds for which the end waits for what the store is doing; what it is told then is for nobody. */
const CLOSE_MS = 1_000;
/** Milliseconds between two tries of a store that is in use. */
const TRY_AGAIN_MS = 50;

async function patiently(open: () => Promise<Store>, waitMs: number, log: Log): Promise<Store> {
  const end = performance.now() + waitMs;
  for (let tries = 0; ; tries += 1) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof StoreInUse) || performance.now() >= end) throw error;
      if (tries === 0) log.info(`the store is in use by another process: it is waited for, ${waitMs / 1000} s at most`);
      await setTimeout(TRY_AGAIN_MS);
    }
  }
}

function holdersIn(store: Store): Holders {
  const has = (group: string): boolean => {
    const entry = store.state.groups.get(group);
    // Nobody knows who holds a slot of a group that cannot be read.
    return entry !== undefined && (entry.kind === 'corrupt' || entry.document.holders.length > 0);
  };
  return { has, groups: () => [...store.state.groups.keys()].filter(has) };
}

async function openStore({ etcd3, store, audit }: ManagerConfig, log: Log, acceptDamage: boolean): Promise<Store> {
  const bounds: AuditBounds = { mostRecords: audit.maxRecords, longestMs: audit.maxAgeMs };
  if (etcd3 === null) {
    const { openEmbeddedStore } = await import('./store/embedded.ts');
    const onWarning = (text: string): void => log.warn(text);
    return openEmbeddedStore({ path: store.path, clock: REAL_TIME.now, audit: bounds, acceptDamage, onWarning });
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
