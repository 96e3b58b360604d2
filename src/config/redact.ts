/**
 * Text that may be a URL, as it may be shown: user name, password or token become `***`. Everything between the scheme
 * and the last `@` goes, even where that takes a host and a path too: a password with a `/` in it looks like those.
 */
export function redactUrl(text: string): string {
  const end = text.lastIndexOf('@');
  const scheme = /^[^:/?#@]*:\/\//.exec(text)?.[0] ?? '';
  const suspicious = end !== -1 && (scheme !== '' || text.slice(0, end).includes(':'));
  return suspicious ? `${scheme}***${text.slice(end)}` : text;
}
