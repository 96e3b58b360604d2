import type { FleetStatus, GroupStatus, HolderStatus } from './api.ts';
import { type GroupDocument, staleHolders } from './document.ts';
import { byPrecedence, type Waiter } from './order.ts';
import { freshDocument, type GroupPolicy } from './policy.ts';
import type { Policies } from './parts.ts';
import type { Sights } from './sights.ts';
import type { FleetState, GroupEntry } from './store/store.ts';

/** Where a status looks, besides the state. */
export interface Surroundings {
  readonly now: number;
  readonly store: Pick<FleetStatus['store'], 'kind' | 'warnings'>;
  readonly policies: Policies;
  readonly sights: Sights;
  readonly connected: (group: string, id: string) => boolean;
}

/** What airlock's key in etcd has no place for, in the words of the documentation. */
const OURS_ONLY = ['soak', 'freeze', 'halt', 'order', 'windows', 'gates', 'one group for each host'];
/** Waiters that are listed: of a group, and characters of all together. Of the others it is said how many there are. */
const [MOST_LISTED, ROOM] = [500, 16 * 1024 * 1024];
/** Characters that a waiter takes beside its id, and that a character of an id takes in JSON at most. */
const [WAITER_CHARS, ESCAPED_CHARS] = [150, 6];

/** Puts together what an operator may want to know. */
export function statusOf(state: FleetState, around: Surroundings): FleetStatus {
  const names = [...new Set([...state.groups.keys(), ...around.policies.configured()])].toSorted();
  const room = { left: ROOM };
  const groups = names.flatMap((name) => groupStatus(name, state.groups.get(name), around, room) ?? []);
  const store = { ...around.store, oursOnly: around.store.kind === 'etcd' ? OURS_ONLY : [] };
  return { at: around.now, store, freeze: state.fleet.freeze, groups };
}

function groupStatus(
  name: string,
  entry: GroupEntry | undefined,
  around: Surroundings,
  room: { left: number },
): GroupStatus | null {
  const policy = around.policies.of(name, entry !== undefined);
  if (policy === null) return null;
  const { now, policies } = around;
  const seen = around.sights.count(name, now);
  const waiters = around.sights.waiters(name, now, (id) => around.connected(name, id));
  // A group that nobody has asked for yet is what the configuration says; one that cannot be read is not known.
  const document = entry?.kind === 'good' ? entry.document : freshDocument(policy, seen);
  return {
    name,
    problem: entry?.kind === 'corrupt' ? entry.problem : null,
    configured: policies.configured().includes(name),
    slots: document.slots,
    wanted: document.configured,
    resized: document.resized,
    freeze: document.freeze,
    holders: holders(document, policy, now, around.sights.of(name)),
    waiters: listed(waiters.toSorted(byPrecedence(policy.precedence)), room),
    waiting: waiters.length,
    waitingConnected: waiters.filter(({ connected }) => connected).length,
    halted: isHalted(document, policy, now),
    ...policies.shown(name, now),
    seen,
  };
}

function listed(waiters: readonly Waiter[], room: { left: number }): readonly Waiter[] {
  const first = waiters.slice(0, MOST_LISTED);
  const end = first.findIndex(({ id }) => (room.left -= WAITER_CHARS + ESCAPED_CHARS * id.length) < 0);
  return end < 0 ? first : first.slice(0, end);
}

function isHalted(document: GroupDocument, { rules }: GroupPolicy, now: number): boolean {
  return rules.haltAfter > 0 && staleHolders(document, now, rules.staleAfterMs).length >= rules.haltAfter;
}

function holders(
  document: GroupDocument,
  { rules }: GroupPolicy,
  now: number,
  presence: ReturnType<Sights['of']>,
): readonly HolderStatus[] {
  const stale = new Set(staleHolders(document, now, rules.staleAfterMs));
  return document.holders.map((holder) => ({
    id: holder.id,
    since: holder.since,
    soakUntil: holder.soakUntil,
    stale: stale.has(holder),
    lastSeen: presence?.lastSeen(holder.id) ?? null,
  }));
}
