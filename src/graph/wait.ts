import { admitted, reachesAt } from './rollout.ts';
import type { Release } from './types.ts';

/** A release that is being rolled out and has not reached this host. */
export interface RolloutWait {
  readonly version: string;
  /**
   * `notStarted`, `notReached`: it will come, at `at`. `paused`: it stays below this host's wariness, until somebody
   * changes the rollout. `due`: it should have come by this host's clock, but the server does not offer it.
   */
  readonly state: 'notStarted' | 'notReached' | 'paused' | 'due';
  /** Milliseconds since 1970 at which this host is reached; null when that is never. */
  readonly at: number | null;
  /** Share of the fleet that is admitted now, 0..1. */
  readonly share: number;
  /** This host's, 0..1: it is reached when the share is no less. */
  readonly wariness: number;
}

/**
 * What this host is waiting for, when the server has already left out the edges: inferred from the newer releases that
 * are in a rollout, as far as the next barrier, which no edge crosses. Null when no rollout explains the silence.
 */
export function expectedWait(newer: readonly Release[], wariness: number, now: number): RolloutWait | null {
  const barriers = newer.filter(({ barrier }) => barrier !== null).map(({ ageIndex }) => ageIndex);
  const limit = barriers.reduce<bigint | null>((least, age) => (least === null || age < least ? age : least), null);
  return soonestWait(limit === null ? newer : newer.filter(({ ageIndex }) => ageIndex <= limit), wariness, now);
}

/** The rollout that reaches this host next, of those that have not; the newest of several at the same moment. */
export function soonestWait(releases: readonly Release[], wariness: number, now: number): RolloutWait | null {
  const waits = releases.flatMap((release) => {
    const wait = waitFor(release, wariness, now);
    return wait === null ? [] : [{ release, wait }];
  });
  const best = waits.reduce<(typeof waits)[number] | null>((first, other) => {
    return first === null || comesBefore(other, first) ? other : first;
  }, null);
  return best?.wait ?? null;
}

interface Candidate {
  readonly release: Release;
  readonly wait: RolloutWait;
}

function comesBefore(a: Candidate, b: Candidate): boolean {
  const [rankA, rankB] = [rank(a.wait), rank(b.wait)];
  return rankA === rankB ? a.release.ageIndex > b.release.ageIndex : rankA < rankB;
}

/** What has a time comes first, in that order; then what is paused; what is due says least. */
function rank({ state, at }: RolloutWait): number {
  if (state === 'due') return Number.POSITIVE_INFINITY;
  return at ?? Number.MAX_VALUE;
}

function waitFor({ version, rollout }: Release, wariness: number, now: number): RolloutWait | null {
  if (rollout === null) return null;
  const [at, share] = [reachesAt(rollout, wariness), admitted(rollout, now)];
  const state = stateAt(at, now, now < rollout.startWall);
  // A rollout that is complete explains nothing: whatever keeps the release from this host, it is not that.
  return state === 'due' && share === 1 ? null : { version, state, at, share, wariness };
}

function stateAt(at: number | null, now: number, before: boolean): RolloutWait['state'] {
  if (at === null) return 'paused';
  if (at <= now) return 'due';
  return before ? 'notStarted' : 'notReached';
}
