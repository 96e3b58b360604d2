import type { ValueReader } from '../../config/merge.ts';
import type { Gate, GroupConfig, GroupTable, Slots } from './group.ts';
import type { Certificate, EtcdConfig, MANAGER_KEYS, ManagerConfig } from './schema.ts';

const DAY_MS = 86_400_000;

/** Gives the merged value of a key of the manager. */
export type ManagerReader = ValueReader<typeof MANAGER_KEYS>;

/**
 * Gives the merged values their names and places in `ManagerConfig`. Of what is set only by half, or not acceptable,
 * nothing is made: such a configuration has errors and is not used.
 */
export function toManagerConfig(get: ManagerReader): ManagerConfig {
  const certificate = both(get('service.cert_path'), get('service.key_path'));
  return {
    service: toService(get, certificate),
    status: get('status.enabled')
      ? { address: get('status.address'), port: get('status.port'), tls: get('status.tls') ? certificate : null }
      : null,
    admin: { socket: get('admin.socket'), tcp: toAdminListener(get) },
    store: { path: get('store.path') },
    etcd3: toEtcd(get),
    defaultGroupName: get('lock.default_group_name'),
    groups: toGroups(get),
    autoCreate: get('lock.auto_create') ? { maxGroups: get('lock.max_groups'), template: toTemplate(get) } : null,
    audit: { maxRecords: get('lock.audit_max_records'), maxAgeMs: get('lock.audit_max_days') * DAY_MS },
    notify: toNotify(get),
  };
}

function both(certPath: string | null, keyPath: string | null): Certificate | null {
  return certPath === null || keyPath === null ? null : { certPath, keyPath };
}

function toService(get: ManagerReader, certificate: Certificate | null): ManagerConfig['service'] {
  const clients = {
    clientCaPath: get('service.client_ca_path'),
    bindClientIds: get('service.bind_client_ids'),
  };
  return {
    address: get('service.address'),
    port: get('service.port'),
    tls: get('service.tls') && certificate !== null ? { ...certificate, ...clients } : null,
    basePath: get('service.base_path'),
    tokenPath: get('service.token_path'),
    maxConnections: get('service.max_connections'),
    maxWaitMs: get('service.max_wait_secs') * 1000,
    drainMs: get('service.drain_secs') * 1000,
    requestTimeoutMs: get('service.request_timeout_ms'),
    decisionTimeoutMs: get('service.decision_timeout_ms'),
  };
}

function toAdminListener(get: ManagerReader): ManagerConfig['admin']['tcp'] {
  const [address, port, tokenPath] = [get('admin.address'), get('admin.port'), get('admin.token_path')];
  return address === null || port === null || tokenPath === null ? null : { address, port, tokenPath };
}

function toEtcd(get: ManagerReader): EtcdConfig | null {
  const given = get('etcd3.endpoints');
  if (given.length === 0) return null;
  const clientCert = both(get('etcd3.client_cert_pub_path'), get('etcd3.client_cert_key_path'));
  const caCertPath = get('etcd3.ca_cert_path');
  const [name, passwordPath] = [get('etcd3.username'), get('etcd3.password_path')];
  // As for airlock, an endpoint without a scheme speaks TLS when there are certificates for it.
  const scheme = clientCert === null && caCertPath === null ? 'http' : 'https';
  return {
    endpoints: given.map((url) => (url.includes('://') ? url : `${scheme}://${url}`).replace(/\/+$/, '')),
    transactionTimeoutMs: get('etcd3.transaction_timeout_ms'),
    clientCert,
    caCertPath,
    user: name === null || passwordPath === null ? null : { name, passwordPath },
    prefix: get('etcd3.prefix'),
  };
}

function toNotify(get: ManagerReader): ManagerConfig['notify'] {
  const url = get('notify.webhook_url');
  if (url === null) return null;
  return { url, tokenPath: get('notify.token_path'), timeoutMs: get('notify.timeout_secs') * 1000 };
}

/** What a group is like of which the file says nothing. */
function toTemplate(get: ManagerReader): Omit<GroupConfig, 'name'> {
  return {
    slots: toSlots(get('lock.default_slots'), get('lock.max_slots')),
    soakMs: get('lock.soak_secs') * 1000,
    staleAfterMs: get('lock.stale_after_secs') * 1000,
    haltAfter: get('lock.halt_after'),
    overdueMs: get('lock.overdue_secs') * 1000,
    showHolders: get('lock.show_holders'),
    first: [],
    tokenPath: null,
    timeZone: 'UTC',
    windows: [],
    gate: null,
  };
}

function toGroups(get: ManagerReader): ReadonlyMap<string, GroupConfig> {
  const name = get('lock.default_group_name');
  const groups = new Map<string, GroupConfig>([[name, { name, ...toTemplate(get) }]]);
  for (const table of get('lock.groups')) groups.set(table.name, toGroup(table, get));
  return groups;
}

function toGroup({ name, get }: GroupTable, defaults: ManagerReader): GroupConfig {
  return {
    name,
    slots: toSlots(get('slots') ?? defaults('lock.default_slots'), get('max_slots') ?? defaults('lock.max_slots')),
    soakMs: (get('soak_secs') ?? defaults('lock.soak_secs')) * 1000,
    staleAfterMs: (get('stale_after_secs') ?? defaults('lock.stale_after_secs')) * 1000,
    haltAfter: get('halt_after') ?? defaults('lock.halt_after'),
    overdueMs: (get('overdue_secs') ?? defaults('lock.overdue_secs')) * 1000,
    showHolders: get('show_holders') ?? defaults('lock.show_holders'),
    first: get('first'),
    tokenPath: get('token_path'),
    timeZone: get('time_zone'),
    windows: get('window'),
    gate: toGate(get),
  };
}

/** A percentage without a cap is an error that is reported elsewhere; it may as well give one slot. */
function toSlots(written: number | string, max: number | null): Slots {
  if (typeof written === 'number') return { kind: 'count', count: written };
  return { kind: 'percent', percent: Number(written.slice(0, -1)), max: max ?? 1 };
}

function toGate(get: GroupTable['get']): Gate | null {
  const request = {
    cacheMs: get('gate_cache_secs') * 1000,
    timeoutMs: get('gate_timeout_secs') * 1000,
    tokenPath: get('gate_token_path'),
  };
  const url = get('gate_url');
  if (url !== null) return { kind: 'http', url, ...request };
  const [server, query] = [get('gate_prometheus_url'), get('gate_query')];
  return server === null || query === null ? null : { kind: 'prometheus', url: server, query, ...request };
}
