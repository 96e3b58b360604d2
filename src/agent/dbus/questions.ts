import type { Authorization, AuthorizationQuestion } from '../../host/polkit/authority.ts';
import { tooMany } from './errors.ts';
import type { Authorize } from './view.ts';

/** Questions about one user that polkit may be asked at once: in all, and of those that wait for a password. */
const MOST = 8;
const MOST_INTERACTIVE = 4;

/** Asks polkit about a user's call. Rejects with LimitsExceeded while too many questions about the user are open. */
export type Ask = (uid: number, question: AuthorizationQuestion) => Promise<Authorization>;

/** Asks a few questions about one user at once: however many connections he has, others come to their turn. */
export function fewAtOnce(authorize: Authorize): Ask {
  const open = new Map<number, readonly AuthorizationQuestion[]>();
  return async (uid, question) => {
    const before = open.get(uid) ?? [];
    const asking = before.filter(({ interactive }) => interactive).length;
    if (before.length >= MOST || (question.interactive && asking >= MOST_INTERACTIVE))
      throw tooMany('polkit is being asked about you too often at once: wait for the answers, or leave them');
    open.set(uid, [...before, question]);
    try {
      return await authorize(question);
    } finally {
      const rest = (open.get(uid) ?? []).filter((one) => one !== question);
      if (rest.length === 0) open.delete(uid);
      else open.set(uid, rest);
    }
  };
}
