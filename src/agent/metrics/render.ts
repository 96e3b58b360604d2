import { Counter, Gauge, Registry } from 'prom-client';
import { type Metric, counter, gauge } from './metric.ts';

/** Metrics in Prometheus' text format, version 0.0.4. Of two samples with the same labels the last one counts. */
export async function render(metrics: readonly Metric[]): Promise<string> {
  const registry = new Registry();
  for (const metric of metrics) if (metric.samples.length > 0) add(registry, metric);
  return registry.metrics();
}

function add(registry: Registry, { name, help, type, samples }: Metric): void {
  const labelNames = Object.keys(samples[0]?.labels ?? {});
  const options = { name, help, labelNames, registers: [registry] };
  if (type === 'gauge') {
    const made = new Gauge(options);
    for (const { labels, value } of samples) made.set(labels, value);
  } else {
    const made = new Counter(options);
    for (const { labels, value } of samples) made.inc(labels, value);
  }
}

/** What this process has used. */
export function processMetrics(): readonly Metric[] {
  const { user, system } = process.cpuUsage();
  const started = Math.floor(Date.now() / 1000 - process.uptime());
  return [
    counter('process_cpu_seconds_total', 'Seconds of processor time, in user and system mode.', (user + system) / 1e6),
    gauge('process_resident_memory_bytes', 'Resident memory.', process.memoryUsage.rss()),
    gauge('process_start_time_seconds', 'Start of the process, in seconds since 1970.', started),
  ];
}
