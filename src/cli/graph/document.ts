import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../config/schema.ts';
import type { Graph, Scheme } from '../../graph/types.ts';
import type { Place } from './source.ts';

/** A graph that is the same for everybody, as hosts of each scheme see it; or why there is none. */
export type DocumentRead =
  | { readonly ok: true; readonly graphs: readonly SchemeGraph[]; readonly source: string }
  | { readonly ok: false; readonly text: string };

/** A graph as hosts of one scheme see it. Nobody has filtered it for this host, so it is raw. */
export interface SchemeGraph {
  readonly scheme: Scheme;
  readonly graph: Graph;
}

type Read =
  { readonly ok: true; readonly text: string; readonly source: string } | { readonly ok: false; readonly text: string };

/** What a graph is read with. */
export interface Reading {
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Reads the graph of a file or document once, for these schemes, in their order. Never rejects for what is there. */
export async function readDocument(
  { kind, url }: Exclude<Place, { readonly kind: 'server' }>,
  schemes: readonly Scheme[],
  reading: Reading,
): Promise<DocumentRead> {
  const { parseGraph } = await import('../../graph/parse.ts');
  const read = await (kind === 'file' ? readFile(url) : readUrl(url, reading));
  if (!read.ok) return read;
  const { text, source } = read;
  const parsed = schemes.map((scheme) => ({ scheme, result: parseGraph(text, scheme) }));
  const [error] = parsed.flatMap(({ result }) => (result.ok ? [] : result.error));
  if (error !== undefined) return { ok: false, text: `${source}: ${error}${await placeIn(text)}` };
  const graphs = parsed.flatMap(({ scheme, result }) =>
    result.ok ? [{ scheme, graph: { ...result.graph, raw: true } }] : [],
  );
  return { ok: true, graphs, source };
}

async function readFile(url: URL): Promise<Read> {
  const { readCapped } = await import('../../base/files.ts');
  const { errorText } = await import('../../base/text.ts');
  const { MAX_GRAPH_SIZE } = await import('../../graph/parse.ts');
  try {
    const source = fileURLToPath(url);
    const text = isOther(source) ? null : readCapped(source, MAX_GRAPH_SIZE);
    if (text !== null) return { ok: true, text, source };
    return { ok: false, text: `${source}: expected a file with an update graph in JSON, found none` };
  } catch (error) {
    return { ok: false, text: errorText(error) };
  }
}

/** A pipe or a device could block for ever. */
function isOther(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === false;
}

async function readUrl(url: URL, { config, env }: Reading): Promise<Read> {
  const { httpRequest } = await import('../../base/http.ts');
  const { MAX_GRAPH_SIZE } = await import('../../graph/parse.ts');
  const { connectTimeoutSecs, timeoutSecs } = config.cincinnati;
  const limits = { maxBytes: MAX_GRAPH_SIZE, maxRedirects: 3, environment: env };
  const times = { connectTimeoutMs: connectTimeoutSecs * 1000, totalTimeoutMs: timeoutSecs * 1000 };
  const result = await httpRequest({ method: 'GET', url, ...limits, ...times });
  const source = `${url.protocol}//${url.host}`;
  if (!result.ok) return { ok: false, text: result.failure.text };
  const { status, body } = result.answer;
  if (status !== 200) return { ok: false, text: `${source} answered ${status}: expected 200 and a graph` };
  return { ok: true, text: body, source };
}

/** Where a text stops being JSON, in the words of the parser; empty where it is JSON. */
async function placeIn(text: string): Promise<string> {
  const { errorText } = await import('../../base/text.ts');
  try {
    JSON.parse(text);
    return '';
  } catch (error) {
    return ` (${errorText(error)})`;
  }
}
