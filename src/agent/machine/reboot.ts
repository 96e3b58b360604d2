import { PATIENCE } from './boot.ts';
import type { Failure } from '../../base/failure.ts';
import { giveBack } from './slot.ts';
import type { Phase } from './state.ts';
import { backToHolding } from './target.ts';
import {
  type Turn,
  arm,
  enter,
  isDue,
  now,
  recovered,
  rarely,
  remember,
  retryAt,
  retryStreak,
  trouble,
} from './turn.ts';

type Rebooting = Extract<Phase, { name: 'rebooting' }>;

/** rpm-ostree unlocked the deployment and asked for the reboot: now this process only waits for its end. */
export function finalized(turn: Turn): void {
  recovered(turn, 'finalize');
  awaitReboot(turn, 'acknowledged');
}

function awaitReboot(turn: Turn, outcome: 'acknowledged' | 'unknown'): void {
  const { finalize } = turn.state.memory;
  if (finalize !== null) remember(turn, { finalize: { ...finalize, outcome } });
  arm(turn, 'work', now(turn) + turn.state.settings.steadyIntervalMs * PATIENCE);
}

/** Finalize did not say yes. Only an answer that says no for certain gives the slot back. */
export function finalizeFailed(turn: Turn, phase: Rebooting, failure: Failure): void {
  switch (failure.class) {
    case 'unknown':
      outcomeUnknown(turn, phase, failure.text);
      return;
    case 'underway':
      // Somebody's reboot is on its way. Whether it is into our target only the next boot can tell.
      enter(turn, { ...phase, tries: phase.tries + 1 });
      awaitReboot(turn, phase.tries > 0 ? 'acknowledged' : 'unknown');
      return;
    case 'unlocked':
      foundUnlocked(turn, phase, failure);
      return;
    case 'release':
    case 'transient':
      // This call came to nothing, but what became of the one before is still not known.
      if (phase.tries > 0) outcomeUnknown(turn, phase, failure.text);
      else refused(turn, phase, failure);
      return;
    case 'gone':
      refused(turn, phase, failure);
  }
}

function outcomeUnknown(turn: Turn, phase: Rebooting, text: string): void {
  const { finalize } = turn.state.memory;
  if (finalize !== null) remember(turn, { finalize: { ...finalize, outcome: 'unknown' } });
  const tries = phase.tries + 1;
  const next = retryAt(turn, tries);
  enter(turn, { ...phase, tries });
  trouble(turn, 'finalize', text, next);
  arm(turn, 'work', next);
  // What was read before this call does not count for the next one.
  arm(turn, 'host', next);
}

/**
 * "Already unlocked": after a call whose outcome was lost, it is our own doing; whether that call also came to ask for
 * the reboot is still not known, so finalize takes it as it is the next time. Otherwise somebody staged the release
 * unlocked, and finalize may say so.
 */
function foundUnlocked(turn: Turn, phase: Rebooting, failure: Failure): void {
  if (phase.tries > 0) {
    outcomeUnknown(turn, { ...phase, allowUnlocked: true }, failure.text);
    return;
  }
  if (phase.allowUnlocked) {
    refused(turn, phase, failure);
    return;
  }
  const { target } = phase;
  remember(turn, { finalize: null });
  const again = { target, allowUnlocked: true, missing: 0 };
  const acted = turn.state.memory.acted !== null;
  if (turn.state.memory.slot === null && !acted) backToHolding(turn, again, null);
  else enter(turn, { name: 'releasing', ...again, waitMs: 0, last: null, quietSince: now(turn), acted });
}

/** A definite no: nothing was begun, so the slot goes back. */
function refused(turn: Turn, phase: Rebooting, failure: Failure): void {
  remember(turn, { finalize: null });
  recovered(turn, 'reboot');
  giveBack(turn);
  arm(turn, 'host', now(turn));
  const since = turn.event.at.wall;
  // One that is refused for ever drains the host ever more rarely.
  const refusal = rarely(turn, { by: 'rpm-ostree', text: failure.text, until: retryStreak(turn, 'finalize'), since });
  trouble(turn, 'finalize', failure.text, refusal.until);
  const { target, allowUnlocked } = phase;
  backToHolding(turn, { target, allowUnlocked, missing: 0 }, refusal);
}

const OVERDUE =
  'finalize was acknowledged, but the host has not rebooted; see systemctl list-jobs and systemd-inhibit --list';

/** The reboot was acknowledged and did not come: said loudly, tried again, and the slot stays. */
export function rebootOverdue(turn: Turn, phase: Rebooting): void {
  const { finalize } = turn.state.memory;
  if (finalize?.outcome !== 'acknowledged' || !isDue(turn, 'work')) return;
  trouble(turn, 'reboot', OVERDUE, null);
  remember(turn, { finalize: { ...finalize, outcome: 'unknown' } });
  enter(turn, { ...phase, allowUnlocked: true, tries: phase.tries + 1 });
}
