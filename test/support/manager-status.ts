import type { FleetStatus, GroupStatus, HolderStatus, WaiterStatus } from '../../src/manager/api.ts';
import type { Freeze } from '../../src/manager/document.ts';

/** The moment of the statuses here: 2026-07-23T14:00:00Z. */
export const AT = Date.UTC(2026, 6, 23, 14);
/** Milliseconds. */
export const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];

/** A status at `AT`, with changes. */
export function fleet(groups: readonly GroupStatus[], change: Partial<FleetStatus> = {}): FleetStatus {
  return { at: AT, store: { kind: 'embedded', warnings: [], oursOnly: [] }, freeze: null, groups, ...change };
}

/** A group in which nothing is going on, with changes. */
export function group(name: string, change: Partial<GroupStatus> = {}): GroupStatus {
  const { slots = 1, waiters = [] } = change;
  return {
    name,
    problem: null,
    configured: true,
    slots,
    wanted: String(slots),
    resized: false,
    freeze: null,
    holders: [],
    waiters,
    waiting: waiters.length,
    waitingConnected: waiters.filter(({ connected }) => connected).length,
    halted: false,
    closed: null,
    gate: null,
    seen: 0,
    ...change,
  };
}

/** A host that has held a slot for so many ms, and was heard of then, with changes. */
export function holder(id: string, forMs: number, change: Partial<HolderStatus> = {}): HolderStatus {
  return { id, since: AT - forMs, soakUntil: null, stale: false, lastSeen: AT - forMs, ...change };
}

/** A host that has waited for so many ms, and asked a minute ago, with changes. */
export function waiter(id: string, forMs: number, change: Partial<WaiterStatus> = {}): WaiterStatus {
  return { id, since: AT - forMs, lastAsked: AT - MINUTE, connected: false, ...change };
}

/** A freeze that began two hours ago, with changes. */
export function freeze(change: Partial<Freeze> = {}): Freeze {
  return { since: AT - 2 * HOUR, until: null, by: 'admin:anna', reason: 'database migration', ...change };
}

/** Ids as zincati and the agent make them. */
export const IDS = [
  '074c268827d74fb59ed758e8940cd667',
  '978a225b3d7b40e9acd7ce9b62f68444',
  'c988d2509fdf4a21a9dd6a19fc0f2c1b',
] as const;
