import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Config } from '../../config/schema.ts';
import type { Situation } from '../../agent/settings.ts';
import type { HostFiles } from '../../host/identity/read.ts';
import type { Deployment } from '../../host/rpm-ostree/deployment.ts';
import type { Graph, Scheme } from '../../graph/types.ts';

/** A graph, or why there is none. */
export type Fetched =
  | { readonly ok: true; readonly graph: Graph; readonly scheme: Scheme; readonly source: string }
  | { readonly ok: false; readonly text: string };

/** What a graph is asked for with. */
export interface Asking {
  readonly config: Config;
  readonly files: HostFiles;
  /** The booted release, or one that stands for it. */
  readonly booted: Deployment;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Where a graph is: what `--graph` names. */
export type Place =
  | { readonly kind: 'file'; readonly url: URL }
  /** One graph in JSON, the same for everybody. */
  | { readonly kind: 'document'; readonly url: URL }
  /** An update server, which is told about the host. */
  | { readonly kind: 'server'; readonly url: URL };

/** What `--graph` names; null for a URL that is none or of another kind. */
export function placeOf(written: string): Place | null {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(written)) return { kind: 'file', url: pathToFileURL(written) };
  if (!URL.canParse(written)) return null;
  const url = new URL(written);
  if (url.protocol === 'file:') return { kind: 'file', url };
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
  return { kind: url.pathname.endsWith('.json') ? 'document' : 'server', url };
}

/** Reads a graph from where it is. Never rejects for what the other side does. */
export async function fetchGraph(place: Place | null, asking: Asking): Promise<Fetched> {
  if (place?.kind === 'file') return fromFile(place.url, asking);
  if (place?.kind === 'document') return fromDocument(place.url, asking);
  return fromServer(place === null ? asking : asked(asking, place.url));
}

async function fromFile(url: URL, { booted }: Asking): Promise<Fetched> {
  const { GraphClient } = await import('../../graph/client.ts');
  const client = new GraphClient();
  const nothing = { basearch: '', stream: '', nodeId: '', rolloutWariness: null, osVersion: '', osChecksum: '' };
  const read = (scheme: Scheme) => client.fetch({ ...nothing, baseUrl: url.href, scheme, group: '', platform: '' });
  const source = fileURLToPath(url);
  const [first, second] = schemesFor(booted);
  const result = await read(first);
  if (!result.ok) return { ok: false, text: result.failure.text };
  if (result.graph.unusable === undefined) return { ok: true, graph: result.graph, scheme: first, source };
  const other = await read(second);
  if (other.ok && other.graph.unusable === undefined) return { ok: true, graph: other.graph, scheme: second, source };
  return { ok: true, graph: result.graph, scheme: first, source };
}

async function fromDocument(url: URL, { booted, config, env }: Asking): Promise<Fetched> {
  const { httpRequest } = await import('../../base/http.ts');
  const { MAX_GRAPH_SIZE, parseGraph } = await import('../../graph/parse.ts');
  const { connectTimeoutSecs, timeoutSecs } = config.cincinnati;
  const limits = { maxBytes: MAX_GRAPH_SIZE, maxRedirects: 3, environment: env };
  const times = { connectTimeoutMs: connectTimeoutSecs * 1000, totalTimeoutMs: timeoutSecs * 1000 };
  const result = await httpRequest({ method: 'GET', url, ...limits, ...times });
  const source = `${url.protocol}//${url.host}`;
  if (!result.ok) return { ok: false, text: result.failure.text };
  const { status, body } = result.answer;
  if (status !== 200) return { ok: false, text: `${source} answered ${status}: expected 200 and a graph` };
  const [first, second] = schemesFor(booted).map((scheme) => ({ scheme, parsed: parseGraph(body, scheme) }));
  const usable = [first, second].find((one) => one?.parsed.ok === true && one.parsed.graph.unusable === undefined);
  const chosen = usable ?? first;
  if (chosen?.parsed.ok !== true) return { ok: false, text: `${source}: ${chosen?.parsed.error ?? 'no graph'}` };
  return { ok: true, graph: { ...chosen.parsed.graph, raw: true }, scheme: chosen.scheme, source };
}

async function fromServer({ config, files, booted, env }: Asking): Promise<Fetched> {
  const { createGraphSource } = await import('../../agent/graph-source.ts');
  const { expand } = await import('../../agent/settings.ts');
  const { systemClock } = await import('../../base/clock.ts');
  const { errorText } = await import('../../base/text.ts');
  const situation: Situation = { config, files, nodeArch: process.arch, booted };
  const scheme = schemesFor(booted)[0];
  try {
    const graph = await createGraphSource(env, systemClock)(situation, new AbortController().signal);
    const url = new URL(expand(situation, config.cincinnati.baseUrl) ?? '');
    const source = url.protocol === 'file:' ? url.pathname : `${url.protocol}//${url.host}`;
    return { ok: true, graph, scheme, source };
  } catch (error) {
    return { ok: false, text: errorText(error, 500) };
  }
}

/** A server by its address, or by one at which it was asked already: what that says about the host goes first. */
function asked(asking: Asking, url: URL): Asking {
  const base = new URL(url);
  base.hash = '';
  base.pathname = base.pathname.replace(/\/v1\/graph\/?$/, '');
  const said = (name: string): string | null => base.searchParams.get(name);
  const { config } = asking;
  const identity = {
    ...config.identity,
    stream: said('stream') ?? config.identity.stream,
    basearch: said('basearch') ?? config.identity.basearch,
  };
  return { ...asking, config: { ...config, identity, cincinnati: { ...config.cincinnati, baseUrl: base.href } } };
}

function schemesFor({ origin }: Deployment): readonly [Scheme, Scheme] {
  return origin.kind === 'container' ? ['oci', 'checksum'] : ['checksum', 'oci'];
}
