import { releaseKey } from '../../host/rpm-ostree/deployment.ts';
import type { Target } from '../../graph/types.ts';
import type { HookEvent } from '../../hooks/event.ts';
import type { ClosedGate } from '../gates/gate.ts';
import { hasHooks } from '../gates/surroundings.ts';
import type { HookOutcome } from './event.ts';
import { isFinalizing, MOST_UNDOS, mayGoDown } from './slot.ts';
import { type AgentState, NO_UNDOS } from './state.ts';
import { backToHolding } from './target.ts';
import {
  type Turn,
  arm,
  enter,
  isDue,
  isPending,
  now,
  patch,
  recovered,
  remember,
  request,
  retryAt,
  retryStreak,
  setBack,
  trouble,
} from './turn.ts';

/** Milliseconds for which the consent of the `may-reboot` hooks counts. */
export const MAY_REBOOT_MS = 60_000;
/** Milliseconds after which hooks that said "not now" are asked again, and after which those that failed are. */
const [NOT_NOW_MS, FAILED_MS] = [60_000, 300_000];

/** Runs the hooks of an event, unless others are running: their end brings us here again. */
function run(turn: Turn, event: HookEvent, version: string | null, about: string | null = null): void {
  if (isPending(turn, 'hooks')) return;
  patch(turn, { running: { event, since: now(turn), about } });
  request(turn, { kind: 'hooks', event, version });
}

/** Hooks have run, or could not be. */
export function hooksDone(turn: Turn, outcome: HookOutcome): void {
  const { running } = turn.state;
  patch(turn, { running: null });
  if (running !== null) DONE[running.event](turn, outcome, running);
}

type Done = (turn: Turn, outcome: HookOutcome, run: NonNullable<AgentState['running']>) => void;

const DONE: Readonly<Record<HookEvent, Done>> = {
  'pre-stage': (turn, outcome, { about }) => {
    const { phase } = turn.state;
    if (phase.name !== 'staging') return;
    // Another release has taken its place meanwhile: they are asked about that one.
    if (about !== releaseKey(phase.target)) {
      arm(turn, 'work', now(turn));
      return;
    }
    if (outcome.kind === 'passed') patch(turn, { preStaged: about });
    else enter(turn, { ...phase, waits: `pre-stage hook ${outcome.text}` });
    arm(turn, 'work', outcome.kind === 'passed' ? now(turn) : now(turn) + pauseAfter(outcome));
  },
  'may-reboot': (turn, outcome, { since: askedAt }) => {
    const refusal = outcome.kind === 'passed' ? null : outcome.text;
    const until = outcome.kind === 'passed' ? now(turn) : now(turn) + pauseAfter(outcome);
    patch(turn, { hooks: { askedAt, at: now(turn), refusal, until } });
  },
  'pre-reboot': (turn, outcome) => {
    const { phase } = turn.state;
    if (phase.name !== 'releasing') return;
    if (outcome.kind === 'passed') {
      enter(turn, { ...phase, acted: true, quietSince: now(turn) });
      // What the host looked like before they ran does not count any more.
      arm(turn, 'host', now(turn));
      return;
    }
    const until = setBack(turn, pauseAfter(outcome));
    const since = turn.event.at.wall;
    backToHolding(turn, phase, { by: 'hook', text: `pre-reboot hook ${outcome.text}`, until, since });
  },
  'reboot-cancelled': (turn, outcome) => {
    if (outcome.kind === 'passed') {
      recovered(turn, 'undo');
      forgetActed(turn);
      return;
    }
    const { tries, failed } = turn.state.undos;
    const undos = { tries: tries + 1, failed: failed + (outcome.kind === 'not-run' ? 0 : 1) };
    patch(turn, { undos });
    // A hook that could not be run has undone nothing, and is to be run as soon as it can be: this does not wait longer.
    const next = Math.min(retryStreak(turn, 'undo'), now(turn) + turn.state.settings.steadyIntervalMs);
    trouble(turn, 'undo', outcome.text, next);
    arm(turn, 'undo', next);
    // One that does not work is not run for ever; the streak stays to be seen.
    if (undos.failed >= MOST_UNDOS) forgetActed(turn);
  },
  'post-boot': (turn, outcome) => {
    const passed = outcome.kind === 'passed';
    // An agent that stops ends the hooks that run: that is not what they say of the boot. The next one begins them anew.
    if (turn.state.stopping !== null && !passed) return;
    const postBoot = { passed, problem: passed ? null : outcome.text, notRun: outcome.kind === 'not-run' };
    if (JSON.stringify(postBoot) !== JSON.stringify(turn.state.memory.postBoot)) remember(turn, { postBoot });
    const failures = turn.state.postBootFailures + 1;
    patch(turn, { postBootFailures: passed ? 0 : failures });
    arm(turn, 'postBoot', passed ? null : retryAt(turn, failures + 1));
    const { phase } = turn.state;
    // Nothing is fetched before the boot is healthy.
    if (passed && phase.name === 'staging' && phase.waits !== null) arm(turn, 'work', now(turn));
  },
};

