import type { METRICS_KEYS } from './keys-metrics.ts';
import type { ValueReader } from './merge.ts';

/** Where the agent's metrics can be had. */
export interface MetricsConfig {
  readonly enabled: boolean;
  /** IPv4 or IPv6, without brackets. */
  readonly address: string;
  /** 1..65535; null: no TCP port is opened. */
  readonly port: number | null;
}

/** What the people who log in are shown. */
export interface MotdConfig {
  readonly enabled: boolean;
}

/** The tables `metrics` and `motd`. */
export function toMetrics(get: ValueReader<typeof METRICS_KEYS>): {
  readonly metrics: MetricsConfig;
  readonly motd: MotdConfig;
} {
  return {
    metrics: { enabled: get('metrics.enabled'), address: get('metrics.address'), port: get('metrics.port') },
    motd: { enabled: get('motd.enabled') },
  };
}
