import { digestsOf, isAmong, tokensIn } from '../tokens.ts';

/**
 * Whether an `Authorization` header carries, as Bearer, one of the tokens in the content of a file of them. How long that
 * takes says nothing about the tokens. With no token in it nobody gets in.
 */
export function isAuthorized(authorization: string | undefined, tokens: string): boolean {
  return isAmong(/^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '', digestsOf(tokensIn(tokens)));
}
