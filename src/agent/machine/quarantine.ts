import { releaseKey } from '../../host/rpm-ostree/deployment.ts';
import type { Target } from '../../graph/types.ts';
import { type Turn, remember } from './turn.ts';
import type { Faults, Quarantine } from './memory.ts';

/** Milliseconds for which a release at fault is kept away: a day. */
export const QUARANTINE_MS = 24 * 3_600_000;
/** Failures to stage that are the release's own before it is quarantined. */
export const STAGING_FAULTS = 3;
/** Acknowledged finalizes that did not boot the release before it is quarantined. */
export const MISSED_BOOTS = 2;
const MOST_RECORDS = 32;

/** The quarantine that holds for a release at this moment, or null. */
export function quarantineOf(quarantine: readonly Quarantine[], key: string, wall: number): Quarantine | null {
  return quarantine.find((entry) => entry.key === key && entry.until > wall) ?? null;
}

/** Counts one fault of a release. True when that was one too many, and the release is now in quarantine. */
export function countFault(turn: Turn, target: Target, fault: 'staging' | 'missedBoots', reason: string): boolean {
  const key = releaseKey(target);
  const { faults } = turn.state.memory;
  const before = faults.find((entry) => entry.key === key) ?? none(key, target.version);
  const after = { ...before, [fault]: before[fault] + 1 };
  if (after[fault] >= (fault === 'staging' ? STAGING_FAULTS : MISSED_BOOTS)) {
    quarantine(turn, key, target.version, `${reason} (${after[fault]} times)`);
    return true;
  }
  remember(turn, { faults: [...without(faults, key), after].slice(-MOST_RECORDS) });
  return false;
}

/** Keeps a release away from this host for a day. */
export function quarantine(turn: Turn, key: string, version: string, reason: string): void {
  const { memory } = turn.state;
  const { wall } = turn.event.at;
  const entry = { key, version, reason, since: wall, until: wall + QUARANTINE_MS };
  const current = without(memory.quarantine, key).filter((other) => other.until > wall);
  remember(turn, { faults: without(memory.faults, key), quarantine: [...current, entry].slice(-MOST_RECORDS) });
}

/** Forgets the faults of a release that has arrived. */
export function forgetFaults(turn: Turn, key: string): void {
  const { faults } = turn.state.memory;
  if (faults.some((entry) => entry.key === key)) remember(turn, { faults: without(faults, key) });
}

function none(key: string, version: string): Faults {
  return { key, version, staging: 0, missedBoots: 0 };
}

function without<T extends { readonly key: string }>(entries: readonly T[], key: string): readonly T[] {
  return entries.filter((entry) => entry.key !== key);
}
