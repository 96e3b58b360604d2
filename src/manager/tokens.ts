import { createHash, timingSafeEqual } from 'node:crypto';

/** Digests of tokens: of equal length, so that comparing them takes the same time whatever is in them. */
export type Tokens = readonly Buffer[];

/** The tokens in a file: one in a line; empty lines and lines that begin with `#` are none. */
export function tokensIn(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** The digests of tokens. */
export function digestsOf(tokens: readonly string[]): Tokens {
  return tokens.map(digest);
}

/** Whether a token is one of some. All of them are compared, so that the time does not tell which one was met. */
export function isAmong(token: string, tokens: Tokens): boolean {
  const given = digest(token);
  let isGood = false;
  for (const good of tokens) if (timingSafeEqual(good, given)) isGood = true;
  return isGood;
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
