import type { Facts } from './facts.ts';

/** Settings of the metrics without effect. */
export function checkMetrics({ config, report, at, all, good }: Facts): void {
  const { enabled, port } = config.metrics;
  const vain = (key: string, why: string): void => {
    if (all(key).length > 0) report(at(key), `${key}: has no effect, because ${why}`, 'warning');
  };
  if (!enabled) for (const name of ['metrics.address', 'metrics.port']) vain(name, 'metrics.enabled is false');
  else if (port === null && good('metrics.port')) vain('metrics.address', 'metrics.port is not set');
}
