import type { Target } from '../../graph/types.ts';
import type { OwnStaged } from '../../host/rpm-ostree/deployment.ts';

/** Where a slot is asked for and given back. */
export interface Lock {
  readonly baseUrl: string;
  readonly group: string;
  readonly id: string;
}

/** A steady-state report that is owed to a lock server. */
export interface OwedReport extends Lock {
  /** A slot was asked for there: the report gives it back. Else it only tells the server that this host is steady. */
  readonly slot: boolean;
}

/** A release that is kept away from this host for a time, because it was at fault. */
export interface Quarantine {
  /** `releaseKey` of the release. */
  readonly key: string;
  readonly version: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Milliseconds since 1970 at which it ends. */
  readonly until: number;
}

/** A finalize call whose boot has not been seen yet. */
export interface FinalizeRecord {
  readonly target: Target;
  /** The boot in which it was called. */
  readonly bootId: string;
  /** The release that was running then: `releaseKey` and version. */
  readonly from: { readonly key: string; readonly version: string };
  /** Milliseconds since boot and since 1970 of the call. */
  readonly since: { readonly wall: number; readonly mono: number };
  /** Called and not answered yet; acknowledged by rpm-ostree; or lost, so that nobody knows. */
  readonly outcome: 'called' | 'acknowledged' | 'unknown';
  readonly allowUnlocked: boolean;
}

/** A slot that was asked for; written down before the question is sent. */
export interface SlotRecord extends Lock {
  /**
   * Asked for once; asked for again, when nobody knew what had come of the question before; granted. In doubt it is
   * kept: only after the first question can an answer that says nothing about the slot mean that there is none.
   */
  readonly state: 'asked' | 'doubtful' | 'held';
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** How often a release was at fault, until it is quarantined or arrives. */
export interface Faults {
  readonly key: string;
  readonly version: string;
  /** Failures to stage that were the release's own. */
  readonly staging: number;
  /** Acknowledged finalizes whose next boot was another release. */
  readonly missedBoots: number;
}

/** The release that is being staged, or staged, in this boot. */
export interface TargetRecord {
  readonly release: Target;
  readonly staged: boolean;
  /** rpm-ostree was asked to stage it, so that it may be removed. Else somebody else did: adopted, it stays theirs. */
  readonly ours: boolean;
  /** Id of the deployment as this agent staged it; null while that is not known. Another one was touched by somebody. */
  readonly deployment: string | null;
}

/** A deployment that this agent staged and does not want any more. */
export interface DiscardRecord extends OwnStaged {
  readonly version: string;
  readonly reason: string;
}

/** Hooks that act (`pre-reboot`) were begun in this boot: unless it ends with a reboot, `reboot-cancelled` is owed. */
export interface ActedRecord {
  /** Of the release that was to be booted. */
  readonly version: string;
  /** It came to nothing: what they did is being undone. */
  readonly undo: boolean;
}

/** The reboot of this agent's that led to a boot. */
export interface ArrivalRecord {
  /** The boot that it led to. */
  readonly bootId: string;
  /** The version that was left. */
  readonly from: string;
  /** Milliseconds since 1970 at which finalize was called first. */
  readonly since: number;
}

/** What came of the `post-boot` hooks of a boot when they were last tried. */
export interface PostBootRecord {
  readonly passed: boolean;
  /** What they said when they did not pass, or why they could not be run; null: they were not tried, or have passed. */
  readonly problem: string | null;
  /** One of them could not be run: that says nothing about the boot. */
  readonly notRun: boolean;
}

/** What outlives a restart of the agent and of the host. */
export interface Memory {
  /** The boot in which this was written. */
  readonly bootId: string;
  /** When that boot began, by the clock as it stood then: milliseconds since 1970, or null where nobody looked. */
  readonly bootWall: number | null;
  readonly target: TargetRecord | null;
  /** Ours, staged, and to be removed: withdrawn, or not what was asked for. */
  readonly discard: DiscardRecord | null;
  readonly finalize: FinalizeRecord | null;
  readonly slot: SlotRecord | null;
  /** Steady-state reports that lock servers have not confirmed yet. At most 8. */
  readonly owed: readonly OwedReport[];
  readonly faults: readonly Faults[];
  readonly quarantine: readonly Quarantine[];
  /** Versions that the administrator does not want. */
  readonly skipped: readonly string[];
  /** No reboots: until when (ms since 1970; null: until that is revoked), why, who said so, and when. */
  readonly pause: {
    readonly until: number | null;
    readonly reason: string;
    readonly by: string;
    readonly since: number;
  } | null;
  /** An administrator wants this host updated now, without regard to time and patience. Ends with the boot. */
  readonly order: { readonly by: string; readonly since: number; readonly until: number } | null;
  /** An administrator has cancelled a reboot: none is tried before `until` (ms since 1970). Ends with the boot. */
  readonly cancelled: { readonly by: string; readonly since: number; readonly until: number } | null;
  /** People have postponed the reboot: until when (ms since 1970), who, and how many ms altogether in this boot. */
  readonly postponed: { readonly until: number; readonly by: string; readonly spentMs: number } | null;
  /** Milliseconds since boot until which people were given time; null: they were not. */
  readonly graceUntil: number | null;
  readonly acted: ActedRecord | null;
  /** This boot was healthy once: what goes wrong later is not the fault of an update. */
  readonly wasHealthy: boolean;
  /** The `post-boot` hooks of this boot. */
  readonly postBoot: PostBootRecord;
  /** The release of the last boot seen, and the one that it was updated from (null when it was not our doing). */
  readonly lastBoot: {
    readonly key: string;
    readonly version: string;
    readonly from: string | null;
    /** A boot of it was healthy once: what goes wrong later, in whichever boot, is not the fault of the update. */
    readonly proven: boolean;
  } | null;
  /** rpm-ostree was asked to go back, in this boot: to which version, when (ms since 1970), and whether it has said yes. */
  readonly goingBack: { readonly to: string; readonly since: number; readonly acknowledged: boolean } | null;
  /** How the last boot that this agent made came about; of a later boot it says nothing. */
  readonly arrival: ArrivalRecord | null;
}

/** The `post-boot` hooks of a new boot. */
export const NOT_RUN: PostBootRecord = { passed: false, problem: null, notRun: false };

/** The memory of an agent that has none. */
export function freshMemory(bootId: string): Memory {
  return {
    bootId,
    bootWall: null,
    target: null,
    discard: null,
    finalize: null,
    slot: null,
    owed: [],
    faults: [],
    quarantine: [],
    skipped: [],
    pause: null,
    order: null,
    cancelled: null,
    postponed: null,
    graceUntil: null,
    acted: null,
    wasHealthy: false,
    postBoot: NOT_RUN,
    lastBoot: null,
    goingBack: null,
    arrival: null,
  };
}

/** The pause that is in force at a moment in milliseconds since 1970, or null. */
export function pauseAt({ pause }: Pick<Memory, 'pause'>, wall: number): Memory['pause'] {
  return pause === null || (pause.until !== null && pause.until <= wall) ? null : pause;
}
