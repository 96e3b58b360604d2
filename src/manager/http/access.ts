import type { ClientParams } from '../../fleetlock/protocol.ts';
import { readCapped } from '../../base/files.ts';
import { type Refusal, refuse } from '../answer.ts';
import { digestsOf, isAmong, type Tokens, tokensIn } from '../tokens.ts';
import { presentedToken } from './credentials.ts';

/** What a request shows of who sends it. */
export interface Facts {
  readonly authorization: string | undefined;
  /** The names in the client's certificate; none when it has none, or none was asked for. */
  readonly names: () => readonly string[];
}

/** Decides who may speak for an id and for a group. */
export interface Access {
  /** Why not, or null. Tells nothing of the group, not even whether there is one. */
  check(facts: Facts, params: ClientParams): Refusal | null;
}

/** Who is to be let in. */
export interface AccessConfig {
  /** File with the tokens that are good for every group; null: there are none. */
  readonly tokenPath: string | null;
  /** The groups that are configured, each with the file of its own tokens. */
  readonly groups: Iterable<{ readonly name: string; readonly tokenPath: string | null }>;
  /** Where groups have tokens and nothing is good for all of them: other groups need none (they are made on demand). */
  readonly openUnlisted: boolean;
  /** The certificate must name the id. */
  readonly bindClientIds: boolean;
}

/** Everybody may speak for everybody. */
export const OPEN_ACCESS: Access = { check: () => null };

/** A token file may have this many bytes. */
const MOST_TOKEN_BYTES = 64 * 1024;

const UNAUTHORIZED = refuse(
  'unauthorized',
  'a token that is good for this group is needed, as the password of a user in the URL or as Bearer',
);
const FORBIDDEN = refuse('forbidden', 'the certificate of this client does not name this id');

/**
 * Reads the tokens and makes the access from them. Throws an error that names the file when one cannot be read or has
 * no token in it: nobody is to be let in by accident.
 */
export function createAccess(config: AccessConfig): Access {
  const common = readTokens(config.tokenPath);
  const groups = new Map([...config.groups].map(({ name, tokenPath }) => [name, readTokens(tokenPath)]));
  const someHaveTokens = [...groups.values()].some((tokens) => tokens !== null);
  if (common === null && !someHaveTokens && !config.bindClientIds) return OPEN_ACCESS;
  const needed = (group: string): boolean => {
    if (common !== null) return true;
    const own = groups.get(group);
    // An unknown group is answered as one with tokens is: else the answer would tell which is which.
    return own === undefined ? someHaveTokens && !config.openUnlisted : own !== null;
  };
  return {
    check: (facts, { id, group }) => {
      if (needed(group) && !accepts(facts.authorization, common, groups.get(group) ?? null)) return UNAUTHORIZED;
      return config.bindClientIds && !facts.names().includes(id) ? FORBIDDEN : null;
    },
  };
}

function readTokens(path: string | null): Tokens | null {
  if (path === null) return null;
  const text = readCapped(path, MOST_TOKEN_BYTES);
  if (text === null) throw new Error(`the token file ${path} does not exist`);
  const tokens = tokensIn(text);
  if (tokens.length === 0) throw new Error(`the token file ${path} has no token in it`);
  return digestsOf(tokens);
}

function accepts(authorization: string | undefined, common: Tokens | null, own: Tokens | null): boolean {
  const token = presentedToken(authorization);
  return token !== null && isAmong(token, common ?? [], own ?? []);
}
