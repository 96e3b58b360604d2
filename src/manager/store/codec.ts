import {
  listOf,
  number,
  object,
  oneOf,
  orNull,
  boolean,
  type Reader,
  record,
  string,
  wholeNumber,
  wrong,
} from '../../base/shape.ts';
import {
  AUDIT_ACTIONS,
  type AuditRecord,
  byBytes,
  type FleetDocument,
  type Freeze,
  type GroupDocument,
  type Holder,
} from '../document.ts';
import type { Head } from './layout.ts';

/** The version of the documents that this program writes. It reads this one and none later. */
const LAYOUT = 1;
/** Slots that a group can have. */
export const MOST_SLOTS = 1_000_000;

/** A document as text. */
export function encode(
  document: GroupDocument | FleetDocument | Head | { readonly records: readonly AuditRecord[] },
): string {
  return JSON.stringify({ layout: LAYOUT, ...document });
}

const readFreeze = object<Freeze>({ since: number, until: orNull(number), by: string, reason: string });
const readHolder = object<Holder>({ id: string, since: number, soakUntil: orNull(number), waited: boolean });
const readHolders: Reader<readonly Holder[]> = (value, where) => {
  const holders = listOf(readHolder)(value, where);
  const sorted = holders.every(({ id }, index) => index === 0 || byBytes(holders[index - 1]?.id ?? '', id) < 0);
  return sorted ? holders : wrong(where, 'holders sorted by their ids, each once,', value);
};

/** Reads a group. Throws an error that says where it is wrong. */
export const parseGroup = parser(
  object<GroupDocument>({
    slots: wholeNumber(0, MOST_SLOTS),
    configured: string,
    resized: boolean,
    holders: readHolders,
    freeze: orNull(readFreeze),
  }),
);

/** Reads what concerns all groups. */
export const parseFleet = parser(object<FleetDocument>({ freeze: orNull(readFreeze) }));

/** Reads the head. */
export const parseHead = parser(
  object<Head>({ next: wholeNumber(1, Number.MAX_SAFE_INTEGER), days: listOf(object({ at: number, record: number })) }),
);

const readAudit = object<AuditRecord>({
  action: oneOf(AUDIT_ACTIONS),
  group: orNull(string),
  id: orNull(string),
  by: string,
  reason: string,
  number,
  at: number,
});

/** Reads a chunk of the audit. */
export const parseChunk = parser((value, where) => {
  return listOf(readAudit)(record(value, where)['records'], 'records');
});

function parser<T>(read: Reader<T>): (text: string) => T {
  return (text) => {
    const root = record(JSON.parse(text) as unknown, '');
    if (root['layout'] !== LAYOUT)
      throw new Error(`layout ${LAYOUT} was expected, ${String(root['layout'])} was found`);
    return read(root, '');
  };
}
