import { noCron, type ReadCron } from './cron.ts';
import { toHolding, toHooksAndHealth, type HealthConfig, type HoldingConfig, type HooksConfig } from './holding.ts';
import { HOLDING_KEYS } from './keys-holding.ts';
import { NOTIFY_KEYS } from './keys-notify.ts';
import { key, list, optional, type Key } from './keys.ts';
import type { ValueReader } from './merge.ts';
import { toNotify, type NotifyConfig } from './notify.ts';
import { METRICS_KEYS } from './keys-metrics.ts';
import { toMetrics, type MetricsConfig, type MotdConfig } from './metrics.ts';
import { rebootWindow, type RebootWindow } from './reboot-window.ts';
import { absolutePath, boolean, float, groupName, integer, oneOf, someOf, text } from './types.ts';
import { urlTemplate } from './url.ts';
import { timeZone } from './zone.ts';

/** How a host decides when to reboot. Where several are given, all of them must consent. */
export type Strategy = 'immediate' | 'periodic' | 'fleet_lock';

/** Names such as `stable`, `x86_64`, `aws`: they become part of URLs and requests. */
const name = (example: string) =>
  text(`a name such as "${example}" (letters, digits, '.', '_', '-')`, /^[A-Za-z0-9][A-Za-z0-9._-]*$/);

