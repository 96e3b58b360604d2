import { type Deployment, deploymentKey, releaseKey } from '../../host/rpm-ostree/deployment.ts';
import { beginClock } from './clock.ts';
import { NOT_RUN } from './memory.ts';
import { isFinalizing, owe } from './slot.ts';
import { hold, isStaged } from './target.ts';
import { countFault, forgetFaults, quarantine } from './quarantine.ts';
import { type Turn, arm, enter, now, remember } from './turn.ts';

/** Steady intervals after which a reboot that does not come is reported, and finalize tried again. */
export const PATIENCE = 2;

/** The agent's first event: reads the recorded boot id, then the host. */
export function start(turn: Turn): void {
  const { memory, bootId, settings } = turn.state;
  const isNewBoot = memory.bootId !== bootId;
  if (isNewBoot) beginBoot(turn);
  beginClock(turn, isNewBoot);
  // A record of an earlier boot is judged once the host is known.
  if (isFinalizing(turn)) resumeFinalize(turn);
  arm(turn, 'host', now(turn));
  if (settings.around !== null) arm(turn, 'around', now(turn));
  arm(turn, 'report', now(turn));
  // A fleet that starts together must not ask together: the first poll falls anywhere in the interval.
  arm(turn, 'poll', now(turn) + Math.floor(settings.steadyIntervalMs * turn.event.dice));
}

/** A new boot, or no record: whatever slot there was is now owed back, and what was staged is booted or discarded. */
function beginBoot(turn: Turn): void {
  const { memory, bootId, settings } = turn.state;
  const { slot } = memory;
  // A reboot that nobody asked for came between the hooks that act and finalize: what they did is still to be undone.
  const acted = memory.acted !== null && memory.finalize === null ? { ...memory.acted, undo: true } : null;
  const fresh = {
    target: null,
    discard: null,
    slot: null,
    acted,
    postponed: null,
    order: null,
    cancelled: null,
    graceUntil: null,
    goingBack: null,
    wasHealthy: false,
    postBoot: NOT_RUN,
  };
  remember(turn, { bootId, ...fresh });
  if (slot !== null) owe(turn, slot, true);
  if (settings.lock !== null) owe(turn, settings.lock, false);
}

/** The boot of before with a finalize in flight: nobody knows how it ended, unless it was acknowledged. */
function resumeFinalize(turn: Turn): void {
  const { finalize } = turn.state.memory;
  if (finalize === null) return;
  const { target, allowUnlocked } = finalize;
  if (finalize.outcome === 'called') remember(turn, { finalize: { ...finalize, outcome: 'unknown' } });
  enter(turn, { name: 'rebooting', target, allowUnlocked, tries: 1 });
  if (finalize.outcome === 'acknowledged') {
    arm(turn, 'work', finalize.since.mono + PATIENCE * turn.state.settings.steadyIntervalMs);
  }
}

/** Leaves `starting` (or `disabled`) once the host is known. */
export function settle(turn: Turn): void {
  const { host, settings } = turn.state;
  if (host === null) return;
  if (host.booted === null) {
    enter(turn, { name: 'disabled', reason: 'this host was not booted from an ostree deployment' });
    return;
  }
  judgeBoot(turn, host.booted);
  if (settings.enabled) resume(turn);
  else enter(turn, { name: 'disabled', reason: 'updates.enabled is false in the configuration' });
}

/** Continues with the target of this boot, if there is one. */
function resume(turn: Turn): void {
  const { memory, settings } = turn.state;
  enter(turn, { name: 'watching' });
  if (memory.target === null) return;
  const { release, staged } = memory.target;
  if (staged && isStaged(turn, release)) hold(turn, release);
  else if (settings.source === 'graph')
    enter(turn, { name: 'staging', target: release, failures: 0, progress: null, waits: null, missing: 0 });
}

/** Compares what was finalized with what came up, and what came up with what ran before. */
function judgeBoot(turn: Turn, booted: Deployment): void {
  const { memory, bootId } = turn.state;
  const key = deploymentKey(booted);
  const known = memory.lastBoot?.key === key ? memory.lastBoot : null;
  let from = known?.from ?? null;
  if (memory.finalize !== null && memory.finalize.bootId !== bootId) {
    from = judgeFinalize(turn, key) ? memory.finalize.from.key : from;
    remember(turn, { finalize: null });
  } else if (memory.lastBoot !== null && memory.lastBoot.from === key && memory.lastBoot.key !== key) {
    const { key: left, version } = memory.lastBoot;
    quarantine(turn, left, version, `the host was rolled back from it to ${booted.version}`);
  }
  const seen = { key, version: booted.version, from, proven: known?.proven ?? false };
  if (JSON.stringify(memory.lastBoot) !== JSON.stringify(seen)) remember(turn, { lastBoot: seen });
}

/** True when the finalized release came up. Only an acknowledged finalize counts against a release that did not. */
function judgeFinalize(turn: Turn, bootedKey: string): boolean {
  const { finalize } = turn.state.memory;
  if (finalize === null) return false;
  const { target, outcome } = finalize;
  if (releaseKey(target) === bootedKey) {
    forgetFaults(turn, bootedKey);
    const { from, since } = finalize;
    remember(turn, { arrival: { bootId: turn.state.bootId, from: from.version, since: since.wall } });
    return true;
  }
  if (outcome === 'acknowledged') countFault(turn, target, 'missedBoots', 'finalized, but the next boot was not in it');
  return false;
}
