/**
 * What the manager knows of one group for certain: what a decision about a slot needs, and nothing else. It is compared
 * and written whole. Waiters and last sights live apart (they may be lost).
 */
export interface GroupDocument {
  /** How many holders there may be, 0 or more. Fewer than there are holders evicts nobody. */
  readonly slots: number;
  /** The slot count that the configuration asked for last, as written there (`2`, `25%`): another one replaces `slots`. */
  readonly configured: string;
  /** An administrator changed `slots` since: it stays so until the configuration says something else. */
  readonly resized: boolean;
  /** Sorted by the bytes of their ids; no id twice. */
  readonly holders: readonly Holder[];
  readonly freeze: Freeze | null;
}

/** One id that has a slot. */
export interface Holder {
  readonly id: string;
  /** Milliseconds since 1970 of the grant; of the first sight, for a holder that another program put there. */
  readonly since: number;
  /** The node reported that it is steady: its slot is free at this moment, in ms since 1970. Null: not reported. */
  readonly soakUntil: number | null;
  /**
   * Granted to a request that was ready to wait for it, and nothing was heard of the id since: the grant may be taken
   * back when the connection of that request turns out to be gone. A confirmation ends this.
   */
  readonly waited: boolean;
}

/** No new grants, by an administrator's word. */
export interface Freeze {
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Milliseconds since 1970 at which it ends by itself; null: it does not. */
  readonly until: number | null;
  readonly by: string;
  readonly reason: string;
}

/** What concerns all groups. */
export interface FleetDocument {
  readonly freeze: Freeze | null;
}

/** What can be done to a group or to the fleet, as the audit calls it. */
export const AUDIT_ACTIONS = [
  /** A slot was given; was confirmed to a holder whose grant could still be taken back. */
  'granted',
  'confirmed',
  /** A slot was given back at once; the node is steady and its slot soaks; the soak ended. */
  'released',
  'soaking',
  'soaked',
  /** A grant was taken back, since nobody was there to hear of it; an administrator released a slot. */
  'taken-back',
  'forced',
  /** Another program beside us gave a slot, took one, or changed their number. */
  'found',
  'vanished',
  'found-slots',
  /** The number of slots was changed by the configuration, by an administrator. */
  'configured',
  'resized',
  'frozen',
  'thawed',
] as const;
/** One of them. */
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** A change as the code that decides on it tells it. */
export interface AuditDraft {
  readonly action: AuditAction;
  /** Null: all groups. */
  readonly group: string | null;
  /** The holder concerned, or null. */
  readonly id: string | null;
  /** Who wanted it: `node`, `admin:NAME`, `manager`, `another program`. */
  readonly by: string;
  readonly reason: string;
}

/** One change, as it is kept. Written in the transaction that makes the change. */
export interface AuditRecord extends AuditDraft {
  /** Numbers of the records of a fleet follow each other without a gap. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A group that nobody has asked for yet. */
export function emptyDocument(slots: number, configured: string): GroupDocument {
  return { slots, configured, resized: false, holders: [], freeze: null };
}

/** A fleet that nobody has said anything about. */
export const EMPTY_FLEET: FleetDocument = { freeze: null };

/** The order of holders: by the bytes of their ids in UTF-8, which is also airlock's. */
export function byBytes(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let index = 0; index < shorter; index += 1) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (left !== right) return weight(left) - weight(right);
  }
  return a.length - b.length;
}

/** UTF-16 puts characters beyond U+FFFF, written as two surrogates, before U+E000; in UTF-8 they come last. */
function weight(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Where an id is among holders, or, as a negative number minus one, where it would be. */
export function indexOfHolder(holders: readonly Holder[], id: string): number {
  let [low, high] = [0, holders.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = byBytes(holders[middle]?.id ?? '', id);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -low - 1;
}

/** The holder with an id, or undefined. */
export function holderOf({ holders }: GroupDocument, id: string): Holder | undefined {
  return holders[indexOfHolder(holders, id)];
}

/** A freeze that is in force at a moment, or null. */
export function inForce(freeze: Freeze | null, now: number): Freeze | null {
  return freeze !== null && (freeze.until === null || freeze.until > now) ? freeze : null;
}

/** Holders that have not reported steady for longer than they should need. They keep their slots. */
export function staleHolders({ holders }: GroupDocument, now: number, staleAfterMs: number): readonly Holder[] {
  return holders.filter(({ since, soakUntil }) => soakUntil === null && now - since > staleAfterMs);
}
