import type { FleetStatus, GroupStatus, HolderStatus } from './api.ts';
import { type GroupDocument, staleHolders } from './document.ts';
import { byPrecedence } from './order.ts';
import { freshDocument, type GroupPolicy } from './policy.ts';
import type { Presence } from './presence.ts';
import type { Policies } from './service.ts';
import type { FleetState, GroupEntry } from './store/store.ts';

/** Where a status looks, besides the state. */
export interface Surroundings {
  readonly now: number;
  readonly store: Pick<FleetStatus['store'], 'kind' | 'warnings'>;
  readonly policies: Policies;
  readonly presence: (group: string) => Presence | null;
  readonly connected: (group: string, id: string) => boolean;
}

/** What airlock's key in etcd has no place for, in the words of the documentation. */
const OURS_ONLY = ['soak', 'freeze', 'halt', 'order', 'windows', 'gates', 'one group for each host'];

/** Puts together what an operator may want to know. */
export function statusOf(state: FleetState, around: Surroundings): FleetStatus {
  const names = [...new Set([...state.groups.keys(), ...around.policies.configured()])].toSorted();
  const groups = names.flatMap((name) => groupStatus(name, state.groups.get(name), around) ?? []);
  const store = { ...around.store, oursOnly: around.store.kind === 'etcd' ? OURS_ONLY : [] };
  return { at: around.now, store, freeze: state.fleet.freeze, groups };
}

function groupStatus(name: string, entry: GroupEntry | undefined, around: Surroundings): GroupStatus | null {
  const policy = around.policies.of(name, entry !== undefined);
  if (policy === null) return null;
  const { now, policies } = around;
  const presence = around.presence(name);
  const seen = presence?.count(now) ?? 0;
  const waiters = presence?.waiters(now, (id) => around.connected(name, id)) ?? [];
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
    holders: holders(document, policy, now, presence),
    waiters: waiters.toSorted(byPrecedence(policy.precedence)),
    halted: isHalted(document, policy, now),
    closed: policies.closed(name, now),
    seen,
  };
}

function isHalted(document: GroupDocument, { rules }: GroupPolicy, now: number): boolean {
  return rules.haltAfter > 0 && staleHolders(document, now, rules.staleAfterMs).length >= rules.haltAfter;
}

function holders(
  document: GroupDocument,
  { rules }: GroupPolicy,
  now: number,
  presence: Presence | null,
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
