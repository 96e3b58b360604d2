import { oneLine } from '../../base/text.ts';
import { A_GROUP, idProblem, isGroup, isId, MOST_REQUEST_BYTES } from '../../fleetlock/protocol.ts';
import type { Answer } from '../answer.ts';
import type { Manager, Order } from '../api.ts';
import type { HistoryQuery } from '../store/store.ts';
import { parseMoment, utcMs } from '../../base/moment.ts';

/** What an administrator can order. */
export type AdminOrder = Order &
  (
    | { readonly operation: 'lock'; readonly group: string; readonly id: string }
    | { readonly operation: 'unlock'; readonly group: string; readonly id: string; readonly force: boolean }
    | { readonly operation: 'resize'; readonly group: string; readonly slots: number }
    /** `group` null: all. `until` in ms since 1970; null: until it is thawed. */
    | { readonly operation: 'freeze'; readonly group: string | null; readonly until: number | null }
    | { readonly operation: 'thaw'; readonly group: string | null }
  );

/** The name of an order: the last part of its path. */
export type Operation = AdminOrder['operation'];

/** The fields that each order has in JSON. */
const FIELDS: Readonly<Record<Operation, readonly string[]>> = {
  lock: ['group', 'id', 'by', 'reason'],
  unlock: ['group', 'id', 'force', 'by', 'reason'],
  resize: ['group', 'slots', 'by', 'reason'],
  freeze: ['group', 'until', 'by', 'reason'],
  thaw: ['group', 'by', 'reason'],
};

/** All orders. */
export const OPERATIONS: readonly Operation[] = Object.keys(FIELDS) as Operation[];

/** The most slots that a group can be given. */
export const MOST_SLOTS = 100_000;
/** The most bytes that the body of an order may have: whatever holds a slot in etcd can be named in an `unlock`. */
export function mostBytesOf(operation: Operation): number {
  return operation === 'unlock' ? 4 * 1024 * 1024 : MOST_REQUEST_BYTES;
}

/** The most records of the history that one question gets. */
export const MOST_RECORDS = 10_000;
const LONGEST_NAME = 128;
const LONGEST_REASON = 500;

/** Carries an order out. Never rejects. */
export function carryOut(manager: Manager, order: AdminOrder): Promise<Answer> {
  switch (order.operation) {
    case 'lock':
      return manager.lockByHand(order, order);
    case 'unlock':
      return manager.unlockByHand(order, order);
    case 'resize':
      return manager.resize(order.group, order.slots, order);
    case 'freeze':
      return manager.freeze(order.group, order.until, order);
    case 'thaw':
      return manager.thaw(order.group, order);
  }
}

/** The body that carries an order. */
export function orderBody(order: AdminOrder): string {
  const until = order.operation !== 'freeze' || order.until === null ? null : utcMs(order.until);
  return JSON.stringify({ ...order, until }, [...FIELDS[order.operation]]);
}

/**
 * Reads the body of an order; `now` in ms since 1970. Throws an error that says which field is wrong, without repeating
 * its value. A field that is not known is wrong too: what is misspelt must not be taken for what is left out.
 */
export function parseOrder(operation: Operation, body: string, now: number): AdminOrder {
  const raw = parseObject(body);
  const unknown = Object.keys(raw).find((name) => !FIELDS[operation].includes(name));
  if (unknown !== undefined) {
    throw new Error(`${oneLine(unknown, 40)}: not a field of ${operation}, which has ${FIELDS[operation].join(', ')}`);
  }
  const order = { by: nameOf(raw), reason: reasonOf(raw) };
  switch (operation) {
    case 'lock':
      return { operation, group: groupOf(raw), id: idOf(raw), ...order };
    case 'unlock':
      return { operation, group: groupOf(raw), ...heldIdOf(raw, order.reason), ...order };
    case 'resize':
      return { operation, group: groupOf(raw), slots: slotsOf(raw), ...order };
    case 'freeze':
      return { operation, group: groupOrAll(raw), until: untilOf(raw, now), ...order };
    case 'thaw':
      return { operation, group: groupOrAll(raw), ...order };
  }
}

