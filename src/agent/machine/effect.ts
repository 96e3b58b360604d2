import type { Target } from '../../graph/types.ts';
import type { OwnStaged } from '../../host/rpm-ostree/deployment.ts';
import type { HookEvent } from '../../hooks/event.ts';
import type { Lock, Memory } from './memory.ts';
import type { AsyncKind } from './state.ts';

/**
 * What the shell is asked to do, as data. They are carried out in order; `persist` is a barrier: what follows it does
 * not begin before the memory is on disk, and not at all when it cannot be written.
 */
export type Effect =
  /** Write the memory. */
  | { readonly kind: 'persist'; readonly memory: Memory }
  /** Send a `tick` at this moment, in milliseconds since boot; replaces the one before. Null: none. */
  | { readonly kind: 'wake'; readonly at: number | null }
  /** Ask rpm-ostree how things stand, after a sync point. Answered by `looked`. */
  | { readonly kind: 'look'; readonly id: number }
  /** Read what surrounds a reboot. Answered by `lookedAround`. */
  | { readonly kind: 'lookAround'; readonly id: number }
  /** Run the hooks of an event. `version`: of the release that it is about, or null. Answered by `hooksDone`. */
  | { readonly kind: 'hooks'; readonly id: number; readonly event: HookEvent; readonly version: string | null }
  /** Make the release before the next one, and reboot into it. Answered by `rolledBack`. */
  | { readonly kind: 'rollback'; readonly id: number }
  /** Write to terminals. */
  | { readonly kind: 'tell'; readonly ttys: readonly string[]; readonly text: string }
  /** Answered by `graphRead`. */
  | { readonly kind: 'fetchGraph'; readonly id: number }
  /** Fetch and stage a release, locked. Answered by `staged`. */
  | { readonly kind: 'stage'; readonly id: number; readonly target: Target; readonly allowDowngrade: boolean }
  /** Remove the pending deployment if it is still this one, untouched. Answered by `discarded`. */
  | ({ readonly kind: 'discard'; readonly id: number } & OwnStaged)
  /** Unlock the staged deployment and reboot into it. Answered by `finalized`. */
  | { readonly kind: 'finalize'; readonly id: number; readonly target: Target; readonly allowUnlocked: boolean }
  /**
   * Take the fleet's slot, or confirm it. The server may take `waitMs` milliseconds to free one (0: it is to answer at
   * once). Answered by `slotGranted` or `slotRefused`.
   */
  | { readonly kind: 'lock'; readonly id: number; readonly lock: Lock; readonly waitMs: number }
  /** Give up the question `lock` with this id, which is answered all the same: by what came of it, or as `failed`. */
  | { readonly kind: 'cancelLock'; readonly id: number }
  /** Tell the lock server that this host is steady and holds no slot. Answered by `reported`. */
  | { readonly kind: 'report'; readonly id: number; readonly lock: Lock };

/** An effect that the shell answers by id. */
export type AsyncEffect = Extract<Effect, { kind: AsyncKind }>;

type WithoutId<E> = E extends unknown ? Omit<E, 'id'> : never;

/** An asynchronous effect before it is numbered. */
export type AsyncRequest = WithoutId<AsyncEffect>;
