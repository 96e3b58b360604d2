import type { Scheme } from './types.ts';

/** What a client tells the update server about itself. */
export interface GraphRequest {
  /** http, https, or file: for a file the URL names the graph's JSON itself. */
  readonly baseUrl: string;
  readonly basearch: string;
  readonly stream: string;
  readonly scheme: Scheme;
  /** 32 hex digits. */
  readonly nodeId: string;
  /** 0 (eager) to 1 (cautious), or null to leave it to the server to derive one from the node id. */
  readonly rolloutWariness: number | null;
  readonly osVersion: string;
  /** The booted base commit, or the whole pull spec of the booted image (`registry/repo@sha256:…`). */
  readonly osChecksum: string;
  readonly group: string;
  readonly platform: string;
}

/** The URL that asks for the graph. `base` may end with a slash or not, and keeps what it has of a query. */
export function graphUrl(base: URL, request: GraphRequest): URL {
  const url = new URL(base);
  url.hash = '';
  url.pathname = `${base.pathname.replace(/\/+$/, '')}/v1/graph`;
  const { basearch, stream, scheme, nodeId, rolloutWariness, osVersion, osChecksum, group, platform } = request;
  const parameters = {
    basearch,
    stream,
    ...(scheme === 'oci' ? { oci: 'true' } : {}),
    node_uuid: nodeId,
    ...(rolloutWariness === null ? {} : { rollout_wariness: rolloutWariness.toFixed(6) }),
    os_version: osVersion,
    os_checksum: osChecksum,
    group,
    platform,
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url;
}
