import { setFlagsFromString } from 'node:v8';
import type { Dispatcher } from 'undici';
import { HttpError, type HttpRequest } from './http-types.ts';
import { authorization, parseUrl, withoutUser } from './http-url.ts';
import { proxyFor } from './proxy.ts';

/**
 * A connection to come for one request, through a proxy if the environment says so. What is needed is loaded when it is
 * needed: a host that asks nobody (or a file) never pays for it.
 */
export async function dispatcherFor(request: HttpRequest): Promise<Dispatcher> {
  const { url, connectTimeoutMs, tls = {}, maxBytes, environment = process.env } = request;
  const connect = { ...tls, timeout: connectTimeoutMs };
  // The total timeout covers headers and body; timers of undici's own would only wake the process.
  const limits = { headersTimeout: 0, bodyTimeout: 0, maxResponseSize: maxBytes };
  const proxy = proxyFor(url, environment);
  keepParserSmall();
  const { default: Client } = await import('undici/lib/dispatcher/client.js');
  if (proxy === null) return new Client(url.origin, { ...limits, connect });
  const to = parseUrl(proxy);
  if (to === null || (to.protocol !== 'http:' && to.protocol !== 'https:')) {
    throw new HttpError('invalid', 'the proxy in the environment is not an http or https URL');
  }
  const { authorization: token } = authorization(to);
  const { default: ProxyAgent } = await import('undici/lib/dispatcher/proxy-agent.js');
  const { default: tunnel } = await import('undici/lib/api/api-connect.js');
  return new ProxyAgent({
    ...limits,
    uri: withoutUser(to).href,
    ...(token === undefined ? {} : { token }),
    requestTls: connect,
    // Only the whole package gives its clients the method by which the agent opens tunnels.
    clientFactory: (origin, options) => Object.assign(new Client(origin, options), { connect: tunnel }),
    proxyTls: { timeout: connectTimeoutMs },
    // Plain http goes through a proxy as it is: many allow tunnels to port 443 only.
    proxyTunnel: false,
  });
}

/**
 * undici's parser is WebAssembly. V8 would optimize it on threads of its own, whose scratch memory is not given back
 * (10 MB on Node 20), and a parser that is run once in minutes gains nothing from that.
 */
function keepParserSmall(): void {
  setFlagsFromString('--liftoff-only');
}
