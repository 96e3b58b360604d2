import { ipAddress } from '../../config/address.ts';
import { key, list, optional, type Key } from '../../config/keys.ts';
import { arrayOf, boolean, groupName, integer, text } from '../../config/types.ts';
import { webUrl } from '../../config/url.ts';
import { groupType, HALT_AFTER, MAX_SLOTS, OVERDUE_SECS, SOAK_SECS, STALE_SECS, type GroupConfig } from './group.ts';
import { absolutePath, basePath, etcdEndpoint, etcdPrefix, listenAddress, slots, socketPath } from './types.ts';

const port = integer(0, 65_535);

const SERVICE_KEYS = {
  'service.address': key(
    listenAddress,
    '0.0.0.0',
    'Address on which hosts are answered. IPv6 without brackets. A name is looked up at the start; of several addresses an IPv4 one counts.',
  ),
  'service.port': key(port, 9090, 'Port on which hosts are answered; 0 for any free one.'),
  'service.tls': key(
    boolean,
    true,
    'Whether hosts are answered over HTTPS, which needs `cert_path` and `key_path`. With `false`, plain HTTP.',
  ),
  'service.cert_path': optional(
    absolutePath,
    'PEM file with the certificate of the server and those between it and its CA. It is read again when it changes.',
  ),
  'service.key_path': optional(absolutePath, 'PEM file with the private key of the certificate.'),
  'service.client_ca_path': optional(
    absolutePath,
    'PEM file with CAs. When set, only clients with a certificate of one of them are answered.',
  ),
  'service.bind_client_ids': key(
    boolean,
    false,
    "Whether the id in a request must be the common name of the client's certificate, or a DNS name or URI in it. Needs `client_ca_path`.",
  ),
  'service.base_path': key(
    basePath,
    '',
    'Path that stands before `/v1/pre-reboot` and `/v1/steady-state`. A slash at its end makes no difference.',
  ),
  'service.token_path': optional(
    absolutePath,
    'File with tokens, one in a line, that are accepted for all groups, as password of a user in the URL (Basic) or as Bearer. With neither this nor `token_path` in a group, nobody is asked for one.',
  ),
  'service.max_connections': key(integer(1, 1_000_000), 4096, 'The most connections at the same time.'),
  'service.max_wait_secs': key(
    integer(0, 300),
    50,
    'The most seconds that a request with `Prefer: wait` is held; proxies cut most idle requests after 60. With 0 none is held.',
  ),
  'service.drain_secs': key(
    integer(0, 300),
    10,
    'Seconds that requests have to end after SIGTERM, before their connections are cut.',
  ),
  'service.request_timeout_ms': key(
    integer(100, 60_000),
    10_000,
    'Milliseconds from the first byte of a request to its last.',
  ),
  'service.decision_timeout_ms': key(
    integer(100, 60_000),
    10_000,
    'Milliseconds that the store has for a decision, once the request is complete and waiting is over.',
  ),
};

const STATUS_KEYS = {
  'status.enabled': key(boolean, false, 'Whether a second listener answers `/metrics`, `/healthz` and `/readyz`.'),
  'status.address': key(listenAddress, '0.0.0.0', 'Address of that listener.'),
  'status.port': key(port, 9091, 'Port of that listener; 0 for any free one.'),
  'status.tls': key(boolean, false, 'Whether it speaks HTTPS, with the certificate of `service`.'),
};

const ADMIN_KEYS = {
  'admin.socket': key(
    socketPath,
    '/run/holdpoint-manager/admin.sock',
    'Unix socket for administration; `holdpoint manager status` and the others talk to it.',
  ),
  'admin.address': optional(
    ipAddress,
    'Address of a TCP listener for administration, beside the socket. Needs `admin.port` and `admin.token_path`.',
  ),
  'admin.port': optional(port, 'Port of that listener.'),
  'admin.token_path': optional(
    absolutePath,
    'File with the tokens, one in a line, without which the TCP listener answers nothing.',
  ),
};

const STORE_KEYS = {
  'store.path': key(
    absolutePath,
    '/var/lib/holdpoint-manager',
    'Folder of the embedded store, used when `etcd3.endpoints` is not set.',
  ),
  'etcd3.endpoints': key(
    arrayOf(etcdEndpoint, 'an array of URLs that start with http:// or https://'),
    [],
    'Client URLs of etcd; `host:port` is enough. When there are any, groups and slots are kept there and may be shared by several managers, and with airlock.',
  ),
  'etcd3.transaction_timeout_ms': key(
    integer(100, 60_000),
    3000,
    'Milliseconds after which a transaction of etcd is given up.',
  ),
  'etcd3.client_cert_pub_path': optional(
    absolutePath,
    'PEM file with the certificate shown to etcd. Needs `client_cert_key_path`.',
  ),
  'etcd3.client_cert_key_path': optional(absolutePath, 'PEM file with the private key of that certificate.'),
  'etcd3.ca_cert_path': optional(
    absolutePath,
    "PEM file with the CAs that etcd's certificates are checked against. Unset: those that Node knows.",
  ),
  'etcd3.username': optional(
    text('the name of a user', /^[^\p{Cc}]+$/u),
    'User to log in to etcd as. Needs `password_path`.',
  ),
  'etcd3.password_path': optional(absolutePath, 'File with the password of that user.'),
  'etcd3.prefix': key(
    etcdPrefix,
    'io.github.holdpoint/',
    "What our own keys in etcd begin with: all that airlock's keys have no place for. Managers that share a fleet have the same.",
  ),
};

