import type { Instant } from '../../base/clock.ts';
import type { Failure } from '../../base/failure.ts';
import type { Graph } from '../../graph/types.ts';
import type { OtherDriver } from '../../host/drivers/judge.ts';
import type { HostReading } from '../../host/rpm-ostree/deployment.ts';
import type { Around } from '../gates/around.ts';
import type { Order } from './orders.ts';
import type { AsyncKind, Settings } from './state.ts';

/**
 * What came of the hooks of an event. `text`: which hook, and what it said, as a clause. `not-run`: nobody could start
 * one of them, or learn what came of it.
 */
export type HookOutcome =
  { readonly kind: 'passed' } | { readonly kind: 'not-now' | 'failed' | 'not-run'; readonly text: string };

/** What can happen to the agent. Results carry the id of the effect that they answer. */
export type EventBody =
  | { readonly kind: 'started' }
  | { readonly kind: 'tick' }
  | { readonly kind: 'configured'; readonly settings: Settings }
  /** rpm-ostree came back, or said that a deployment changed. */
  | { readonly kind: 'hostChanged' }
  | { readonly kind: 'looked'; readonly id: number; readonly reading: HostReading }
  /** Something that surrounds a reboot changed: who is logged in, an inhibitor, a marker, a unit. */
  | { readonly kind: 'aroundChanged' }
  | { readonly kind: 'lookedAround'; readonly id: number; readonly around: Around }
  | { readonly kind: 'hooksDone'; readonly id: number; readonly outcome: HookOutcome }
  /** rpm-ostree has made the release before the next one, and asked for the reboot. */
  | { readonly kind: 'rolledBack'; readonly id: number }
  /** Somebody who is logged in wants the reboot later. */
  | { readonly kind: 'postpone'; readonly by: string; readonly forMs: number }
  | { readonly kind: 'graphRead'; readonly id: number; readonly graph: Graph }
  | { readonly kind: 'stageProgress'; readonly id: number; readonly text: string }
  | { readonly kind: 'staged'; readonly id: number; readonly reading: HostReading }
  | { readonly kind: 'discarded'; readonly id: number; readonly reading: HostReading }
  /** rpm-ostree unlocked the deployment and asked for the reboot. */
  | { readonly kind: 'finalized'; readonly id: number }
  | { readonly kind: 'slotGranted'; readonly id: number }
  | { readonly kind: 'slotRefused'; readonly id: number; readonly text: string; readonly retryAfterMs?: number }
  /** The lock server has the steady-state report. */
  | { readonly kind: 'reported'; readonly id: number }
  | { readonly kind: 'failed'; readonly effect: AsyncKind; readonly id: number; readonly failure: Failure }
  /** State could not be written; the effects that followed were not carried out. */
  | { readonly kind: 'memoryFailed'; readonly text: string }
  /** Sent after the first success that follows a `memoryFailed`. */
  | { readonly kind: 'memoryWritten' }
  /** What else updates or reboots this host was looked at. */
  | { readonly kind: 'driversSeen'; readonly drivers: readonly OtherDriver[] }
  /** An administrator has ordered something; who, for people. */
  | (Order & { readonly by: string })
  /** To stop. `unknown`: another `stop` will say whether the host goes down; until then nothing is decided any more. */
  | { readonly kind: 'stop'; readonly hostGoesDown: boolean | 'unknown' };

/** An event with the moment at which it happened and its own random number, 0 ≤ dice < 1. */
export type Event = EventBody & { readonly at: Instant; readonly dice: number };

/** The name of an event. */
export type EventKind = Event['kind'];
