import { oneLine } from '../../base/text.ts';
import { isUid } from './session.ts';

/** A lock that somebody holds at logind against what the host may do. Every text is fit for one line. */
export interface Inhibitor {
  /** For example `shutdown`, `sleep`, `idle`. */
  readonly what: readonly string[];
  readonly who: string;
  readonly why: string;
  /** `block`, `block-weak` or `delay`. */
  readonly mode: string;
  /** Whose process holds it. */
  readonly uid: number;
}

const LONGEST_WHO = 100;
const LONGEST_WHY = 200;
const LONGEST_WORD = 64;

/** Reads the answer of `ListInhibitors`, `a(ssssuu)`: what, who, why, mode, uid, pid. Throws where it is something else. */
export function parseInhibitors(value: unknown): readonly Inhibitor[] {
  if (!Array.isArray(value)) throw new Error('the list of inhibitors is not a list');
  return value.map((entry: unknown) => {
    const [what, who, why, mode, uid] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
    if (!isText(what) || !isText(who) || !isText(why) || !isText(mode) || !isUid(uid)) {
      throw new Error('the list of inhibitors has an entry that is not an inhibitor');
    }
    return {
      what: what.split(':').map((word) => oneLine(word, LONGEST_WORD)),
      who: oneLine(who, LONGEST_WHO),
      why: oneLine(why, LONGEST_WHY),
      mode: oneLine(mode, LONGEST_WORD),
      uid,
    };
  });
}

/**
 * Those that forbid a reboot: in mode `block`, against `shutdown`. A weak block does not bind root, who is to reboot, and
 * a delay is a wait of seconds that logind keeps itself. These are the ones for which rpm-ostree refuses to finalize.
 */
export function blockersIn(inhibitors: readonly Inhibitor[]): readonly Inhibitor[] {
  return inhibitors.filter(({ what, mode }) => mode === 'block' && what.includes('shutdown'));
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
