/** The environment variables of a process, or a stand-in. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment sets for a URL, or null. `https_proxy` counts for https and `http_proxy` for http,
 * lower case before upper case; `no_proxy` lists hosts (with their subdomains, with or without a port) to go to
 * directly, `*` for all. Text that is no URL is returned too, so that the caller can say so.
 */
export function proxyFor(url: URL, environment: Environment): string | null {
  const name = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const proxy = read(environment, name);
  if (proxy === '' || isExempt(url, read(environment, 'no_proxy'))) return null;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

function read(environment: Environment, name: string): string {
  return (environment[name] ?? environment[name.toUpperCase()] ?? '').trim();
}

function isExempt(url: URL, list: string): boolean {
  const host = bare(url.hostname);
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === '*') return true;
    const [, name = entry, onlyPort] = /^(\[.*\]|[^:]+):(\d+)$/.exec(entry) ?? [];
    const domain = bare(name).replace(/^\*?\./, '');
    if (domain === '' || (onlyPort !== undefined && onlyPort !== port)) return false;
    return host === domain || host.endsWith(`.${domain}`);
  });
}

/** Lower case, an IPv6 address without its brackets, no final dot. */
function bare(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}
