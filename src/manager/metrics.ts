import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Operation } from '../fleetlock/protocol.ts';
import { withDeadline } from '../base/deadline.ts';
import type { FleetStatus } from './api.ts';
import type { HttpMeter } from './meter.ts';
import { createFleetGauges } from './metrics-fleet.ts';

/** Counts, and says what was counted. */
export interface Metrics extends HttpMeter {
  readonly contentType: string;
  /** Everything in Prometheus' text format. Without the store, what only the store knows is left out. Never rejects. */
  text(now: Scrape): Promise<string>;
}

/** What is looked at when metrics are asked for. */
export interface Scrape {
  readonly status: () => Promise<FleetStatus>;
  /** Connections of the public listener. */
  readonly connections: number;
}

/** Of what the metrics are. */
export interface MetricsOptions {
  readonly version: string;
  /** Whether there is such a group: others are counted together, or a client could make any number of labels. */
  readonly isGroup: (name: string) => boolean;
}

/** Seconds in which the state of the fleet must be there; Prometheus itself gives up after 10. */
const STATUS_SECS = 5;
/** From a cached read to a store in trouble. */
const STORE_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Makes the metrics of a manager. */
export function createMetrics({ version, isGroup }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const incoming = incomingCounters(registers);
  const decisions = new Tallies(registers, isGroup);
  const storeSeconds = new Histogram({
    name: 'holdpoint_manager_store_seconds',
    help: 'Seconds that operations of the store take.',
    labelNames: ['operation'],
    buckets: STORE_BUCKETS,
    registers,
  });
  const storeErrors = new Counter({
    name: 'holdpoint_manager_store_errors_total',
    help: 'Operations of the store that failed.',
    labelNames: ['kind'],
    registers,
  });
  const storeUp = gauge(
    'holdpoint_manager_store_up',
    'Whether the state of the fleet could be read just now.',
    registers,
  );
  const connections = gauge('holdpoint_manager_http_connections', 'Connections of the public listener.', registers);
  new Gauge({
    name: 'holdpoint_build_info',
    help: 'Always 1; its label tells the version.',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1);
  processMetrics(registers);
  const fleet = createFleetGauges(registers);
  const render = async (now: Scrape): Promise<string> => {
    connections.set(now.connections);
    const status = await readStatus(now);
    storeUp.set(status === null ? 0 : 1);
    fleet(status);
    return registry.metrics();
  };
  let underWay: Promise<string> | null = null;
  return {
    contentType: registry.contentType,
    incoming: (operation) => incoming[operation].inc(),
    decision: (group, operation, kind) => decisions.add(group, operation, kind),
    storeTime: (operation, seconds) => storeSeconds.observe({ operation }, seconds),
    storeError: (kind) => storeErrors.inc({ kind }),
    // Gauges belong to one scrape: who asks at the same time gets the same.
    text: (now) => (underWay ??= render(now).finally(() => (underWay = null))),
  };
}

async function readStatus({ status }: Scrape): Promise<FleetStatus | null> {
  try {
    return await withDeadline(status(), STATUS_SECS * 1000, 'the state of the fleet was not there in time');
  } catch {
    return null;
  }
}

function gauge(name: string, help: string, registers: Registry[]): Gauge {
  return new Gauge({ name, help, registers });
}

/** airlock's names. */
function incomingCounters(registers: Registry[]): Readonly<Record<Operation, Counter>> {
  const counter = (name: string, operation: Operation): Counter =>
    new Counter({
      name: `airlock_v1_${name}_incoming_requests_total`,
      help: `Requests to ${operation}, good or not.`,
      registers,
    });
  return {
    'pre-reboot': counter('pre_reboot', 'pre-reboot'),
    'steady-state': counter('steady_state', 'steady-state'),
  };
}

/** What prom-client's own set has of the process, without its timers and observers, which cost while nobody looks. */
function processMetrics(registers: Registry[]): void {
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Seconds of processor time, in user and system mode.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'Start of the process, in seconds since 1970.',
    registers,
  }).set(Math.floor(Date.now() / 1000 - process.uptime()));
}

/** Decisions by group, operation and kind. They are counted on the hot path, and made into metrics only when read. */
class Tallies {
  readonly #isGroup: (name: string) => boolean;
  readonly #counts = new Map<
    string,
    { readonly labels: Record<'group' | 'operation' | 'kind', string>; count: number }
  >();

  constructor(registers: Registry[], isGroup: (name: string) => boolean) {
    this.#isGroup = isGroup;
    const counts = this.#counts;
    new Counter({
      name: 'holdpoint_manager_decisions_total',
      help: 'Requests decided, by outcome or kind of refusal. Groups that do not exist are "other".',
      labelNames: ['group', 'operation', 'kind'],
      registers,
      collect() {
        this.reset();
        for (const { labels, count } of counts.values()) this.inc(labels, count);
      },
    });
  }

  add(group: string, operation: string, kind: string): void {
    const name = this.#isGroup(group) ? group : 'other';
    const key = `${kind} ${operation} ${name}`;
    const tally = this.#counts.get(key);
    if (tally !== undefined) tally.count += 1;
    else this.#counts.set(key, { labels: { group: name, operation, kind }, count: 1 });
  }
}
