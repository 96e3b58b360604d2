// Parts of undici 7.30.2 that are loaded one by one: the whole package costs several megabytes more. The types are
// those of the package.

declare module 'undici/lib/api/api-request.js' {
  import type { Dispatcher } from 'undici';

  /** One request over a dispatcher. The answer's body must be read or destroyed. */
  export default function request(
    this: Dispatcher,
    options: Dispatcher.RequestOptions & { readonly origin: string },
  ): Promise<Dispatcher.ResponseData>;
}

declare module 'undici/lib/api/api-connect.js' {
  import type { Client } from 'undici';

  /** Asks a proxy for a tunnel: what the whole package installs as a client's method. */
  const connect: Client['connect'];
  export default connect;
}

declare module 'undici/lib/dispatcher/client.js' {
  export { Client as default } from 'undici';
}

declare module 'undici/lib/dispatcher/proxy-agent.js' {
  export { ProxyAgent as default } from 'undici';
}

declare module 'undici/lib/dispatcher/pool.js' {
  export { Pool as default } from 'undici';
}

declare module 'undici/lib/core/connect.js' {
  export { buildConnector as default } from 'undici';
}
