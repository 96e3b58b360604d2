import type { ClientParams } from '../../fleetlock/protocol.ts';
import { type Refusal, refuse } from '../answer.ts';
import { isAmong, type Tokens } from '../tokens.ts';
import { presentedToken } from './credentials.ts';
import { TokenFile, type TokenFileOptions } from './token-file.ts';

/** What a request shows of who sends it. */
export interface Facts {
  readonly authorization: string | undefined;
  /** The names in the client's certificate; none when it has none, or none was asked for. */
  readonly names: () => readonly string[];
}

/** The tokens that are good for a group: none in it lets nobody in. Null: none is needed. */
export type Guard = Tokens | null;

/** Decides who may speak for an id and for a group. */
export interface Access {
  /** Why not, or null. Tells nothing of the group, not even whether there is one. */
  check(facts: Facts, params: ClientParams): Refusal | null;
  /** What is good for a group at this moment. */
  guardOf(group: string): Guard;
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
  /** Groups that are configured no more. Left out: there are none. */
  readonly leftOver?: LeftOver;
}

/** Groups that are configured no more: what was good for one is good for those who hold its slots. */
export interface LeftOver {
  readonly guards: ReadonlyMap<string, Guard>;
  readonly hasHolders: (group: string) => boolean;
}

/** Everybody may speak for everybody. */
export const OPEN_ACCESS: Access = { check: () => null, guardOf: () => null };

const UNAUTHORIZED = refuse(
  'unauthorized',
  'a token that is good for this group is needed, as the password of a user in the URL or as Bearer',
);
const FORBIDDEN = refuse('forbidden', 'the certificate of this client does not name this id');
const NONE_LEFT: LeftOver = { guards: new Map(), hasHolders: () => false };
const UNWATCHED: TokenFileOptions = { now: () => 0, failed: () => undefined, read: () => undefined };

/**
 * Reads the tokens and makes the access from them; their files are read again when they change. Throws an error that
 * names the file when one cannot be read or has no token in it: nobody is to be let in by accident.
 */
export function createAccess(config: AccessConfig, options: TokenFileOptions = UNWATCHED): Access {
  const guardOf = guards(config, options);
  if (guardOf === null && !config.bindClientIds) return OPEN_ACCESS;
  return {
    check: (facts, { id, group }) => {
      if (guardOf !== null && !accepts(facts.authorization, guardOf(group))) return UNAUTHORIZED;
      return config.bindClientIds && !facts.names().includes(id) ? FORBIDDEN : null;
    },
    guardOf: guardOf ?? (() => null),
  };
}

/** Null: no group ever needs a token. */
function guards(config: AccessConfig, options: TokenFileOptions): ((group: string) => Guard) | null {
  const read = (path: string | null): TokenFile | null => (path === null ? null : new TokenFile(path, options));
  const common = read(config.tokenPath);
  const groups = new Map([...config.groups].map(({ name, tokenPath }) => [name, read(tokenPath)]));
  const someHaveTokens = [...groups.values()].some((file) => file !== null);
  const { guards: leftOver, hasHolders } = config.leftOver ?? NONE_LEFT;
  const someLeft = [...leftOver.values()].some((guard) => guard !== null);
  if (common === null && !someHaveTokens && !someLeft) return null;
  // An unknown group is answered as one with tokens is: else the answer would tell which is which.
  const unlisted: Guard = someHaveTokens && !config.openUnlisted ? [] : null;
  const former = (group: string): Guard => {
    const guard = leftOver.get(group);
    return guard !== undefined && hasHolders(group) ? guard : unlisted;
  };
  return (group) => {
    const own = groups.get(group);
    const guard = own === undefined ? former(group) : (own?.tokens ?? null);
    return common === null ? guard : [...common.tokens, ...(guard ?? [])];
  };
}

function accepts(authorization: string | undefined, guard: Guard): boolean {
  if (guard === null) return true;
  const token = presentedToken(authorization);
  return token !== null && isAmong(token, guard);
}