/** Reads the query of a history: `group`, `id`, `most`. Throws like `parseOrder`. */
export function parseHistoryQuery(query: URLSearchParams, fallbackMost: number): HistoryQuery {
  const known = ['group', 'id', 'most'];
  for (const name of query.keys()) {
    if (!known.includes(name)) throw new Error(`${oneLine(name, 40)}: not known here, only ${known.join(', ')}`);
    if (query.getAll(name).length > 1) throw new Error(`${name}: given twice`);
  }
  const [group, id, most] = [query.get('group'), query.get('id'), query.get('most') ?? String(fallbackMost)];
  if (group !== null && !isGroup(group)) throw new Error(`group: expected ${A_GROUP}`);
  if (id !== null && !isId(id)) throw new Error(`id: ${idProblem(id)}`);
  if (!/^[1-9]\d{0,4}$/.test(most) || Number(most) > MOST_RECORDS) {
    throw new Error(`most: expected a whole number, 1 to ${MOST_RECORDS}`);
  }
  return { ...(group === null ? {} : { group }), ...(id === null ? {} : { id }), most: Number(most) };
}

/** The query that asks for a part of the history, with its question mark. */
export function historyQuery({ group, id, most }: HistoryQuery): string {
  const asked = Object.entries({ group, id, most: String(most) });
  return `?${new URLSearchParams(asked.filter((pair): pair is [string, string] => pair[1] !== undefined)).toString()}`;
}

type Raw = Readonly<Record<string, unknown>>;

function parseObject(body: string): Raw {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw new Error('the body is not JSON');
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Raw;
  throw new Error('the body is no JSON object');
}

/** An own field: `__proto__` and the like are none. */
function field(raw: Raw, name: string): unknown {
  return Object.hasOwn(raw, name) ? raw[name] : undefined;
}

function groupOf(raw: Raw): string {
  const group = field(raw, 'group');
  if (isGroup(group)) return group;
  throw new Error(`group: expected ${A_GROUP}`);
}

/** It must be there: all groups are not to be frozen since somebody forgot to name one. */
function groupOrAll(raw: Raw): string | null {
  const group = field(raw, 'group');
  if (group === null || isGroup(group)) return group;
  throw new Error(`group: expected ${A_GROUP}, or null for all groups`);
}

function idOf(raw: Raw): string {
  const id = field(raw, 'id');
  if (isId(id)) return id;
  throw new Error(`id: ${idProblem(id)}`);
}

/** By force whatever holds a slot is released, also what another program wrote and no host could send. */
function heldIdOf(raw: Raw, reason: string): { readonly id: string; readonly force: boolean } {
  const force = forceOf(raw, reason);
  const id = field(raw, 'id');
  return { id: force && typeof id === 'string' ? id : idOf(raw), force };
}

function nameOf(raw: Raw): string {
  const by = field(raw, 'by');
  if (typeof by === 'string' && by !== '' && by.length <= LONGEST_NAME && oneLine(by) === by) return by;
  throw new Error(`by: expected a name of 1 to ${LONGEST_NAME} characters in one line`);
}

function reasonOf(raw: Raw): string {
  const reason = field(raw, 'reason') ?? '';
  if (typeof reason === 'string' && reason.length <= LONGEST_REASON && oneLine(reason, LONGEST_REASON) === reason) {
    return reason;
  }
  throw new Error(`reason: expected a text of at most ${LONGEST_REASON} characters in one line`);
}

function forceOf(raw: Raw, reason: string): boolean {
  const force = field(raw, 'force') ?? false;
  if (typeof force !== 'boolean') throw new Error('force: expected true or false');
  if (force && reason === '') throw new Error('reason: needed with force');
  return force;
}

function slotsOf(raw: Raw): number {
  const slots = field(raw, 'slots');
  if (typeof slots === 'number' && Number.isInteger(slots) && slots >= 0 && slots <= MOST_SLOTS) return slots;
  throw new Error(`slots: expected a whole number, 0 to ${MOST_SLOTS}`);
}

function untilOf(raw: Raw, now: number): number | null {
  const until = field(raw, 'until') ?? null;
  if (until === null) return null;
  const ms = typeof until === 'string' ? parseMoment(until) : null;
  if (ms === null) throw new Error('until: expected a moment such as 2026-07-23T14:00:00Z, or null');
  if (ms <= now) throw new Error('until: lies in the past');
  return ms;
}
