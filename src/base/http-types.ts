import type { Environment } from './proxy.ts';

/** One HTTP request. All limits are hard. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** http or https. User name and password in it are sent as Basic authorization. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds until there must be a connection, TLS included. */
  readonly connectTimeoutMs: number;
  /** Milliseconds until the whole answer must be there, redirects included. */
  readonly totalTimeoutMs: number;
  /** Largest body that is taken, both as received and decompressed. */
  readonly maxBytes: number;
  /**
   * Redirects to follow, default 0. A GET follows all kinds, a POST only 307 and 308 (others would turn it into a GET).
   * Never from https to http. An answer beyond the limit is returned as it is.
   */
  readonly maxRedirects?: number;
  readonly signal?: AbortSignal;
  /** In PEM; what is left out is as Node has it. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Where proxies are looked up. Default: the environment of this process. */
  readonly environment?: Environment;
}

/** An answer of any status. */
export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decompressed text. Of an answer that is not 2xx it may be missing: it could not be read. */
  readonly body: string;
}

/** Why there is no answer. The text fits one line and holds no credentials, path or query. */
export interface HttpFailure {
  readonly kind: 'timeout' | 'network' | 'too-large' | 'invalid' | 'cancelled';
  readonly text: string;
}

/** The outcome of a request; one is never thrown. */
export type HttpResult =
  { readonly ok: true; readonly answer: HttpAnswer } | { readonly ok: false; readonly failure: HttpFailure };

/** A failure with its kind, as it travels through the exchange. */
export class HttpError extends Error {
  readonly kind: HttpFailure['kind'];

  constructor(kind: HttpFailure['kind'], text: string) {
    super(text);
    this.kind = kind;
  }
}
