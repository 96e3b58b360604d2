import type { Clock } from '../base/clock.ts';
import { type Failure, FailureError } from '../base/failure.ts';
import { errorText } from '../base/text.ts';
import { type LockAccess, type LockAnswer, askLock } from '../fleetlock/client.ts';
import type { Operation } from '../fleetlock/protocol.ts';
import type { Graph } from '../graph/types.ts';
import type { RpmOstree } from '../host/rpm-ostree/client.ts';
import type { AsyncEffect } from './machine/effect.ts';
import type { HookEvent } from '../hooks/event.ts';
import type { EventBody, HookOutcome } from './machine/event.ts';
import type { Lock } from './machine/memory.ts';
import type { Settings } from './machine/state.ts';
import type { Surroundings } from './surroundings.ts';

/** The world as the executors reach it. */
export interface World {
  readonly rpmOstree: RpmOstree;
  readonly surroundings: Pick<Surroundings, 'read'>;
  /** Runs the hooks of an event; `version` is that of the release that it is about. Never rejects. */
  readonly runHooks: (event: HookEvent, version: string | null, signal: AbortSignal) => Promise<HookOutcome>;
  readonly clock: Clock;
  /** Rejects with a `FailureError`. */
  readonly fetchGraph: () => Promise<Graph>;
  readonly settings: () => Settings;
  /**
   * How lock servers are reached, as configured at this moment. A slot is known by server, group and id alone: it is
   * given back with the credentials of today, not with those it was taken with.
   */
  readonly lockAccess: () => LockAccess;
  /** Why what was decided may not be finalized any more, or null. */
  readonly consentWithdrawn: () => Promise<string | null>;
  /** Why this host does not go back any more although that was decided, or null. */
  readonly rollbackWithdrawn: () => Promise<string | null>;
  /** Aborted when the agent begins to stop: hooks are ended, but for those that undo something. */
  readonly stopping: AbortSignal;
  /** Aborted when the agent ends: then reports are given up as well. */
  readonly ending: AbortSignal;
  readonly send: (event: EventBody) => void;
}

type Answers = {
  readonly [K in AsyncEffect['kind']]: (effect: Extract<AsyncEffect, { kind: K }>) => Promise<EventBody>;
};

/** Milliseconds between two words about progress. */
const PROGRESS_MS = 1_000;

/** The shell's hands. */
export interface Executors {
  /** Begins an effect; its answer comes as an event. */
  readonly execute: (effect: AsyncEffect) => void;
  /** Gives up the question to the lock server with this id; its answer still comes. Does nothing when it has come. */
  readonly cancelLock: (id: number) => void;
}

/** Exactly one way to carry out each asynchronous effect; the compiler knows that none is missing. */
export function createExecutors(world: World): Executors {
  const { rpmOstree } = world;
  const locks = new Map<number, AbortController>();
  const ask = (operation: Operation, lock: Lock, waitMs: number, signal: AbortSignal): Promise<LockAnswer> =>
    askLock({ operation, lock, waitMs, wall: world.clock().wall, signal }, world.lockAccess());
  const answers: Answers = {
    look: async ({ id }) => ({ kind: 'looked', id, reading: await rpmOstree.read() }),
    lookAround: async ({ id }) => ({ kind: 'lookedAround', id, around: await world.surroundings.read() }),
    hooks: async ({ id, event, version }) => {
      const signal = event === 'reboot-cancelled' ? world.ending : world.stopping;
      return { kind: 'hooksDone', id, outcome: await world.runHooks(event, version, signal) };
    },
    rollback: async ({ id }) => {
      await rpmOstree.rollback({ withdrawn: world.rollbackWithdrawn });
      return { kind: 'rolledBack', id };
    },
    fetchGraph: async ({ id }) => ({ kind: 'graphRead', id, graph: await world.fetchGraph() }),
    stage: async ({ id, target, allowDowngrade }) => {
      const onProgress = paced(world, (text) => world.send({ kind: 'stageProgress', id, text }));
      const { stream } = world.settings();
      return { kind: 'staged', id, reading: await rpmOstree.stage(target, { allowDowngrade, stream, onProgress }) };
    },
    discard: async ({ id, key, deployment }) => {
      return { kind: 'discarded', id, reading: await rpmOstree.discard({ key, deployment }) };
    },
    finalize: async ({ id, target, allowUnlocked }) => {
      await rpmOstree.finalize(target, { allowUnlocked, withdrawn: world.consentWithdrawn });
      return { kind: 'finalized', id };
    },
    lock: async ({ id, lock, waitMs }) => {
      const question = new AbortController();
      locks.set(id, question);
      const answer = await ask('pre-reboot', lock, waitMs, question.signal).finally(() => locks.delete(id));
      if (answer.kind === 'failed') throw new FailureError(answer.failure);
      if (answer.kind === 'yes') return { kind: 'slotGranted', id };
      return { kind: 'slotRefused', id, text: answer.text, ...retryAfter(answer.retryAfterMs) };
    },
    report: async ({ id, lock }) => {
      const answer = await ask('steady-state', lock, 0, world.ending);
      if (answer.kind === 'failed') throw new FailureError(answer.failure);
      if (answer.kind === 'yes') return { kind: 'reported', id };
      throw new FailureError({ class: 'transient', text: answer.text, ...retryAfter(answer.retryAfterMs) });
    },
  };
  const execute = (effect: AsyncEffect): void => {
    // The table is typed by kind; the compiler cannot see that the looked-up entry is the one of this effect.
    const answer = answers[effect.kind] as (effect: AsyncEffect) => Promise<EventBody>;
    answer(effect).then(world.send, (error: unknown) => {
      world.send({ kind: 'failed', effect: effect.kind, id: effect.id, failure: failureOf(error) });
    });
  };
  return { execute, cancelLock: (id) => locks.get(id)?.abort() };
}

function retryAfter(ms: number | undefined): { retryAfterMs?: number } {
  return ms === undefined ? {} : { retryAfterMs: ms };
}

function failureOf(error: unknown): Failure {
  return error instanceof FailureError ? error.failure : { class: 'unknown', text: errorText(error) };
}

/** Lets the first text of each second through, and none that says what the last one said. */
function paced(world: World, say: (text: string) => void): (text: string) => void {
  let last = { text: '', at: -Infinity };
  return (text) => {
    const at = world.clock().mono;
    if (text === last.text || text === '' || at - last.at < PROGRESS_MS) return;
    last = { text, at };
    say(text);
  };
}
