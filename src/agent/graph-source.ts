import type { Clock } from '../base/clock.ts';
import { FailureError } from '../base/failure.ts';
import { retryAfterMs } from '../base/retry-after.ts';
import { GraphClient } from '../graph/client.ts';
import type { GraphRequest } from '../graph/request.ts';
import type { Graph } from '../graph/types.ts';
import { type Situation, describe, expand, nodeIdOf } from './settings.ts';

/** Fetches the update graph of a host, until `signal` is aborted. Rejects with a `FailureError`. */
export type GraphSource = (situation: Situation, signal: AbortSignal) => Promise<Graph>;

/** Makes a function that fetches the update graph of a host, with the limits of its configuration. */
export function createGraphSource(
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): GraphSource {
  const clients = new WeakMap<Situation['config'], GraphClient>();
  return async (situation, signal) => {
    const { config } = situation;
    const host = describe(situation);
    const baseUrl = expand(situation, config.cincinnati.baseUrl);
    if (host === null || baseUrl === null) {
      throw new FailureError({ class: 'transient', text: 'the deployments of this host are not known yet' });
    }
    const client = clients.get(config) ?? createClient(config, environment);
    clients.set(config, client);
    const { oci, ...description } = host.description;
    const request: GraphRequest = {
      ...description,
      baseUrl,
      scheme: oci ? 'oci' : 'checksum',
      nodeId: nodeIdOf(situation),
      rolloutWariness: config.identity.rolloutWariness,
      group: config.identity.group,
    };
    const result = await client.fetch(request, signal);
    if (result.ok) return result.graph;
    const { text, retryAfter } = result.failure;
    const wait = retryAfterMs(retryAfter, clock().wall);
    throw new FailureError({ class: 'transient', text, ...(wait === undefined ? {} : { retryAfterMs: wait }) });
  };
}

function createClient(
  config: Situation['config'],
  environment: Readonly<Record<string, string | undefined>>,
): GraphClient {
  const { connectTimeoutSecs, timeoutSecs } = config.cincinnati;
  return new GraphClient({
    connectTimeoutMs: connectTimeoutSecs * 1000,
    totalTimeoutMs: timeoutSecs * 1000,
    environment,
  });
}
