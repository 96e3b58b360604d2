import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { errorText } from '../../base/text.ts';
import { VERSION } from '../../base/version.ts';
import type { MetricsConfig } from '../../config/metrics.ts';
import type { Config } from '../../config/schema.ts';
import type { HostFiles } from '../../host/identity/read.ts';
import type { Observer, Sight } from '../observer.ts';
import { describe } from '../settings.ts';
import { NO_COUNTS, countSight } from './counts.ts';
import { Listeners, type Wanted } from './listeners.ts';
import type { Scene } from './samples.ts';
import { serveHttp, servePlain } from './serve.ts';

/** What the observer needs. */
export interface MetricsParts {
  /** Where the sockets are made. */
  readonly runDir: string;
  readonly files: HostFiles;
  readonly nodeArch: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Milliseconds for which a text is given to all who ask, unless something happens: who asks all the time gets the same. */
const FRESH_MS = 1_000;

/** Counts what happens, and gives the metrics to whoever asks. Nothing is rendered, and nothing loaded, before that. */
export function createMetrics(parts: MetricsParts): Observer {
  return new Metrics(parts);
}

class Metrics implements Observer {
  readonly name = 'metrics';
  readonly #parts: MetricsParts;
  readonly #listeners: Listeners;
  readonly #http = serveHttp(() => this.#text());
  readonly #plain = servePlain(() => this.#text());
  #counts = NO_COUNTS;
  #sight: Sight | null = null;
  #config: MetricsConfig | null = null;
  #made: { readonly text: Promise<string>; readonly at: number } | null = null;

  constructor(parts: MetricsParts) {
    this.#parts = parts;
    this.#listeners = new Listeners(parts.log);
  }

  see(sight: Sight): void {
    this.#counts = countSight(this.#counts, sight);
    this.#sight = sight;
    this.#made = null;
    const { metrics } = sight.config;
    // With nothing but time, what could not be opened is tried again.
    if (sight.event !== null && JSON.stringify(metrics) === JSON.stringify(this.#config)) return;
    this.#config = metrics;
    void this.#listeners.want(this.#wanted(metrics));
  }

  close(): Promise<void> {
    return this.#listeners.want([]);
  }

  #wanted({ enabled, address, port }: MetricsConfig): readonly Wanted[] {
    if (!enabled) return [];
    const { runDir } = this.#parts;
    return [
      { place: { path: join(runDir, 'metrics.sock') }, serve: this.#http },
      { place: { path: join(runDir, 'metrics.promsock') }, serve: this.#plain },
      ...(port === null ? [] : [{ place: { address, port }, serve: this.#http }]),
    ];
  }

  #text(): Promise<string> {
    const at = this.#parts.clock().mono;
    if (this.#made === null || at - this.#made.at >= FRESH_MS) this.#made = { text: this.#render(), at };
    return this.#made.text;
  }

  async #render(): Promise<string> {
    const { log, clock } = this.#parts;
    try {
      const [{ metricsOf }, { processMetrics, render }] = await Promise.all([
        import('./samples.ts'),
        import('./render.ts'),
      ]);
      const sight = this.#sight;
      if (sight === null) throw new Error('nothing has been seen yet');
      return await render([...metricsOf(this.#scene(sight, clock())), ...processMetrics()]);
    } catch (error) {
      log.warn(`the metrics cannot be made: ${errorText(error)}`);
      throw error;
    }
  }

  #scene({ after, config }: { readonly after: Scene['state']; readonly config: Config }, at: Scene['at']): Scene {
    const { files, nodeArch } = this.#parts;
    const booted = after.host?.booted ?? null;
    return {
      state: after,
      counts: this.#counts,
      at,
      strategy: config.updates.strategy,
      host: describe({ config, files, nodeArch, booted })?.description ?? null,
      version: VERSION,
    };
  }
}
