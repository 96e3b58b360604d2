import { pathToFileURL } from 'node:url';
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

/** What `--graph` has to be, for messages. */
export const PLACES = '--graph: expected a file, or a URL that starts with http://, https:// or file://';

/** Reads a graph from where it is. Never rejects for what the other side does. */
export async function fetchGraph(place: Place | null, asking: Asking): Promise<Fetched> {
  if (place === null || place.kind === 'server') {
    return fromServer({ ...asking, config: configFor(asking.config, place) });
  }
  const { readDocument } = await import('./document.ts');
  const read = await readDocument(place, schemesFor(asking.booted), asking);
  if (!read.ok) return read;
  const { graphs, source } = read;
  const chosen = graphs.find(({ graph }) => graph.unusable === undefined) ?? graphs[0];
  return chosen === undefined ? { ok: false, text: `${source}: no graph` } : { ok: true, ...chosen, source };
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

/**
 * The configuration that asks a server by its address, or by one at which it was asked already: what that says about the
 * host goes first. Any other place leaves it as it is.
 */
export function configFor(config: Config, place: Place | null): Config {
  if (place?.kind !== 'server') return config;
  const base = new URL(place.url);
  base.hash = '';
  base.pathname = base.pathname.replace(/\/v1\/graph\/?$/, '');
  const said = (name: string): string | null => base.searchParams.get(name);
  const identity = {
    ...config.identity,
    stream: said('stream') ?? config.identity.stream,
    basearch: said('basearch') ?? config.identity.basearch,
  };
  return { ...config, identity, cincinnati: { ...config.cincinnati, baseUrl: base.href } };
}

function schemesFor({ origin }: Deployment): readonly [Scheme, Scheme] {
  return origin.kind === 'container' ? ['oci', 'checksum'] : ['checksum', 'oci'];
}