const LOCK_KEYS = {
  'lock.default_group_name': key(groupName, 'default', 'Name of the group that there always is.'),
  'lock.default_slots': key(
    slots,
    1,
    'Slots of the default group, and of groups that set none: how many hosts may reboot at the same time; 0 grants nothing. A percentage is of the hosts of the group seen in 90 days, rounded down, at least 1, and needs `lock.max_slots`.',
  ),
  'lock.max_slots': optional(MAX_SLOTS, 'The most that a percentage may give, in groups that do not set it.'),
  'lock.soak_secs': key(
    SOAK_SECS,
    0,
    'Seconds for which a slot stays taken after its host is back in steady state, so that a bad release shows before the next host reboots.',
  ),
  'lock.stale_after_secs': key(
    STALE_SECS,
    3600,
    'Seconds after which the holder of a slot counts as stale. It is reported, and never freed by the clock.',
  ),
  'lock.halt_after': key(
    HALT_AFTER,
    0,
    'No new slots are granted while so many holders are stale, which stops a bad rollout; 0 for never.',
  ),
  'lock.overdue_secs': key(
    OVERDUE_SECS,
    21_600,
    'Seconds of waiting after which a free slot may be kept for a host until its next request, for 330 s at most.',
  ),
  'lock.show_holders': key(boolean, false, 'Whether a refusal names the hosts that hold the slots.'),
  'lock.auto_create': key(
    boolean,
    false,
    'Whether a group that is not in this file is made when a host first asks for it, instead of being refused.',
  ),
  'lock.max_groups': key(
    integer(1, 10_000),
    64,
    'With `lock.auto_create`, the most groups that there may be, those in this file among them.',
  ),
  'lock.audit_max_records': key(integer(100, 1_000_000), 10_000, 'The most records of changes that are kept.'),
  'lock.audit_max_days': key(integer(1, 3650), 90, 'Days for which a record is kept.'),
  'lock.groups': list(
    groupType,
    'A group. An entry with the name of the default group counts for it, which airlock silently overrides. The keys of its table are below.',
  ),
};

const NOTIFY_KEYS = {
  'notify.webhook_url': optional(
    webUrl({ use: 'whole', hide: 'path and query' }),
    'Told by POST when a holder is stale, and when a group is halted or frozen.',
  ),
  'notify.token_path': optional(absolutePath, 'File with the token that is sent there as `Authorization: Bearer`.'),
  'notify.timeout_secs': key(integer(1, 60), 10, 'Seconds in which the whole answer must arrive.'),
};

/** Every key of the manager's configuration. Names and meanings that airlock has too are airlock's. */
export const MANAGER_KEYS = {
  ...SERVICE_KEYS,
  ...STATUS_KEYS,
  ...ADMIN_KEYS,
  ...STORE_KEYS,
  ...LOCK_KEYS,
  ...NOTIFY_KEYS,
} satisfies Readonly<Record<string, Key<unknown>>>;

/** A certificate and its key, both PEM files. */
export interface Certificate {
  readonly certPath: string;
  readonly keyPath: string;
}

/** A TCP address to listen on; port 0 means any free one. */
export interface Listener {
  /** IPv4 or IPv6, without brackets. */
  readonly address: string;
  readonly port: number;
}

/** The configuration of a manager, complete and checked. A null is something that is not configured. */
export interface ManagerConfig {
  readonly service: Listener & {
    /** Null: plain HTTP. */
    readonly tls:
      | (Certificate & {
          /** CAs whose client certificates are demanded; null: none are. */
          readonly clientCaPath: string | null;
          /** The certificate must name the id; never true without `clientCaPath`. */
          readonly bindClientIds: boolean;
        })
      | null;
    /** Empty, or `/x/y` without a slash at its end. */
    readonly basePath: string;
    /** File with tokens that are accepted for all groups. */
    readonly tokenPath: string | null;
    /** 1..1 000 000 */
    readonly maxConnections: number;
    /** 0..300 000 */
    readonly maxWaitMs: number;
    /** 0..300 000 */
    readonly drainMs: number;
    /** From the first byte of a request to its last, 100..60 000. */
    readonly requestTimeoutMs: number;
    /** From there to the decision, without waiting, 100..60 000. */
    readonly decisionTimeoutMs: number;
  };
  readonly status: (Listener & { readonly tls: Certificate | null }) | null;
  readonly admin: {
    /** Absolute, at most 107 bytes. */
    readonly socket: string;
    readonly tcp: (Listener & { readonly tokenPath: string }) | null;
  };
  /** Used when `etcd3` is null. */
  readonly store: {
    /** Folder, absolute. */
    readonly path: string;
  };
  readonly etcd3: EtcdConfig | null;
  readonly defaultGroupName: string;
  /** By name; the default group is always there. */
  readonly groups: ReadonlyMap<string, GroupConfig>;
  /** What a group that is made on demand is like; null: unknown groups are refused. */
  readonly autoCreate: {
    /** Configured groups count, 1..10 000. */
    readonly maxGroups: number;
    readonly template: Omit<GroupConfig, 'name'>;
  } | null;
  readonly audit: {
    /** 100..1 000 000 */
    readonly maxRecords: number;
    /** 1 to 3650 days. */
    readonly maxAgeMs: number;
  };
  readonly notify: {
    /** http or https; its path and query may be a secret, so it is not printed. */
    readonly url: string;
    readonly tokenPath: string | null;
    /** 1 000..60 000 */
    readonly timeoutMs: number;
  } | null;
}

/** How etcd is reached. */
export interface EtcdConfig {
  /** http or https URLs without a slash at their end; at least one. */
  readonly endpoints: readonly string[];
  /** 100..60 000 */
  readonly transactionTimeoutMs: number;
  readonly clientCert: Certificate | null;
  readonly caCertPath: string | null;
  readonly user: { readonly name: string; readonly passwordPath: string } | null;
  /** What our own keys begin with; never among airlock's keys. */
  readonly prefix: string;
}
