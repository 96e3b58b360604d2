/** The token that an `Authorization` header carries: as Bearer, or as the password of any user (Basic). Null: none. */
export function presentedToken(authorization: string | undefined): string | null {
  const [, scheme = '', rest = ''] = /^([A-Za-z]+) +(\S+)[ \t]*$/.exec(authorization ?? '') ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return rest;
    case 'basic':
      return passwordOf(Buffer.from(rest, 'base64').toString('utf8'));
    default:
      return null;
  }
}

function passwordOf(userAndPassword: string): string | null {
  const colon = userAndPassword.indexOf(':');
  const password = colon === -1 ? '' : userAndPassword.slice(colon + 1);
  return password === '' ? null : password;
}

/**
 * The names that a certificate gives its owner: common names, DNS names and URIs. `alternatives` is the text that Node
 * makes of the extension: `DNS:a, URI:"b, c"`, where what could be mistaken is quoted as JSON.
 */
export function certificateNames(commonNames: readonly string[], alternatives: string | undefined): readonly string[] {
  const entries = (alternatives ?? '').matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)/g);
  const names = [...entries].flatMap(([, kind = '', value = '']) =>
    kind === 'DNS' || kind === 'URI' ? [unquoted(value)] : [],
  );
  return [...commonNames, ...names].filter((name) => name !== '');
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return '';
  }
}
