import { fileURLToPath } from 'node:url';
import { readCapped } from '../base/files.ts';
import { errorText } from '../base/text.ts';
import { GraphClient } from '../graph/client.ts';
import { MAX_GRAPH_SIZE, parseGraph } from '../graph/parse.ts';
import type { GraphRequest } from '../graph/request.ts';
import type { Graph, Scheme } from '../graph/types.ts';

/** The graph of a source, once for each scheme that was asked for; or why there is none. */
export type GraphsRead =
  { readonly ok: true; readonly graphs: readonly Graph[] } | { readonly ok: false; readonly text: string };

/** What a server is told about this host. */
export type Asking = Omit<GraphRequest, 'baseUrl' | 'scheme'>;

/** Reads a graph from a file (a path, or a URL of one), or asks the update server with this base URL. Never rejects. */
export async function readGraphs(
  source: string,
  schemes: readonly Scheme[],
  asking: Asking,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<GraphsRead> {
  if (!/^https?:/i.test(source)) return readFile(source, schemes);
  const client = new GraphClient({ environment });
  const graphs: Graph[] = [];
  for (const scheme of schemes) {
    const result = await client.fetch({ ...asking, baseUrl: source, scheme });
    if (!result.ok) return { ok: false, text: `--graph: ${result.failure.text}` };
    graphs.push(result.graph);
  }
  return { ok: true, graphs };
}

function readFile(source: string, schemes: readonly Scheme[]): GraphsRead {
  try {
    const path = /^file:/i.test(source) ? fileURLToPath(source) : source;
    const text = readCapped(path, MAX_GRAPH_SIZE);
    if (text === null) return { ok: false, text: `${path}: expected a file with an update graph in JSON, found none` };
    const parsed = schemes.map((scheme) => parseGraph(text, scheme));
    const graphs = parsed.flatMap((result) => (result.ok ? { ...result.graph, raw: true } : []));
    const [error] = parsed.flatMap((result) => (result.ok ? [] : result.error));
    return error === undefined ? { ok: true, graphs } : { ok: false, text: `${path}: ${error}${placeOf(text)}` };
  } catch (error) {
    return { ok: false, text: errorText(error) };
  }
}

/** Where a text stops being JSON, in the words of the parser; empty where it is JSON. */
function placeOf(text: string): string {
  try {
    JSON.parse(text);
    return '';
  } catch (error) {
    return ` (${errorText(error)})`;
  }
}
