import type { Instant } from '../../base/clock.ts';
import { utc } from '../../base/text.ts';
import type { AgentState } from './state.ts';

/** Somebody of this host who wants something of the agent: who it is, or, as a sentence, why it is not for them. */
export type Requester = { readonly user: string } | { readonly denied: string };

/**
 * Who may speak for the people of this host: root, and whoever is logged in, as far as logind told last. `uid` must be
 * known for certain, from the bus.
 */
export function requester({ around }: Pick<AgentState, 'around'>, uid: number, at: Instant): Requester {
  const person = around?.people?.find((one) => one.uid === uid);
  if (person !== undefined) return { user: person.user };
  if (uid === 0) return { user: 'root' };
  const only = 'only root and people who are logged in on this host may do this';
  if (around === null) return { denied: `${only}, and it is not known yet who is` };
  if (around.people === null) return { denied: `${only}, and nobody knows who is (logind cannot be read)` };
  const seen = at.wall - Math.max(0, at.mono - around.readAt);
  const as = Number.isFinite(seen) ? `, as of ${utc(seen)}` : '';
  return { denied: `${only}; user number ${uid} is not among them${as}` };
}

/** The name of a user of this host as far as it is known, for people: `ann`, `user 1000`. */
export function personOf({ around }: Pick<AgentState, 'around'>, uid: number): string {
  if (uid === 0) return 'root';
  return around?.people?.find((one) => one.uid === uid)?.user ?? `user ${uid}`;
}
