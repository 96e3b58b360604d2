import { type Dict, flag, number, text } from '../../bus/dict.ts';
import { oneLine } from '../../base/text.ts';

/** Somebody, or something, that is logged in, as logind tells. Every text is fit for one line. */
export interface Session {
  readonly id: string;
  readonly uid: number;
  readonly user: string;
  /** Below /dev, for example `pts/0`. Null where there is none, or none that logind knows, as with some ssh sessions. */
  readonly tty: string | null;
  readonly kind: 'terminal' | 'graphical' | 'other';
  readonly remote: boolean;
  /** As the login service tells it; null when local, or not told. */
  readonly remoteHost: string | null;
  /** For example `user`, `greeter`, `background`. */
  readonly class: string;
  /** `opening`, `online` (in the background), `active` or `closing` (logged out, processes are left). */
  readonly state: string;
  /** Wall time in ms of the last input; null while somebody is at work, or where that is not known. */
  readonly idleSince: number | null;
}

/** A session as logind's list has it. */
export interface ListedSession {
  readonly id: string;
  readonly uid: number;
  readonly user: string;
  readonly path: string;
}

const LONGEST = 64;
const LONGEST_HOST = 255;
const LARGEST_UID = 2 ** 32 - 1;
const GRAPHICAL: ReadonlySet<string> = new Set(['x11', 'wayland', 'mir']);

/** Reads the answer of `ListSessions`, `a(susso)`: id, uid, user, seat, path. Throws where it is something else. */
export function parseSessionList(value: unknown): readonly ListedSession[] {
  if (!Array.isArray(value)) throw new Error('the list of sessions is not a list');
  return value.map((entry: unknown) => {
    const [id, uid, user, , path] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
    if (typeof id !== 'string' || !isUid(uid) || typeof user !== 'string' || typeof path !== 'string') {
      throw new Error('the list of sessions has an entry that is not a session');
    }
    return { id: oneLine(id, LONGEST), uid, user: oneLine(user, LONGEST), path };
  });
}

/**
 * Reads the properties of a session. Throws when that is missing by which it is judged (class, type and state); what
 * else is odd is taken for unknown, and so for somebody at work.
 */
export function parseSession({ id, uid, user }: ListedSession, properties: Dict | undefined): Session {
  const [kindOfClass, type, state] = ['Class', 'Type', 'State'].map((key) => text(properties, key));
  if (kindOfClass === undefined || type === undefined || state === undefined) {
    throw new Error('its class, type or state is not told');
  }
  const tty = oneLine(text(properties, 'TTY') ?? '', LONGEST).replace(/^\/dev\//, '');
  const host = oneLine(text(properties, 'RemoteHost') ?? '', LONGEST_HOST);
  const kind = kindOf(type, tty);
  return {
    id,
    uid,
    user,
    tty: tty === '' ? null : tty,
    kind,
    remote: flag(properties, 'Remote'),
    remoteHost: host === '' ? null : host,
    class: oneLine(kindOfClass, LONGEST),
    state: oneLine(state, LONGEST),
    idleSince: idleSince(kind, properties),
  };
}

/** True for what can be a user's id. */
export function isUid(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= LARGEST_UID;
}

function kindOf(type: string, tty: string): Session['kind'] {
  if (GRAPHICAL.has(type)) return 'graphical';
  return type === 'tty' || (type === 'unspecified' && tty !== '') ? 'terminal' : 'other';
}

/**
 * Of a terminal, logind tells the time of the last input whatever its hint says, and hints only after half an hour
 * (`IdleActionSec`). A desktop sets its hint itself, and the time is that of the hint's last change, either way.
 */
function idleSince(kind: Session['kind'], properties: Dict | undefined): number | null {
  const micros = number(properties, 'IdleSinceHint') ?? 0;
  const told = kind === 'terminal' || flag(properties, 'IdleHint');
  return told && micros > 0 ? Math.floor(micros / 1000) : null;
}
