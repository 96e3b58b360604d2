import type { Instant } from '../../base/clock.ts';
import { oneLine } from '../../base/text.ts';
import type { Verdict } from '../../graph/choose.ts';
import type { HostDescription } from '../../host/identity/parse.ts';
import type { BootHealth } from '../../host/systemd/health.ts';
import { healthOf } from '../gates/surroundings.ts';
import { gatesOf } from '../machine/explain.ts';
import type { AgentState, AsyncKind, PhaseName, TroubleSource } from '../machine/state.ts';
import type { Counts } from './counts.ts';
import { type Metric, type Sample, counter, gauge, oneOfThem, seconds } from './metric.ts';
import { zincatiMetrics } from './zincati.ts';

/** What metrics are made of. */
export interface Scene {
  readonly state: AgentState;
  readonly counts: Counts;
  readonly at: Instant;
  /** As configured. */
  readonly strategy: readonly string[];
  /** What this host is; null before it was read. */
  readonly host: HostDescription | null;
  /** Of this program. */
  readonly version: string;
}

/** All metrics of the agent, but for those that the operating system knows. */
export function metricsOf(scene: Scene): readonly Metric[] {
  return [
    gauge('holdpoint_build_info', 'Always 1; its label tells the version.', info({ version: scene.version })),
    ...phaseMetrics(scene),
    ...gateMetrics(scene),
    ...releaseMetrics(scene),
    ...slotMetrics(scene),
    ...troubleMetrics(scene),
    ...aroundMetrics(scene),
    ...workMetrics(scene),
    ...zincatiMetrics(scene),
  ];
}

const PHASES: Readonly<Record<PhaseName, null>> = {
  starting: null,
  disabled: null,
  watching: null,
  staging: null,
  holding: null,
  releasing: null,
  rebooting: null,
};

const VERDICTS: Readonly<Record<Verdict['kind'] | 'update', null>> = {
  update: null,
  notInGraph: null,
  deadEnd: null,
  newest: null,
  rollout: null,
  noPath: null,
  denied: null,
  downgradeRefused: null,
};

const SOURCES: Readonly<Record<TroubleSource, null>> = {
  host: null,
  around: null,
  graph: null,
  stage: null,
  discard: null,
  finalize: null,
  reboot: null,
  slot: null,
  report: null,
  memory: null,
  undo: null,
  health: null,
  rollback: null,
};

const WORK: Readonly<Record<AsyncKind, null>> = {
  look: null,
  lookAround: null,
  fetchGraph: null,
  stage: null,
  discard: null,
  finalize: null,
  lock: null,
  report: null,
  hooks: null,
  rollback: null,
};

const HEALTH: Readonly<Record<BootHealth['kind'], null>> = {
  healthy: null,
  waiting: null,
  unhealthy: null,
  unknown: null,
};

function info(labels: Readonly<Record<string, string>>): readonly Sample[] {
  return [{ labels, value: 1 }];
}

function phaseMetrics({ state, counts, at }: Scene): readonly Metric[] {
  const { phase, since, wakeAt } = state;
  const { pendingSince } = counts;
  const next = wakeAt === null ? null : seconds(at.wall + (wakeAt - at.mono));
  return [
    gauge(
      'holdpoint_state',
      'The state of the agent: 1 for the current one.',
      oneOfThem('state', Object.keys(PHASES), phase.name),
    ),
    gauge('holdpoint_state_since_timestamp_seconds', 'When the state was entered.', seconds(since.wall)),
    gauge(
      'holdpoint_update_pending_since_timestamp_seconds',
      'Since when a staged update waits for its reboot; missing when none does.',
      pendingSince === null ? null : seconds(pendingSince),
    ),
    gauge(
      'holdpoint_next_evaluation_timestamp_seconds',
      'When the agent looks again by itself; missing while it waits for something to happen.',
      next,
    ),
  ];
}

function gateMetrics({ state, at }: Scene): readonly Metric[] {
  const gates = gatesOf(state, at);
  return [
    gauge(
      'holdpoint_gate_open',
      'Whether a gate allows the reboot.',
      gates.map(({ gate, open }) => ({ labels: { gate }, value: Number(open) })),
    ),
    gauge(
      'holdpoint_gate_opens_timestamp_seconds',
      'When a closed gate opens by itself, where that is known.',
      gates.flatMap((verdict) =>
        verdict.open || verdict.opensAt === undefined
          ? []
          : [{ labels: { gate: verdict.gate }, value: seconds(verdict.opensAt) }],
      ),
    ),
  ];
}

