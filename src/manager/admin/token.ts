import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether an `Authorization` header carries one of the tokens of a file (one in a line; empty lines and those that begin
 * with `#` are none), as Bearer. How long that takes says nothing about the tokens. With no token in it nobody gets in.
 */
export function isAuthorized(authorization: string | undefined, tokens: string): boolean {
  const presented = digest(/^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '');
  let good = false;
  for (const line of tokens.split('\n')) {
    const token = line.trim();
    if (token !== '' && !token.startsWith('#') && timingSafeEqual(digest(token), presented)) good = true;
  }
  return good;
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
