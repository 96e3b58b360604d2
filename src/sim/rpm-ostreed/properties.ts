import type { HostState } from '../api.ts';
import type { Release } from '../catalogue.ts';
import { bootedOf, defaultOf, rollbackOf } from '../ostree.ts';
import { dictionaryOf } from './dictionary.ts';
import { ROOT_PATH } from './interfaces.ts';

/** The transaction that is shown as active: its method, the bus name of its caller, its address. */
export type ActiveTransaction = readonly [string, string, string];

/** The values of all properties of both objects. */
export interface Properties {
  readonly sysroot: Readonly<Record<string, unknown>>;
  readonly os: Readonly<Record<string, unknown>>;
}

/** The path of the object of an operating system name. */
export function osPath(osname: string): string {
  return `${ROOT_PATH}/${osname.replace(/[^A-Za-z0-9]/g, '_')}`;
}

/** What the properties are when the host is as `state` says and this transaction is active. */
export function propertiesOf(
  state: HostState,
  catalogue: readonly Release[],
  active: ActiveTransaction | null,
): Properties {
  const rollback = rollbackOf(state);
  const show = (deployment: HostState['deployments'][number]): unknown => dictionaryOf(deployment, state, catalogue);
  return {
    sysroot: {
      Booted: osPath(state.osname),
      Path: '/',
      ActiveTransaction: active ?? ['', '', ''],
      ActiveTransactionPath: active?.[2] ?? '',
      AutomaticUpdatePolicy: state.automaticUpdatePolicy,
      Deployments: state.deployments.map(show),
    },
    os: {
      BootedDeployment: show(bootedOf(state)),
      DefaultDeployment: show(defaultOf(state)),
      RollbackDeployment: rollback === undefined ? {} : show(rollback),
      CachedUpdate: {},
      HasCachedUpdateRpmDiff: false,
      Name: state.osname,
    },
  };
}

/** Those of `now` that differ from `before`. */
export function changed(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(now).filter(([name, value]) => form(value) !== form(before[name])));
}

/** A text that is the same for the same D-Bus value. */
export function form(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
}
