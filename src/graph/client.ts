import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readCapped } from '../base/files.ts';
import type { HttpAnswer, HttpFailure, HttpRequest } from '../base/http.ts';
import { errorText } from '../base/text.ts';
import { MAX_GRAPH_SIZE, parseGraph } from './parse.ts';
import { type GraphRequest, graphUrl } from './request.ts';
import type { Graph } from './types.ts';

/** Limits and surroundings; the defaults are meant for production. */
export interface GraphClientOptions {
  /** Milliseconds until there must be a connection. Default 10 000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds until the whole graph must be there. Default 60 000. */
  readonly totalTimeoutMs?: number;
  readonly tls?: NonNullable<HttpRequest['tls']>;
  /** Where proxies are looked up. Default: the environment of this process. */
  readonly environment?: NonNullable<HttpRequest['environment']>;
}

/** Why there is no graph. The text fits one line and holds no credentials. */
export interface GraphFailure {
  readonly kind: HttpFailure['kind'] | 'http' | 'file';
  /** Of the answer, when there was one (`http`). */
  readonly status?: number;
  /** The header `Retry-After` of that answer. */
  readonly retryAfter?: string;
  readonly text: string;
}

/** A graph, or why there is none. Never thrown. */
export type GraphResult =
  { readonly ok: true; readonly graph: Graph } | { readonly ok: false; readonly failure: GraphFailure };

/** The last graph that came with an ETag, to be asked for only if it has changed. */
interface Cached {
  readonly url: string;
  readonly etag: string;
  readonly graph: Graph;
}

/** Asks an update server for its graph, or reads it from a file. Keeps no connection between two requests. */
export class GraphClient {
  readonly #options: GraphClientOptions;
  #cached: Cached | null = null;

  constructor(options: GraphClientOptions = {}) {
    this.#options = options;
  }

  /** The graph for this request as it is now. `signal` cancels. */
  async fetch(request: GraphRequest, signal?: AbortSignal): Promise<GraphResult> {
    if (!URL.canParse(request.baseUrl)) return failed('invalid', 'the base URL of the update graph is not a URL');
    const base = new URL(request.baseUrl);
    return base.protocol === 'file:'
      ? readGraphFile(base, request)
      : this.#ask(graphUrl(base, request), request, signal);
  }

  async #ask(url: URL, request: GraphRequest, signal: AbortSignal | undefined): Promise<GraphResult> {
    const { connectTimeoutMs = 10_000, totalTimeoutMs = 60_000, ...surroundings } = this.#options;
    const cached = this.#cached?.url === url.href ? this.#cached : null;
    const { httpRequest } = await import('../base/http.ts');
    const result = await httpRequest({
      method: 'GET',
      url,
      headers: { accept: 'application/json', ...(cached === null ? {} : { 'if-none-match': cached.etag }) },
      connectTimeoutMs,
      totalTimeoutMs,
      maxBytes: MAX_GRAPH_SIZE,
      maxRedirects: 3,
      ...surroundings,
      ...(signal === undefined ? {} : { signal }),
    });
    if (!result.ok) return result;
    if (result.answer.status === 304 && cached !== null) return { ok: true, graph: cached.graph };
    return this.#take(url, request, result.answer);
  }

  #take(url: URL, request: GraphRequest, { status, headers, body }: HttpAnswer): GraphResult {
    const origin = `${url.protocol}//${url.host}`;
    if (status !== 200) {
      const { 'retry-after': retryAfter } = headers;
      const wait = retryAfter === undefined ? {} : { retryAfter };
      return { ok: false, failure: { kind: 'http', status, ...wait, text: refusal(origin, status, request) } };
    }
    const parsed = parseGraph(body, request.scheme);
    if (!parsed.ok) return failed('invalid', `${origin}: ${parsed.error}`);
    const { etag } = headers;
    this.#cached = etag === undefined ? null : { url: url.href, etag, graph: parsed.graph };
    return parsed;
  }
}

/** The bodies of failures are often not JSON, or empty: the status has to do. */
function refusal(origin: string, status: number, { stream, basearch, scheme }: GraphRequest): string {
  const scope = `stream ${stream}, architecture ${basearch}, scheme ${scheme}`;
  if (status === 500) return `${origin} answered 500: a fault of its own, or it does not know ${scope}`;
  if (status >= 300 && status < 400) return `${origin} answered ${status}: redirected too often, or to nowhere`;
  return `${origin} answered ${status} for ${scope}`;
}

/** Nobody has filtered a file for this host, so the graph is raw. */
function readGraphFile(url: URL, { scheme }: GraphRequest): GraphResult {
  try {
    const path = fileURLToPath(url);
    // A pipe or a device could block for ever.
    if (!statSync(path).isFile()) return failed('file', `${path}: expected a file with an update graph in JSON`);
    const parsed = parseGraph(readCapped(path, MAX_GRAPH_SIZE) ?? '', scheme);
    return parsed.ok ? { ok: true, graph: { ...parsed.graph, raw: true } } : failed('file', `${path}: ${parsed.error}`);
  } catch (error) {
    return failed('file', errorText(error));
  }
}

function failed(kind: GraphFailure['kind'], text: string): GraphResult {
  return { ok: false, failure: { kind, text } };
}
