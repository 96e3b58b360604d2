import { duration, utc } from '../../base/text.ts';
import { explainVerdict } from '../../graph/why.ts';
import { releaseKey } from '../../host/rpm-ostree/deployment.ts';
import type { Memory } from '../machine/memory.ts';
import type { AgentState } from '../machine/state.ts';
import { isAdopted } from '../machine/target.ts';
import { type Moment, type Step, momentOf } from './moment.ts';

/** The moments that one step shows by itself: what is so after it, and was not before. */
export function changesIn(step: Step): readonly Moment[] {
  return [
    ...arrivals(step),
    ...fallbacks(step),
    ...quarantines(step),
    ...deadEnds(step),
    ...targets(step),
    ...slots(step),
    ...reboots(step),
  ];
}

/**
 * True when this boot came of a reboot of this agent's, and was healthy once. Both are in the memory, which is written
 * before they are told of: a restart of the agent changes nothing.
 */
function hasArrived({ memory, bootId, settings }: AgentState): boolean {
  const isOurs = memory.bootId === bootId && memory.arrival?.bootId === bootId;
  return isOurs && (settings.around === null || memory.wasHealthy);
}

function arrivals({ before, after, at }: Step): readonly Moment[] {
  const { arrival, lastBoot } = after.memory;
  if (arrival === null || lastBoot === null || hasArrived(before) || !hasArrived(after)) return [];
  const { from, since } = arrival;
  const took = `${duration(at.wall - since)} after the reboot from ${from} was asked for`;
  const text = `this host is back: ${lastBoot.version} runs and is healthy, ${took}`;
  return [momentOf(after, at, 'back', text, { target: lastBoot.version, from, since })];
}

/** A boot that led to another release than it was to. */
function fallbacks({ before, after, at }: Step): readonly Moment[] {
  const { finalize, lastBoot: old } = before.memory;
  const { lastBoot } = after.memory;
  if (lastBoot === null) return [];
  const isJudged = finalize !== null && finalize.bootId !== after.bootId && after.memory.finalize === null;
  if (isJudged) {
    if (hasCome(after)) return [];
    const { target, from, since } = finalize;
    const text = `the reboot into ${target.version} led to ${lastBoot.version}`;
    const rest = { level: 'error', target: target.version, from: from.version, since: since.wall } as const;
    return [momentOf(after, at, 'rolled-back', text, rest)];
  }
  if (old === null || old.key === lastBoot.key || old.from !== lastBoot.key) return [];
  const text = `this host was rolled back from ${old.version} to ${lastBoot.version}`;
  return [momentOf(after, at, 'rolled-back', text, { level: 'error', target: old.version, from: old.version })];
}

/** The reboot of this agent's led where it was to. */
function hasCome({ memory, bootId }: AgentState): boolean {
  return memory.arrival?.bootId === bootId;
}

function quarantines({ before, after, at }: Step): readonly Moment[] {
  const old = new Map(before.memory.quarantine.map((entry) => [entry.key, entry]));
  return after.memory.quarantine
    .filter(({ key, reason, since }) => {
      const known = old.get(key);
      // One that was known already only moves with a clock that has been set.
      return known === undefined || (known.reason !== reason && known.since !== since);
    })
    .map(({ version, reason, until }) => {
      const text = `${version} is kept away from this host until ${utc(until)}: ${reason}`;
      return momentOf(after, at, 'quarantined', text, { level: 'error', target: version, reason });
    });
}

function deadEnds({ before, after, at }: Step): readonly Moment[] {
  const verdict = after.check?.verdict ?? null;
  if (verdict?.kind !== 'deadEnd' || before.check?.verdict?.kind === 'deadEnd') return [];
  const { reason } = verdict;
  return [momentOf(after, at, 'dead-end', explainVerdict(verdict), { level: 'warn', target: null, reason })];
}

function targets(step: Step): readonly Moment[] {
  const { before, after, at } = step;
  const { target } = after.memory;
  const staged = stagedIn(after);
  if (staged !== null && isNewlyStaged(step, staged.key)) {
    const whose = isAdopted(after.memory) || after.settings.source === 'staged' ? ', by somebody else' : '';
    return [momentOf(after, at, 'staged', `${staged.version} is staged${whose}, and waits for its reboot`)];
  }
  if (target === null || target.staged || keyOf(before.memory) === releaseKey(target.release)) return [];
  const booted = after.host?.booted?.version ?? null;
  const now = booted === null ? '' : ` (it runs ${booted})`;
  return [momentOf(after, at, 'target-found', `${target.release.version} is the next release of this host${now}`)];
}

/** What somebody else staged is not written down: after a start of the agent nobody knows whether it is news. */
function isNewlyStaged({ before, after }: Step, key: string): boolean {
  if (after.settings.source === 'staged' && before.phase.name === 'starting') return false;
  return stagedIn(before)?.key !== key;
}

function keyOf({ target }: Memory): string | null {
  return target === null ? null : releaseKey(target.release);
}

function stagedIn({ memory, phase, settings }: AgentState): { readonly key: string; readonly version: string } | null {
  if (settings.source === 'staged') {
    if (!('target' in phase) || phase.name === 'staging') return null;
    return { key: releaseKey(phase.target), version: phase.target.version };
  }
  const { target } = memory;
  return target?.staged === true ? { key: releaseKey(target.release), version: target.release.version } : null;
}

function slots({ before, after, at }: Step): readonly Moment[] {
  const { slot } = after.memory;
  if (slot?.state === 'held' && before.memory.slot?.state !== 'held') {
    return [momentOf(after, at, 'slot-granted', `the slot of group ${slot.group} is granted`, { since: slot.since })];
  }
  if (before.phase.name !== 'releasing' || after.phase.name !== 'holding') return [];
  const { refusal } = after.phase;
  // The same words again are no news: asking can go on for hours.
  if (refusal?.by !== 'lock' || refusal.text === before.phase.last?.text) return [];
  const text = `there is no slot yet: ${refusal.text}`;
  return [momentOf(after, at, 'slot-refused', text, { reason: refusal.text, since: refusal.since })];
}

function reboots({ before, after, at }: Step): readonly Moment[] {
  const { finalize } = after.memory;
  const isCalled = finalize?.bootId === after.bootId;
  const wasCalled = before.memory.finalize?.bootId === after.bootId;
  if (isCalled && !wasCalled) {
    const { target, from, since } = finalize;
    const text = `this host reboots from ${from.version} into ${target.version}`;
    const rest = { target: target.version, from: from.version, since: since.wall };
    return [momentOf(after, at, 'rebooting', text, rest)];
  }
  const trouble = after.troubles.finalize;
  if (isCalled || !wasCalled || trouble === undefined) return [];
  const text = `the reboot was refused, and is tried again: ${trouble.text}`;
  return [momentOf(after, at, 'reboot-refused', text, { level: 'warn', reason: trouble.text })];
}
