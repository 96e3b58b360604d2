import { GraphClient } from '../graph/client.ts';
import type { GraphRequest } from '../graph/request.ts';
import type { Graph, Scheme } from '../graph/types.ts';
import { type Reading, readDocument } from './graph/document.ts';
import type { Place } from './graph/source.ts';

/** The graph of a source, once for each scheme that was asked for; or why there is none. */
export type GraphsRead =
  { readonly ok: true; readonly graphs: readonly Graph[] } | { readonly ok: false; readonly text: string };

/** What a server is told about this host. */
export type Asking = Omit<GraphRequest, 'scheme'>;

/** Reads the graphs of a place, or asks the update server (also where there is no place but it). Never rejects. */
export async function readGraphs(
  place: Place | null,
  schemes: readonly Scheme[],
  asking: Asking,
  reading: Reading,
): Promise<GraphsRead> {
  if (place !== null && place.kind !== 'server') {
    const read = await readDocument(place, schemes, reading);
    return read.ok ? { ok: true, graphs: read.graphs.map(({ graph }) => graph) } : read;
  }
  const { connectTimeoutSecs, timeoutSecs } = reading.config.cincinnati;
  const times = { connectTimeoutMs: connectTimeoutSecs * 1000, totalTimeoutMs: timeoutSecs * 1000 };
  const client = new GraphClient({ environment: reading.env, ...times });
  const graphs: Graph[] = [];
  for (const scheme of schemes) {
    const result = await client.fetch({ ...asking, scheme });
    if (!result.ok) return { ok: false, text: `--graph: ${result.failure.text}` };
    graphs.push(result.graph);
  }
  return { ok: true, graphs };
}
