/** What is wrong with sending the token of a file to a URL. */
export interface TokenProblem {
  readonly text: string;
  readonly severity: 'error' | 'warning';
}

/** Null when nothing is. `key` is the name of the URL in the configuration. */
export function tokenProblem(url: URL, key: string): TokenProblem | null {
  if (url.username !== '' || url.password !== '') {
    return { text: `${key} holds a user or password too: keep one of them`, severity: 'error' };
  }
  if (url.protocol === 'https:' || isLoopback(url.hostname)) return null;
  return { text: `is sent unencrypted, because ${key} starts with http://`, severity: 'warning' };
}

function isLoopback(host: string): boolean {
  return host === '[::1]' || /^127(?:\.\d+){3}$/.test(host) || /(?:^|\.)localhost$/.test(host);
}
