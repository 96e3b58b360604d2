import type { Instant } from '../../base/clock.ts';
import type { Verdict } from '../../graph/choose.ts';
import type { Outlook } from '../../graph/route.ts';
import type { Target } from '../../graph/types.ts';
import type { HostReading } from '../../host/rpm-ostree/deployment.ts';
import type { OtherDriver } from '../../host/drivers/judge.ts';
import type { Freezes } from '../../strategy/freeze.ts';
import type { Schedule } from '../../strategy/schedule.ts';
import type { Around, AroundRules, Courtesy, HookVerdict } from '../gates/around.ts';
import type { HookEvent } from '../../hooks/event.ts';
import type { Lock, Memory } from './memory.ts';

/** What the machine needs of the configuration and of this host's identity. Replaced whole at a reload. */
export interface Settings {
  readonly enabled: boolean;
  /** Where targets come from: an update graph, or whatever somebody else has staged. */
  readonly source: 'graph' | 'staged';
  readonly allowDowngrade: boolean;
  /** Milliseconds between two looks at the graph; retries scale with it. */
  readonly steadyIntervalMs: number;
  /** The fleet's lock, or null when this host decides alone. */
  readonly lock: Lock | null;
  /** Milliseconds that the lock server may take to free a slot before it answers; 0: it is to answer at once. */
  readonly lockWaitMs: number;
  /** The windows of the strategy `periodic`; null: at any time. */
  readonly schedule: Schedule | null;
  /** Dates without reboots; null: there are none. */
  readonly freezes: Freezes | null;
  /** Milliseconds that this host must be up before a reboot. */
  readonly minUptimeMs: number;
  /** What of the surroundings matters; null: nothing of it does, and nothing is read. */
  readonly around: AroundRules | null;
  /** 32 hex digits. */
  readonly nodeId: string;
  /** 0 (eager) to 1 (cautious), or null to derive it from `nodeId`. */
  readonly wariness: number | null;
  /** The stream that releases must belong to, or null for whichever the booted release has. */
  readonly stream: string | null;
  /** All that the configuration says about which graph is asked, and in whose name. Only compared, never shown. */
  readonly graphQuestion: string;
}

/** A release that is staged, and what is known of it. */
export interface Held {
  readonly target: Target;
  /** Finalize may also take a deployment that is not locked: somebody else staged it so. */
  readonly allowUnlocked: boolean;
  /** Good graphs in a row that no longer lead to the target. */
  readonly missing: number;
}

/** Where the agent stands. Each phase carries what belongs to it alone. */
export type Phase =
  /** The host has not been read yet. */
  | { readonly name: 'starting' }
  /** Nothing is done: `reason` says why and what would change it. */
  | { readonly name: 'disabled'; readonly reason: string }
  /** No target: the graph is polled, the host's default deployment compared. */
  | { readonly name: 'watching' }
  /** A target was chosen and is being fetched and staged, locked. */
  | {
      readonly name: 'staging';
      readonly target: Target;
      readonly failures: number;
      readonly progress: string | null;
      /** Why nothing is fetched yet, as a clause; null: it is, or is about to be. */
      readonly waits: string | null;
      /** Good graphs in a row that no longer lead to the target. */
      readonly missing: number;
    }
  /** The target is staged; the gates decide. */
  | (Held & {
      readonly name: 'holding';
      /** What the last refusal said. */
      readonly refusal: Refusal | null;
    })
  /**
   * Every local gate is open. The fleet's slot is asked for; once it is held, people get their last notice, the hooks
   * that act are run, and everything is looked at once more.
   */
  | (Held & {
      readonly name: 'releasing';
      /** Milliseconds that the lock server was given to free a slot. */
      readonly waitMs: number;
      /** What it said before, when it was asked before. */
      readonly last: Refusal | null;
      /** Milliseconds since boot of the last grant, or of the end of the hooks: what was read before does not count. */
      readonly quietSince: number;
      /** The hooks that act have passed. */
      readonly acted: boolean;
    })
  /** Finalize was called: from here nothing can be taken back. `tries`: calls whose outcome nobody knows. */
  | { readonly name: 'rebooting'; readonly target: Target; readonly allowUnlocked: boolean; readonly tries: number };

/** Who said "not now", or did not answer, in a clause that follows "waiting: ". */
export interface Refusal {
  readonly by: 'lock' | 'rpm-ostree' | 'hook' | 'people' | 'administrator';
  readonly text: string;
  /** Milliseconds since boot before which asking again is pointless. */
  readonly until: number;
  /** Milliseconds since 1970 of the first question of those in a row that this one ended. */
  readonly since: number;
}

/** The name of a phase. */
export type PhaseName = Phase['name'];

