import { type ReleaseName, neighbours, positionOf } from './lookup.ts';
import { admitted, wariness as warinessOf } from './rollout.ts';
import type { Graph, Release, Target } from './types.ts';
import { type RolloutWait, expectedWait, soonestWait } from './wait.ts';

export { edgeTo } from './lookup.ts';

/** Why a release may not be taken although the graph offers it. */
export interface Denial {
  readonly kind: 'quarantined' | 'skipped' | 'local';
  readonly reason: string;
}

/** A release that the graph offers and this host does not take. */
export interface DeniedRelease {
  readonly version: string;
  /** True when every way forward leads through this release. */
  readonly barrier: boolean;
  readonly denial: Denial;
}

/** What the choice depends on besides the graph. */
export interface Query {
  readonly booted: ReleaseName;
  /** Asked once for each candidate. */
  readonly deny: (release: Release) => Denial | null;
  readonly allowDowngrade: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** `configured` from 0 (eager) to 1 (cautious), or null to derive it from the node id (32 hex digits). */
  readonly wariness: { readonly configured: number | null; readonly nodeId: string };
}

/** Why there is no release to update to. Plain data: versions rather than parts of the graph. */
export type Verdict =
  /**
   * Never final: a server that has just started has an empty graph. `empty`: there is no release for any host of this
   * kind; `unusable`: although there are as many nodes.
   */
  | { readonly kind: 'notInGraph'; readonly empty: boolean; readonly unusable?: number }
  /** No update leads away from the booted release. */
  | { readonly kind: 'deadEnd'; readonly version: string; readonly reason: string }
  | { readonly kind: 'newest'; readonly version: string }
  /** A newer release is being rolled out and is not for this host yet. */
  | { readonly kind: 'rollout'; readonly version: string; readonly wait: RolloutWait }
  /** Newer releases exist, but no edge leads to them and no rollout explains it. */
  | { readonly kind: 'noPath'; readonly version: string; readonly newest: string }
  /** All that is offered is denied, best first; `wait`: a further release that is being rolled out. */
  | { readonly kind: 'denied'; readonly denied: readonly DeniedRelease[]; readonly wait: RolloutWait | null }
  /** All that is offered is not newer than the booted release. */
  | { readonly kind: 'downgradeRefused'; readonly version: string; readonly offered: string };

/** The release to update to, with the better ones that were denied; or the verdict when there is none. */
export type Choice =
  | {
      readonly target: Target;
      readonly release: Release;
      readonly denied: readonly DeniedRelease[];
      readonly verdict: null;
    }
  | { readonly target: null; readonly verdict: Verdict };

/**
 * Chooses the release to update to: of those that the booted one has an edge to, the newest that is not denied. One hop
 * only, for barriers work because no edge leads across them.
 */
export function choose(graph: Graph, query: Query): Choice {
  const position = positionOf(graph, query.booted);
  const booted = graph.releases[position];
  if (booted === undefined) {
    const unusable = graph.unusable === undefined ? {} : { unusable: graph.unusable };
    return { target: null, verdict: { kind: 'notInGraph', empty: graph.releases.length === 0, ...unusable } };
  }
  const { version, deadEnd } = booted;
  if (deadEnd !== null) return { target: null, verdict: { kind: 'deadEnd', version, reason: deadEnd } };

  const offers = readOffers(graph, position, query);
  const denied: DeniedRelease[] = [];
  for (const release of offers.open) {
    if (release.ageIndex <= booted.ageIndex && !query.allowDowngrade) break;
    const denial = query.deny(release);
    if (denial === null) return { target: targetOf(release), release, denied, verdict: null };
    denied.push({ version: release.version, barrier: release.barrier !== null, denial });
  }
  return { target: null, verdict: explainNone(graph, booted, offers, denied, query.now) };
}

function targetOf({ version, scheme, payload, ageIndex }: Release): Target {
  return { version, scheme, payload, ageIndex };
}

interface Offers {
  /** Newest first. */
  readonly open: readonly Release[];
  /** Offered, but in a rollout that has not reached this host. Known only when the graph is raw. */
  readonly hidden: readonly Release[];
  readonly wariness: number;
}

/** A server leaves out what is not for this host yet; in a raw graph that is still to be done. */
function readOffers(graph: Graph, position: number, query: Query): Offers {
  const wariness = warinessOf(query.wariness.configured, query.wariness.nodeId);
  const all = neighbours(graph, position).sort(newestFirst);
  if (graph.raw !== true) return { open: all, hidden: [], wariness };
  const isHidden = ({ rollout }: Release): boolean => rollout !== null && wariness > admitted(rollout, query.now);
  return { open: all.filter((release) => !isHidden(release)), hidden: all.filter(isHidden), wariness };
}

/** By age index; version and payload only make the order the same everywhere. */
function newestFirst(a: Release, b: Release): number {
  if (a.ageIndex !== b.ageIndex) return a.ageIndex > b.ageIndex ? -1 : 1;
  if (a.version !== b.version) return a.version > b.version ? -1 : 1;
  return a.payload > b.payload ? -1 : 1;
}

function explainNone(
  graph: Graph,
  booted: Release,
  { open, hidden, wariness }: Offers,
  denied: readonly DeniedRelease[],
  now: number,
): Verdict {
  const { version } = booted;
  const newer = graph.releases.filter(({ ageIndex, deadEnd }) => ageIndex > booted.ageIndex && deadEnd === null);
  const wait = graph.raw === true ? soonestWait(hidden, wariness, now) : expectedWait(newer, wariness, now);
  const isDenied = new Set(denied.map((one) => one.version));
  if (denied.length > 0) {
    return { kind: 'denied', denied, wait: wait === null || isDenied.has(wait.version) ? null : wait };
  }
  const older = open[0];
  if (older !== undefined) return { kind: 'downgradeRefused', version, offered: older.version };
  if (wait !== null) return { kind: 'rollout', version, wait };
  const newest = newer.reduce<Release | null>((best, one) => (best && newestFirst(best, one) < 0 ? best : one), null);
  return newest === null ? { kind: 'newest', version } : { kind: 'noPath', version, newest: newest.version };
}
