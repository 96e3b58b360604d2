import type { Instant } from '../../base/clock.ts';
import { oneLine } from '../../base/text.ts';
import { redactUrl } from '../../config/redact.ts';
import { explainVerdict } from '../../graph/why.ts';
import type { Verdict } from '../../graph/choose.ts';
import type { Target } from '../../graph/types.ts';
import type { RolloutWait } from '../../graph/wait.ts';
import { pendingDeployment, targetOf } from '../../host/rpm-ostree/deployment.ts';
import { foreignPending } from '../machine/explain.ts';
import { isOrdered } from '../gates/hurry.ts';
import { type Memory, pauseAt } from '../machine/memory.ts';
import type { AgentState, Check } from '../machine/state.ts';
import { isAdopted, isChanged } from '../machine/target.ts';
import { wallOf } from './moment.ts';
import type { Origins } from './origins.ts';
import type { CheckReport, Report, Setting, TargetReport } from './report.ts';

/** The release that runs. */
export function bootedReport({ host }: AgentState): Report['booted'] {
  const booted = host?.booted ?? null;
  return booted === null ? null : { version: booted.version, release: short(targetOf(booted)) };
}

/** The release that is to be booted, or null. */
export function targetReport(state: AgentState): TargetReport | null {
  const { phase, settings, memory, host } = state;
  if (!('target' in phase)) return null;
  const { target, name } = phase;
  const staged = name !== 'staging';
  const isTheirs = settings.source === 'staged' || isAdopted(memory);
  const isOurs = staged && !isTheirs && !isChanged(state) && !phase.allowUnlocked && name !== 'rebooting';
  const isThere = host !== null && pendingDeployment(host) !== null;
  return {
    version: target.version,
    release: short(target),
    staged,
    by: staged && isTheirs ? 'somebody' : 'agent',
    locked: isOurs && isThere ? true : null,
    progress: phase.name === 'staging' ? phase.progress : null,
    waits: phase.name === 'staging' ? phase.waits : null,
  };
}

/** As much of a commit or digest as people compare. */
function short({ payload }: Pick<Target, 'payload'>): string {
  return payload.replace(/^.*@sha256:/, '').slice(0, 12);
}

/** The last good look at the graph. */
export function checkReport({ check, phase }: AgentState): CheckReport | null {
  if (check === null) return null;
  const { at, verdict, warnings } = check;
  const offered = 'target' in phase ? `it leads to ${phase.target.version}` : 'the update graph offers an update';
  return {
    at: at.wall,
    kind: verdict?.kind ?? null,
    text: verdict === null ? offered : explainVerdict(verdict),
    reachesAt: verdict === null ? null : reachesAt(verdict),
    warnings,
    outlook: outlookOf(check),
  };
}

function reachesAt(verdict: Verdict): number | null {
  return waitOf(verdict)?.at ?? null;
}

function waitOf(verdict: Verdict): RolloutWait | null {
  return verdict.kind === 'rollout' || verdict.kind === 'denied' ? verdict.wait : null;
}

/** The way to the newest release, where there is one to go. */
function outlookOf({ outlook }: Check): CheckReport['outlook'] {
  const newest = outlook?.newest ?? null;
  return outlook === null || newest === null ? null : { ...outlook, newest };
}

/** When the graph is asked next; null where it is being asked, or is not asked. */
export function nextCheck({ due, settings, phase, stopping }: AgentState, at: Instant): number | null {
  const isAsked =
    settings.source === 'graph' && stopping === null && phase.name !== 'disabled' && phase.name !== 'rebooting';
  return isAsked ? wallOf(due.poll, at) : null;
}

/** Since when the graph is being asked for; null where it is not. */
export function askingSince({ pending, graphAskedAt }: AgentState, at: Instant): number | null {
  return pending.fetchGraph === undefined ? null : (wallOf(graphAskedAt, at) ?? at.wall);
}

/** The keys that the answer goes by, besides those of the gates. */
export function answerSettings({ settings, phase, check, around }: AgentState, origins: Origins): readonly Setting[] {
  const isMetered = settings.around?.avoidMetered === true && around?.metered === true;
  const verdict = phase.name === 'watching' ? (check?.verdict ?? null) : null;
  const keys = [
    ...(settings.source === 'staged' ? ['updates.source'] : []),
    ...(phase.name === 'staging' && phase.waits !== null && isMetered ? ['updates.network.avoid_metered'] : []),
    ...(verdict !== null && waitOf(verdict) !== null ? ['identity.rollout_wariness'] : []),
    ...(verdict?.kind === 'downgradeRefused' ? ['updates.allow_downgrade'] : []),
  ];
  return keys.flatMap((key) => origins.get(key) ?? []);
}

/** The pause of an administrator, while it lasts. */
export function pauseReport(memory: Memory, wall: number): Report['pause'] {
  const pause = pauseAt(memory, wall);
  if (pause === null) return null;
  const { until, reason, by, since } = pause;
  return { until, reason, by, since: since === 0 ? null : since };
}

/** The consent of an administrator to an update now, while it is in force. */
export function updateNowReport({ order }: Pick<Memory, 'order'>, wall: number): Report['updateNow'] {
  return order === null || !isOrdered({ order }, wall) ? null : { by: order.by, until: order.until };
}

/** What the memory holds besides. */
export function memoryReport(
  { memory }: AgentState,
  wall: number,
): Pick<Report, 'quarantine' | 'skipped' | 'postponed' | 'owed' | 'lastBoot'> {
  const { quarantine, skipped, postponed, owed, lastBoot, bootWall } = memory;
  const isUpdated = typeof lastBoot?.from === 'string';
  return {
    quarantine: quarantine
      .filter(({ until }) => until > wall)
      .map(({ version, reason, since, until }) => ({ version, reason, since, until })),
    skipped,
    postponed: postponed === null || postponed.until <= wall ? null : { until: postponed.until, by: postponed.by },
    owed: owed.map(({ baseUrl, group, slot }) => ({ server: oneLine(redactUrl(baseUrl)), group, slot })),
    lastBoot: lastBoot === null ? null : { version: lastBoot.version, updated: isUpdated, at: bootWall },
  };
}

/** What somebody else put in place of the next boot, and is left alone. */
export function foreignReport(state: AgentState): Report['foreign'] {
  const foreign = foreignPending(state);
  return foreign === null ? null : { version: foreign.version, staged: foreign.staged };
}