const UUID = /^(?:urn:uuid:)?(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;
const BRACED_UUID = /^\{(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}$/i;
const uuid = text(
  'a UUID (32 hex digits, with or without dashes)',
  new RegExp(`${UUID.source}|${BRACED_UUID.source}`, 'i'),
  (form) => {
    return form.replace(/^urn:uuid:|[{}-]/gi, '').toLowerCase();
  },
);

const windows = (cron: ReadCron) =>
  list(
    rebootWindow(cron),
    'A window for reboots. Weekly: `days` (English names, in full or three letters), `start_time` (`"hh:mm"`) and `length_minutes` (1 to 10080); it may run over midnight. Or `schedule`, a cron expression of 5 fields that says where it begins, and `length_minutes`. Each may have a `time_zone` of its own. Windows of all files add up and may overlap.',
  );

/** Every key of the agent's configuration. Names and meanings that zincati has too are zincati's. */
export const AGENT_KEYS = {
  'agent.timing.steady_interval_secs': key(
    integer(1, 31_536_000),
    300,
    'Seconds between two looks at the update graph.',
  ),
  'identity.group': key(
    groupName,
    'default',
    'Group of hosts that this one belongs to, as the graph server and the lock manager know it.',
  ),
  'identity.node_uuid': optional(
    uuid,
    'Identity of this host towards servers, in any usual form of a UUID. Unset: derived from the machine id.',
  ),
  'identity.rollout_wariness': optional(
    float(0, 1),
    'How late in a gradual rollout this host wants a release: 0 with the first, 1 with the last. Unset: its place follows from its identity.',
  ),
  'identity.stream': optional(
    name('stable'),
    'Update stream. Unset: read from the host; needed on hosts without Fedora CoreOS metadata that use a graph.',
  ),
  'identity.platform': optional(
    name('metal'),
    'Platform that the host runs on, such as `aws` or `metal`. Unset: read from the host.',
  ),
  'identity.basearch': optional(name('x86_64'), 'Architecture as streams name it. Unset: read from the host.'),
  'cincinnati.base_url': key(
    urlTemplate(['http', 'https', 'file']),
    'https://updates.coreos.fedoraproject.org',
    'Server of the update graph, or a `file://` URL for hosts without a network. May contain `${basearch}`, `${group}`, `${platform}` and `${stream}`.',
  ),
  'cincinnati.connect_timeout_secs': key(
    integer(1, 600),
    10,
    'Seconds in which the connection to the graph server must be made.',
  ),
  'cincinnati.timeout_secs': key(
    integer(1, 600),
    60,
    'Seconds in which the whole answer of the graph server must arrive.',
  ),
  'updates.enabled': key(boolean, true, 'Whether updates are looked for, staged and applied at all.'),
  'updates.source': key(
    oneOf(['graph', 'staged']),
    'graph',
    'Where updates come from. `graph`: releases of the update graph, staged by Holdpoint. `staged`: whatever somebody else stages (rpm-ostreed-automatic, bootc, an administrator); only the reboot is coordinated.',
  ),
  'updates.allow_downgrade': key(boolean, false, 'Whether a release older than the booted one may be staged.'),
  'updates.strategy': key(
    someOf<Strategy>(['immediate', 'periodic', 'fleet_lock']),
    ['immediate'],
    'When the host may reboot. `immediate`: as soon as an update is staged. `periodic`: in the windows of `updates.periodic`. `fleet_lock`: when the lock manager of `updates.fleet_lock` grants a slot. In an array of several, all must agree.',
  ),
  'updates.fleet_lock.base_url': optional(
    urlTemplate(['http', 'https']),
    'The lock manager (FleetLock protocol); needed by strategy `fleet_lock`. May contain the same variables as `cincinnati.base_url`.',
  ),
  'updates.fleet_lock.token_file': optional(
    absolutePath('/etc/holdpoint/lock-token'),
    'File with one line that says who this host is to the lock manager: `user:password` (Basic) or a token (Bearer), at most 4 KiB. It is read for each question, so that a new secret is taken at once. Not together with a user or password in the URL.',
  ),
  'updates.fleet_lock.ca_file': optional(
    absolutePath('/etc/holdpoint/lock-ca.pem'),
    'Certificates (PEM) that the lock manager is trusted by, in place of those that Node ships with. Read for each question.',
  ),
  'updates.fleet_lock.client_cert_file': optional(
    absolutePath('/etc/holdpoint/lock-client.pem'),
    'Certificate (PEM, with intermediate ones after it) that this host shows to the lock manager; needs `updates.fleet_lock.client_key_file`. Read for each question.',
  ),
  'updates.fleet_lock.client_key_file': optional(
    absolutePath('/etc/holdpoint/lock-client.key'),
    'Its private key (PEM, without a passphrase).',
  ),
  'updates.fleet_lock.connect_timeout_secs': key(
    integer(1, 600),
    10,
    'Seconds in which the connection to the lock manager must be made.',
  ),
  'updates.fleet_lock.timeout_secs': key(
    integer(1, 600),
    60,
    'Seconds in which the whole answer of the lock manager must arrive, beside the time of `updates.fleet_lock.wait_secs`.',
  ),
  'updates.fleet_lock.wait_secs': key(
    integer(0, 300),
    50,
    'Seconds that the lock manager is asked to wait for a free slot before it refuses (`Prefer: wait`). Managers that do not know it answer at once. Proxies often end requests after 60 seconds. 0: never wait.',
  ),
  'updates.periodic.time_zone': key(
    timeZone,
    'UTC',
    'Time zone of windows and freezes that name no other: an IANA name, or `localtime` for that of the host.',
  ),
  'updates.periodic.random_place': key(
    boolean,
    false,
    'Whether each host begins at a place of its own within each window, so that a fleet does not reboot at the stroke of the hour: another one in each window, the same after a restart, and no later than people need to finish where the window is long enough for that.',
  ),
  'updates.periodic.window': windows(noCron),
  ...HOLDING_KEYS,
  ...NOTIFY_KEYS,
  ...METRICS_KEYS,
} satisfies Readonly<Record<string, Key<unknown>>>;

/** Every key, with a reader of cron expressions. */
export function agentKeys(cron: ReadCron): typeof AGENT_KEYS {
  return { ...AGENT_KEYS, 'updates.periodic.window': windows(cron) };
}

/** The configuration of an agent, complete and checked. A null is a key that is unset and has no default. */
export interface Config {
  readonly agent: {
    readonly timing: {
      /** Seconds between two polls of the graph, 1..31536000 (longer than a JavaScript timer can wait). */
      readonly steadyIntervalSecs: number;
    };
  };
  readonly identity: {
    /** `^[a-zA-Z0-9.-]+$` */
    readonly group: string;
    /** 32 lower-case hex digits. */
    readonly nodeUuid: string | null;
    /** 0..1 */
    readonly rolloutWariness: number | null;
    readonly stream: string | null;
    readonly platform: string | null;
    readonly basearch: string | null;
  };
  readonly cincinnati: {
    /** http, https or file; `expandTemplate` comes before use; may hold a password, so `redactUrl` before printing. */
    readonly baseUrl: string;
    /** Seconds, 1..600. */
    readonly connectTimeoutSecs: number;
    /** Seconds for the whole request, 1..600. */
    readonly timeoutSecs: number;
  };
  readonly hooks: HooksConfig;
  readonly health: HealthConfig;
  readonly notify: NotifyConfig;
  readonly metrics: MetricsConfig;
  readonly motd: MotdConfig;
  readonly updates: HoldingConfig & {
    readonly enabled: boolean;
    readonly source: 'graph' | 'staged';
    readonly allowDowngrade: boolean;
    /** At least one, none twice. */
    readonly strategy: readonly Strategy[];
    readonly fleetLock: {
      /** http or https, never null with strategy `fleet_lock`; template and secrets as in `cincinnati.baseUrl`. */
      readonly baseUrl: string | null;
      /** Absolute paths; read when they are needed. */
      readonly tokenFile: string | null;
      readonly caFile: string | null;
      /** Null together with `clientKeyFile`. */
      readonly clientCertFile: string | null;
      readonly clientKeyFile: string | null;
      /** Seconds, 1..600. */
      readonly connectTimeoutSecs: number;
      /** Seconds for the whole request without the wait, 1..600. */
      readonly timeoutSecs: number;
      /** Seconds, 0..300; 0 is no wait. */
      readonly waitSecs: number;
    };
    readonly periodic: {
      /** An IANA name or `localtime`; it and those of the windows are known to this Node where they matter. */
      readonly timeZone: string;
      readonly randomPlace: boolean;
      readonly windows: readonly RebootWindow[];
    };
  };
}

/** Gives the merged values their names and places in `Config`. */
export function toConfig(get: ValueReader<typeof AGENT_KEYS>): Config {
  return {
    agent: { timing: { steadyIntervalSecs: get('agent.timing.steady_interval_secs') } },
    identity: {
      group: get('identity.group'),
      nodeUuid: get('identity.node_uuid'),
      rolloutWariness: get('identity.rollout_wariness'),
      stream: get('identity.stream'),
      platform: get('identity.platform'),
      basearch: get('identity.basearch'),
    },
    cincinnati: {
      baseUrl: get('cincinnati.base_url'),
      connectTimeoutSecs: get('cincinnati.connect_timeout_secs'),
      timeoutSecs: get('cincinnati.timeout_secs'),
    },
    updates: {
      enabled: get('updates.enabled'),
      source: get('updates.source'),
      allowDowngrade: get('updates.allow_downgrade'),
      strategy: get('updates.strategy'),
      fleetLock: {
        baseUrl: get('updates.fleet_lock.base_url'),
        tokenFile: get('updates.fleet_lock.token_file'),
        caFile: get('updates.fleet_lock.ca_file'),
        clientCertFile: get('updates.fleet_lock.client_cert_file'),
        clientKeyFile: get('updates.fleet_lock.client_key_file'),
        connectTimeoutSecs: get('updates.fleet_lock.connect_timeout_secs'),
        timeoutSecs: get('updates.fleet_lock.timeout_secs'),
        waitSecs: get('updates.fleet_lock.wait_secs'),
      },
      periodic: {
        timeZone: get('updates.periodic.time_zone'),
        randomPlace: get('updates.periodic.random_place'),
        windows: get('updates.periodic.window'),
      },
      ...toHolding(get),
    },
    ...toHooksAndHealth(get),
    notify: toNotify(get),
    ...toMetrics(get),
  };
}
