import { isIPv4 } from 'node:net';
import { wholeFile, type Report } from '../../config/problem.ts';
import { valueReader, type Merged } from '../../config/merge.ts';
import { checkGroups } from './check-groups.ts';
import { checkIdle, checkPair, factsOf, type Facts } from './facts.ts';
import { MANAGER_KEYS, type Listener, type ManagerConfig } from './schema.ts';

/** Reports what no single key shows: values that need each other, or that have no effect together. */
export function checkManager(config: ManagerConfig, values: Merged, file: string, report: Report): void {
  const facts = factsOf(values, wholeFile(file), report);
  const get = valueReader(MANAGER_KEYS, values);
  const tls = { service: get('service.tls'), status: get('status.enabled') && get('status.tls') };
  checkCertificate(facts, tls);
  checkClients(facts, tls.service, get('service.bind_client_ids'));
  checkAdmin(facts);
  checkListeners(facts, config);
  checkStore(facts, config.etcd3 !== null);
  checkGroups(facts, get, new Set(config.groups.keys()), report);
  if (facts.good('notify.webhook_url') && config.notify === null) {
    checkIdle(facts, ['notify.token_path', 'notify.timeout_secs'], 'notify.webhook_url is not set');
  }
}

const CERTIFICATE = ['service.cert_path', 'service.key_path'];

function checkCertificate(facts: Facts, tls: { readonly service: boolean; readonly status: boolean }): void {
  const { isSet, good, say } = facts;
  if (!good('service.tls', 'status.tls', 'status.enabled', ...CERTIFICATE)) return;
  if (!tls.service && !tls.status) {
    checkIdle(facts, CERTIFICATE, 'service.tls is false');
    return;
  }
  const missing = CERTIFICATE.filter((path) => !isSet(path));
  if (missing.length === 0) return;
  const key = tls.service ? 'service.tls' : 'status.tls';
  const value = isSet(key) ? 'true' : 'true (the default)';
  const [verb, them] = missing.length === 1 ? ['is', 'it'] : ['are', 'them'];
  const ways = `set ${them} for HTTPS, or ${key} = false for plain HTTP`;
  say(key, `${value} needs ${missing.join(' and ')}, which ${verb} not set: ${ways}`);
}

function checkClients({ isSet, good, say }: Facts, tls: boolean, bound: boolean): void {
  const key = 'service.client_ca_path';
  if (!good('service.tls', key)) return;
  if (isSet(key) && !tls) say(key, 'needs service.tls: over plain HTTP no client shows a certificate');
  if (bound && !isSet(key)) say('service.bind_client_ids', `needs ${key}, which is not set`);
}

function checkAdmin(facts: Facts): void {
  const { isSet, good, say } = facts;
  const [address, port, token] = ['admin.address', 'admin.port', 'admin.token_path'] as const;
  checkPair(facts, address, port);
  if (!good(address, port, token)) return;
  if (!isSet(address) && !isSet(port)) {
    checkIdle(facts, [token], `${address} and ${port} are not set`);
  } else if (!isSet(token)) {
    const key = isSet(address) ? address : port;
    say(key, `needs ${token}, which is not set: administration over TCP is never without a token`);
  }
}

function checkListeners({ good, say }: Facts, { service, status, admin }: ManagerConfig): void {
  const listeners = { service, status, admin: admin.tcp };
  const open = Object.entries(listeners).flatMap(([name, listener]) => {
    return listener === null || !good(`${name}.address`, `${name}.port`) ? [] : [{ name, listener }];
  });
  for (const [index, { name, listener }] of open.entries()) {
    const other = open.slice(0, index).find((before) => collide(before.listener, listener));
    if (other === undefined) continue;
    say(`${name}.port`, `${listener.port} is the port of ${other.name} already, on the same address`);
  }
}

function collide(a: Listener, b: Listener): boolean {
  return a.port === b.port && a.port !== 0 && (covers(a.address, b.address) || covers(b.address, a.address));
}

function covers(address: string, other: string): boolean {
  return address === other || address === '::' || (address === '0.0.0.0' && isIPv4(other));
}

const ETCD_ONLY = [
  'etcd3.client_cert_pub_path',
  'etcd3.client_cert_key_path',
  'etcd3.ca_cert_path',
  'etcd3.username',
  'etcd3.password_path',
  'etcd3.prefix',
];

function checkStore(facts: Facts, etcd: boolean): void {
  if (!etcd && facts.good('etcd3.endpoints')) {
    checkIdle(facts, ETCD_ONLY, 'etcd3.endpoints is not set: the embedded store is used');
    return;
  }
  checkPair(facts, 'etcd3.client_cert_pub_path', 'etcd3.client_cert_key_path');
  checkPair(facts, 'etcd3.username', 'etcd3.password_path');
  checkIdle(facts, ['store.path'], 'etcd3.endpoints is set');
}
