import { oneLine } from '../../base/text.ts';
import { type Metric, counter, gauge, seconds } from './metric.ts';
import type { Scene } from './samples.ts';

/** The metrics that zincati has too, where they mean the same here. Its names are kept as they are. */
export function zincatiMetrics(scene: Scene): readonly Metric[] {
  return [...agent(scene), ...graph(scene), ...host(scene), ...rpmOstree(scene)];
}

function agent({ state, counts, strategy }: Scene): readonly Metric[] {
  const name = (last: string): string => `zincati_update_agent_${last}`;
  const { seenAt } = counts;
  const last = seenAt === null ? null : seconds(seenAt.wall);
  return [
    gauge(name('last_refresh_timestamp'), 'When the agent last took a step; within the last hour.', last),
    gauge(name('latest_state_change_timestamp'), 'When the state was entered.', seconds(state.since.wall)),
    gauge(name('updates_enabled'), 'Whether updates are enabled.', Number(state.settings.enabled)),
    gauge(name('updates_allow_downgrade'), 'Whether downgrades are allowed.', Number(state.settings.allowDowngrade)),
    counter(name('finalization_successes'), 'Finalize calls that rpm-ostree has acknowledged.', counts.finalized),
    gauge(
      'zincati_updates_strategy_mode',
      'The strategies in use.',
      strategy.map((one) => ({ labels: { strategy: one }, value: 1 })),
    ),
  ];
}

function graph({ state, counts }: Scene): readonly Metric[] {
  const name = (last: string): string => `zincati_cincinnati_${last}`;
  const errors = counts.failed.filter(({ kind }) => kind === 'fetchGraph');
  const isDeadEnd = state.check === null ? null : Number(state.check.verdict?.kind === 'deadEnd');
  return [
    gauge(name('graph_nodes_count'), 'Releases in the update graph.', counts.graph?.releases ?? null),
    gauge(name('graph_edges_count'), 'Edges in the update graph.', counts.graph?.edges ?? null),
    gauge(name('booted_release_is_deadend'), 'Whether the booted release is a dead end.', isDeadEnd),
    counter(name('update_checks_total'), 'Questions to the update server.', counts.begun.fetchGraph ?? 0),
    counter(
      name('update_checks_errors_total'),
      'Questions to the update server that failed.',
      errors.map((one) => ({ labels: { kind: one.class }, value: one.count })),
    ),
  ];
}

function host({ host: description, state }: Scene): readonly Metric[] {
  const name = (last: string): string => `zincati_identity_${last}`;
  const info = (found: NonNullable<Scene['host']>): Metric => {
    const { osVersion, basearch, stream, platform } = found;
    const labels = { os_version: oneLine(osVersion, 128), basearch, stream, platform };
    return gauge(name('os_info'), 'Always 1; its labels tell what runs here.', [{ labels, value: 1 }]);
  };
  const { wariness } = state.settings;
  return [
    ...(description === null ? [] : [info(description)]),
    gauge(name('rollout_wariness'), 'How late in a rollout this host wants a release, if configured.', wariness),
  ];
}

function rpmOstree({ counts }: Scene): readonly Metric[] {
  const { begun, failed } = counts;
  const failures = (kind: 'stage' | 'finalize'): number =>
    failed.filter((one) => one.kind === kind).reduce((sum, { count }) => sum + count, 0);
  const name = (last: string): string => `zincati_rpm_ostree_${last}_total`;
  return [
    counter(name('deploy_attempts'), 'Releases that were to be staged.', begun.stage ?? 0),
    counter(name('deploy_failures'), 'Of these, those that were not.', failures('stage')),
    counter(name('finalize_attempts'), 'Finalize calls.', begun.finalize ?? 0),
    counter(name('finalize_failures'), 'Finalize calls that failed, or whose end is not known.', failures('finalize')),
  ];
}