/** What can go wrong for a while: one streak of errors each. */
export type TroubleSource =
  | 'host'
  | 'around'
  | 'graph'
  | 'stage'
  | 'discard'
  | 'finalize'
  | 'reboot'
  | 'slot'
  | 'report'
  | 'memory'
  | 'undo'
  | 'health'
  | 'rollback';

/** A streak of errors of one kind; gone with the first success. */
export interface Trouble {
  readonly text: string;
  readonly since: Instant;
  readonly count: number;
  /** Milliseconds since boot of the next try, or null when something else must happen first. */
  readonly nextTry: number | null;
}

/** How the graph was last seen. */
export interface Check {
  /** Last answer of any kind, good or bad. */
  readonly at: Instant;
  /** What the last good graph said; null while a target was found. Kept through errors, which are troubles. */
  readonly verdict: Verdict | null;
  /** How far the newest release is that can be reached; null while the graph does not have the booted one. */
  readonly outlook: Outlook | null;
  /** What was left out of the last good graph, and why. */
  readonly warnings: readonly string[];
  /** What waited for the next boot when it was read: the id of the deployment, or null. */
  readonly pending: string | null;
}

/** The timers: each holds the moment, in milliseconds since boot, at which something is due. */
export type Timer =
  | 'poll'
  | 'host'
  | 'around'
  | 'work'
  | 'report'
  | 'discard'
  | 'memory'
  | 'people'
  | 'undo'
  | 'health'
  | 'postBoot'
  | 'rollback';

/** Work given to the shell whose result is awaited. One of each kind at a time. */
export type AsyncKind =
  'look' | 'lookAround' | 'fetchGraph' | 'stage' | 'discard' | 'finalize' | 'lock' | 'report' | 'hooks' | 'rollback';

/** Tries to undo what the hooks did. */
export interface Undos {
  /** That came to nothing, in whatever way. */
  readonly tries: number;
  /** Those of them in which all hooks were run. */
  readonly failed: number;
}

/** None was needed yet. */
export const NO_UNDOS: Undos = { tries: 0, failed: 0 };

/** Everything that the agent knows. Changed by `step` alone. */
export interface AgentState {
  readonly phase: Phase;
  /** When the phase was entered. */
  readonly since: Instant;
  /** Milliseconds since boot at which this process began. */
  readonly startedAt: number;
  /** The kernel's id of this boot. */
  readonly bootId: string;
  readonly memory: Memory;
  readonly settings: Settings;
  /** The last good reading of the host. */
  readonly host: HostReading | null;
  /** The last reading of what surrounds a reboot. */
  readonly around: Around | null;
  readonly courtesy: Courtesy;
  /** Milliseconds since boot since when each reading of the surroundings is followed by another change; null: they rest. */
  readonly unrest: number | null;
  /** Milliseconds since boot since when nobody can be asked whether this boot is healthy; null: that is known. */
  readonly unclearSince: number | null;
  /** The hooks that are running, since when (ms since boot), and the `releaseKey` of what they are asked about; null: none are. */
  readonly running: { readonly event: HookEvent; readonly since: number; readonly about: string | null } | null;
  /** Times in a row that the `post-boot` hooks have not passed. */
  readonly postBootFailures: number;
  /** What the `may-reboot` hooks said last. */
  readonly hooks: HookVerdict | null;
  /** How often `reboot-cancelled` was tried for what is on record as `acted`, and how often it was run and failed. */
  readonly undos: Undos;
  /** Reboots into the target that came to nothing after the slot was granted. */
  readonly setbacks: { readonly count: number; readonly at: number } | null;
  /** `releaseKey` of the release for which the `pre-stage` hooks have passed. */
  readonly preStaged: string | null;
  readonly check: Check | null;
  /** Milliseconds since boot at which the graph was asked last; null: this process has not asked it. */
  readonly graphAskedAt: number | null;
  readonly troubles: Readonly<Partial<Record<TroubleSource, Trouble>>>;
  readonly due: Readonly<Partial<Record<Timer, number>>>;
  readonly pending: Readonly<Partial<Record<AsyncKind, number>>>;
  /** The question to the lock server that was given up; its answer is still awaited while it is the pending one. */
  readonly cancelled: number | null;
  /** Milliseconds since boot at which a lock server last granted or confirmed the slot to this process, or null. */
  readonly slotConfirmedAt: number | null;
  /** Lock servers that have confirmed to this process that the host is steady. At most 8. */
  readonly told: readonly Lock[];
  /** What else may update or reboot this host. */
  readonly drivers: readonly OtherDriver[];
  /** Number of the last effect. */
  readonly lastId: number;
  /** The moment of the last `wake` effect, or null. */
  readonly wakeAt: number | null;
  /**
   * The agent was told to stop, alone or with the host: only what is owed is still done. `unclear` while nobody knows
   * which of both: then the slot stays where it is, too.
   */
  readonly stopping: 'agent' | 'host' | 'unclear' | null;
}