function releaseMetrics({ state, at }: Scene): readonly Metric[] {
  const { host, phase, check, memory } = state;
  const booted = host?.booted?.version ?? null;
  const target = 'target' in phase ? phase.target.version : null;
  const version = (text: string | null): readonly Sample[] =>
    text === null ? [] : info({ version: oneLine(text, 128) });
  const verdict = check === null ? [] : oneOfThem('verdict', Object.keys(VERDICTS), check.verdict?.kind ?? 'update');
  const kept = memory.quarantine.filter(({ until }) => until > at.wall);
  return [
    gauge('holdpoint_booted_release_info', 'Always 1; its label tells the booted release.', version(booted)),
    gauge('holdpoint_target_release_info', 'Always 1; its label tells the release that is wanted.', version(target)),
    gauge('holdpoint_graph_verdict', 'What the last good graph said: 1 for that.', verdict),
    gauge(
      'holdpoint_graph_read_timestamp_seconds',
      'When the update graph was last read.',
      check === null ? null : seconds(check.at.wall),
    ),
    gauge('holdpoint_quarantined_releases', 'Releases that are kept away from this host for a time.', kept.length),
    gauge('holdpoint_skipped_releases', 'Releases that an administrator does not want.', memory.skipped.length),
  ];
}

function slotMetrics({ state, counts }: Scene): readonly Metric[] {
  const { slot, owed } = state.memory;
  const { granted, refused } = counts.slots;
  return [
    gauge(
      'holdpoint_slot_since_timestamp_seconds',
      "Since when the fleet's slot is held, or was asked for and may be held.",
      slot === null ? [] : [{ labels: { group: slot.group, state: slot.state }, value: seconds(slot.since) }],
    ),
    gauge(
      'holdpoint_slots_to_give_back',
      'Slots that no lock server has confirmed to be free again.',
      owed.filter((report) => report.slot).length,
    ),
    counter('holdpoint_slot_answers_total', 'Answers of lock servers to the question for a slot.', [
      { labels: { answer: 'granted' }, value: granted },
      { labels: { answer: 'refused' }, value: refused },
    ]),
  ];
}

function troubleMetrics({ state }: Scene): readonly Metric[] {
  const sources = Object.keys(SOURCES) as TroubleSource[];
  return [
    gauge(
      'holdpoint_trouble_failures',
      'Failures in a row, by what they concern; 0: the last one went well.',
      sources.map((source) => ({ labels: { source }, value: state.troubles[source]?.count ?? 0 })),
    ),
    gauge(
      'holdpoint_trouble_since_timestamp_seconds',
      'When the first of these failures was; missing where there is none.',
      sources.flatMap((source) => {
        const trouble = state.troubles[source];
        return trouble === undefined ? [] : [{ labels: { source }, value: seconds(trouble.since.wall) }];
      }),
    ),
  ];
}

function aroundMetrics({ state }: Scene): readonly Metric[] {
  const { around, settings, memory, drivers } = state;
  const health =
    settings.around === null ? [] : oneOfThem('health', Object.keys(HEALTH), healthOf(memory, around).kind);
  return [
    gauge('holdpoint_boot_health', 'What is known of this boot: 1 for that.', health),
    gauge(
      'holdpoint_sessions',
      'Sessions of people that count; missing when that is not known.',
      around?.people?.length ?? null,
    ),
    gauge(
      'holdpoint_other_driver_info',
      'Always 1; its label tells what else updates or reboots this host.',
      drivers.map(({ name }) => ({ labels: { name: oneLine(name, 128) }, value: 1 })),
    ),
  ];
}

function workMetrics({ counts }: Scene): readonly Metric[] {
  const kinds = Object.keys(WORK) as AsyncKind[];
  return [
    counter(
      'holdpoint_operations_total',
      'Work that was begun.',
      kinds.map((operation) => ({ labels: { operation }, value: counts.begun[operation] ?? 0 })),
    ),
    counter(
      'holdpoint_operation_failures_total',
      'Work that failed, by the class of the failure.',
      counts.failed.map((one) => ({ labels: { operation: one.kind, class: one.class }, value: one.count })),
    ),
  ];
}
