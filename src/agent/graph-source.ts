import { FailureError } from '../base/failure.ts';
import { GraphClient } from '../graph/client.ts';
import type { Graph } from '../graph/types.ts';
import { type Situation, describe, expand, nodeIdOf } from './settings.ts';

/** Makes a function that fetches the update graph of a host, with the limits of its configuration. */
export function createGraphSource(
  environment: Readonly<Record<string, string | undefined>>,
): (situation: Situation) => Promise<Graph> {
  const clients = new WeakMap<Situation['config'], GraphClient>();
  return async (situation) => {
    const { config } = situation;
    const host = describe(situation);
    const baseUrl = expand(situation, config.cincinnati.baseUrl);
    if (host === null || baseUrl === null) {
      throw new FailureError({ class: 'transient', text: 'the deployments of this host are not known yet' });
    }
    const client = clients.get(config) ?? createClient(config, environment);
    clients.set(config, client);
    const { oci, ...description } = host.description;
    const result = await client.fetch({
      ...description,
      baseUrl,
      scheme: oci ? 'oci' : 'checksum',
      nodeId: nodeIdOf(situation),
      rolloutWariness: config.identity.rolloutWariness,
      group: config.identity.group,
    });
    if (result.ok) return result.graph;
    throw new FailureError({ class: 'transient', text: result.failure.text });
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