function forgetActed(turn: Turn): void {
  arm(turn, 'undo', null);
  remember(turn, { acted: null });
}

function pauseAfter({ kind }: HookOutcome): number {
  return kind === 'not-now' ? NOT_NOW_MS : FAILED_MS;
}

/** True while the hooks of this boot are still to be run; they are told which release has come up. */
export function awaitsPostBoot(state: AgentState): boolean {
  const { memory, around, host } = state;
  return (
    !memory.postBoot.passed &&
    memory.goingBack === null &&
    around?.boot.kind === 'healthy' &&
    host !== null &&
    hasHooks(state, 'post-boot')
  );
}

/** Runs the hooks of a new boot once it is complete; until they have passed it is not healthy. */
export function runPostBoot(turn: Turn): void {
  const { memory, due } = turn.state;
  if (!awaitsPostBoot(turn.state)) return;
  if (due.postBoot === undefined || isDue(turn, 'postBoot'))
    run(turn, 'post-boot', typeof memory.lastBoot?.from === 'string' ? memory.lastBoot.version : null);
}

/** True when the `pre-stage` hooks allow a release to be fetched; asks them else. */
export function mayStage(turn: Turn, target: Target): boolean {
  if (!hasHooks(turn.state, 'pre-stage') || turn.state.preStaged === releaseKey(target)) return true;
  run(turn, 'pre-stage', target.version, releaseKey(target));
  return false;
}

/**
 * True when the `may-reboot` hooks allow the reboot, asked at most a minute ago and not before `since` (ms since boot).
 * Asks them else.
 */
export function mayReboot(turn: Turn, target: Target, since = -Infinity): boolean {
  if (!hasHooks(turn.state, 'may-reboot')) return true;
  const { hooks } = turn.state;
  if (hooks?.refusal === null && hooks.askedAt >= since && now(turn) - hooks.at <= MAY_REBOOT_MS) return true;
  run(turn, 'may-reboot', target.version);
  return false;
}

/** Asks the `may-reboot` hooks again once nothing but what they said keeps the reboot back. */
export function askAgain(turn: Turn, target: Target, closed: readonly ClosedGate[]): void {
  const { hooks } = turn.state;
  const isAlone = closed.length > 0 && closed.every(({ gate }) => gate === 'hooks');
  if (isAlone && hooks !== null && hooks.until <= now(turn)) mayReboot(turn, target);
}

/** Runs the hooks that act, once: that is written down before they begin, since what they do must be undone. */
export function act(turn: Turn, target: Target): void {
  if (isPending(turn, 'hooks')) return;
  remember(turn, { acted: { version: target.version, undo: false } });
  patch(turn, { undos: NO_UNDOS });
  run(turn, 'pre-reboot', target.version);
}

/**
 * Undoes what the hooks did for a reboot that did not come. True when there is nothing (left) to undo. Also when the
 * agent stops, unless the host does.
 */
export function undoIsDone(turn: Turn): boolean {
  const { memory, phase, stopping, due, settings, around } = turn.state;
  const { acted } = memory;
  if (acted === null) return true;
  const isWanted = isFinalizing(turn) || (phase.name === 'releasing' && stopping === null);
  if (isWanted || mayGoDown(turn.state)) return false;
  // Those that act may be running still.
  if (isPending(turn, 'hooks')) return false;
  if (!acted.undo) remember(turn, { acted: { ...acted, undo: true } });
  if (due.undo !== undefined && !isDue(turn, 'undo')) return false;
  if (hasHooks(turn.state, 'reboot-cancelled')) run(turn, 'reboot-cancelled', acted.version);
  else if (settings.around === null || around !== null) forgetActed(turn);
  return turn.state.memory.acted === null;
}
