/** How a payload names a release: an ostree commit (64 hex digits), or a container image (`repo@sha256:…`). */
export type Scheme = 'checksum' | 'oci';

/** A staged rollout as the graph's author planned it. */
export interface Rollout {
  /** Milliseconds since 1970 at which the rollout begins. */
  readonly startWall: number;
  /** Share of the fleet admitted at the start, 0..1. */
  readonly startValue: number;
  /** Minutes until everybody is admitted; null when the rollout stays at `startValue` (paused). */
  readonly durationMinutes: number | null;
}

/** One release in an update graph. */
export interface Release {
  readonly version: string;
  readonly scheme: Scheme;
  readonly payload: string;
  /** The only ordering of releases; the highest is the newest. An unsigned 64-bit number in the graph. */
  readonly ageIndex: bigint;
  /** Reason text when the release is a barrier, else null. */
  readonly barrier: string | null;
  /** Reason text when the release is a dead end, else null. */
  readonly deadEnd: string | null;
  readonly rollout: Rollout | null;
}

/** An update graph that has been read: releases, and for each the positions of those it may update to. */
export interface Graph {
  readonly releases: readonly Release[];
  /** Same length as `releases`. */
  readonly edges: readonly (readonly number[])[];
  /** What was left out of the graph as received and why, at most 20 lines, fit for a log. */
  readonly warnings: readonly string[];
  /** How many nodes there were, when there were some and none of them is a release for this host. */
  readonly unusable?: number;
  /**
   * True when no policy engine has left out the edges that this client may not follow yet (a graph from a file):
   * rollouts are then judged on this host. Absent: the server has judged them.
   */
  readonly raw?: boolean;
}

/** A release to update to. */
export interface Target {
  readonly version: string;
  readonly scheme: Scheme;
  readonly payload: string;
  readonly ageIndex: bigint;
}
