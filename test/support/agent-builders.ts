import type { Instant } from '../../src/base/clock.ts';
import type { Graph, Release, Target } from '../../src/graph/types.ts';
import { type Deployment, type HostReading, targetOf } from '../../src/host/rpm-ostree/deployment.ts';
import type { Around, AroundRules, Person } from '../../src/agent/gates/around.ts';
import { type Schedule, createSchedule } from '../../src/strategy/schedule.ts';
import type { Lock } from '../../src/agent/machine/memory.ts';
import type { Settings } from '../../src/agent/machine/state.ts';

/** Milliseconds. */
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const INTERVAL = 5 * MINUTE;

/** 2026-07-23T14:00:00Z, when the boot of most tests began. */
export const BOOT_WALL = Date.UTC(2026, 6, 23, 14);

/** The moment `mono` milliseconds after the boot. */
export function instant(mono: number): Instant {
  return { mono, wall: BOOT_WALL + mono };
}

export const NODE_ID = '978a225b3d7b40e9acd7ce9b62f68444';

/** The slot of a lock server by its name. */
export function lockAt(name: string, group = 'workers'): Lock {
  return { baseUrl: `https://${name}.example/`, group, id: NODE_ID };
}

export function settings(change: Partial<Settings> = {}): Settings {
  return {
    enabled: true,
    source: 'graph',
    allowDowngrade: false,
    steadyIntervalMs: INTERVAL,
    lock: null,
    lockWaitMs: 50 * SECOND,
    schedule: null,
    freezes: null,
    minUptimeMs: 0,
    around: null,
    nodeId: NODE_ID,
    wariness: null,
    stream: null,
    graphQuestion: 'here',
    ...change,
  };
}

/** Nothing keeps a reboot back, and nobody is here. */
export const AROUND: Around = {
  readAt: 0,
  people: [],
  blockers: [],
  holds: [],
  power: 'ac',
  metered: null,
  clockSynced: true,
  boot: { kind: 'healthy' },
  hooks: [],
  problems: [],
};

/** Somebody who is logged in, by the number of the session. */
export function person(id: string, user = 'ann'): Person {
  return { id, uid: 1000 + Number(id), user, where: `pts/${id}`, tty: `pts/${id}`, idle: false };
}

/** Everything of the surroundings matters. */
export function aroundRules(change: Partial<AroundRules> = {}): AroundRules {
  return {
    people: { graceMs: 10 * MINUTE, finalNoticeMs: MINUTE, unreadableMs: 30 * MINUTE, postponeMs: 2 * HOUR },
    inhibitors: true,
    requireAc: true,
    avoidMetered: true,
    clockWaitMs: 10 * MINUTE,
    healthMs: 10 * MINUTE,
    rollback: false,
    ...change,
  };
}

/** Windows of half an hour, one at the beginning of each hour. */
export function hourlyWindows(): Schedule {
  const windows = Array.from({ length: 24 }, (_, hour) => {
    const days = [0, 1, 2, 3, 4, 5, 6];
    return { kind: 'weekly', days, startMinute: hour * 60, lengthMinutes: 30, timeZone: null } as const;
  });
  return createSchedule({ windows, timeZone: 'UTC', randomPlace: false, nodeId: NODE_ID, graceMs: 0 }, 'UTC');
}

/** Releases are numbers: the version, commit and age of number 3 are told by the 3. */
export function commit(n: number): string {
  return n.toString(16).padStart(64, '0');
}

export function version(n: number): string {
  return `42.${n}`;
}

export function target(n: number): Target {
  return { version: version(n), scheme: 'checksum', payload: commit(n), ageIndex: BigInt(n) };
}

/** The key of a release by its number. */
export function keyOf(n: number): string {
  return `checksum:${commit(n)}`;
}

export function release(n: number, change: Partial<Release> = {}): Release {
  return { ...target(n), barrier: null, deadEnd: null, rollout: null, ...change };
}

/** A graph of these releases, in which each leads to all that are newer, but for the edges in `without` (`[from, to]`). */
export function graph(numbers: readonly number[], without: readonly (readonly [number, number])[] = []): Graph {
  const hasEdge = (from: number, to: number): boolean => to > from && !without.some(([a, b]) => a === from && b === to);
  return {
    releases: numbers.map((n) => release(n)),
    edges: numbers.map((from) => numbers.flatMap((to, index) => (hasEdge(from, to) ? [index] : []))),
    warnings: [],
  };
}

export const EMPTY_GRAPH: Graph = { releases: [], edges: [], warnings: [] };

export function deployment(n: number, change: Partial<Deployment> = {}): Deployment {
  return {
    id: `fedora-coreos-${commit(n)}.0`,
    osname: 'fedora-coreos',
    version: version(n),
    baseChecksum: commit(n),
    origin: { kind: 'ostree', refspec: 'fedora:fedora/x86_64/coreos/stable' },
    booted: false,
    staged: false,
    layered: false,
    stream: 'stable',
    basearch: 'x86_64',
    ...change,
  };
}

export function stagedDeployment(n: number, change: Partial<Deployment> = {}): Deployment {
  return deployment(n, { staged: true, ...change });
}

/** What rpm-ostree says when release `booted` runs and `pending`, if any, waits for the next boot. */
export function reading(
  readAt: number,
  booted: number | null,
  pending: Deployment | null = null,
  others: readonly Deployment[] = [],
): HostReading {
  const running = booted === null ? null : deployment(booted, { booted: true });
  return {
    readAt,
    osPath: running === null ? null : '/org/projectatomic/rpmostree1/fedora_coreos',
    booted: running,
    next: pending ?? running,
    rollback: others[0] ?? null,
    deployments: [pending, running, ...others].flatMap((one) => one ?? []),
    automaticPolicy: 'none',
  };
}

/** The target that a deployment is where the source is `staged`. */
export function found(n: number): Target {
  return targetOf(deployment(n));
}
