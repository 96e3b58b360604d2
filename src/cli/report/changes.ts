import { closedGates } from '../../agent/report/answer.ts';
import type { GateReport, Report } from '../../agent/report/report.ts';
import type { LocalTime } from './local-time.ts';

/** Gates that are about time and patience: an administrator can pass them. */
const PATIENCE: ReadonlySet<string> = new Set(['freeze', 'clock', 'window', 'uptime', 'postponed', 'people']);
/** States in which the gates are what keeps the reboot back. */
const GATED: ReadonlySet<string> = new Set(['disabled', 'holding', 'releasing', 'rebooting']);

/** Nothing can be changed about what is past. */
function isPast({ at, now: today }: Report): boolean {
  return at < today;
}

/** What people can do, or look at, to change it; nothing where nothing is to be done. */
export function changesOf(report: Report, time: LocalTime): readonly string[] {
  if (isPast(report) || report.stopping !== null) return [];
  const closed = GATED.has(report.state) || report.at !== report.now ? closedGates(report) : [];
  return [
    ...closed.flatMap(({ gate, how }) => (how === null || isBroken(report, gate) ? [] : [how])),
    ...now(report, closed),
    ...byVerdict(report),
    ...byTarget(report),
    ...report.troubles.map(({ what, mends }) => `${what}: ${time.text(mends)}`),
    ...[...report.quarantine.map(({ version }) => version), ...report.skipped].map(
      (version) => `to take ${version} all the same: holdpoint unskip ${version}`,
    ),
    ...report.drivers.map(({ advice }) => advice),
  ];
}

/** What mends it is said below. */
function isBroken({ troubles }: Report, gate: string): boolean {
  return troubles.some(({ source }) => source === gate);
}

/** Where patience alone is asked for. */
function now(
  { postponeAllowedSecs, state, at, now: today, updateNow }: Report,
  closed: readonly GateReport[],
): readonly string[] {
  if (at !== today || !GATED.has(state)) return [];
  const isPatience = closed.length > 0 && closed.every(({ gate }) => PATIENCE.has(gate));
  const isAboutTo = closed.length === 0 && (state === 'releasing' || state === 'holding');
  return [
    ...(isPatience ? ['to reboot in spite of that: holdpoint update --now'] : []),
    ...(postponeAllowedSecs > 0 && isAboutTo && updateNow === null
      ? ['to let it wait for longer: holdpoint postpone']
      : []),
    ...(updateNow === null ? [] : ['to withdraw the order: holdpoint cancel']),
  ];
}

const VERDICTS: Readonly<Record<string, string>> = {
  deadEnd:
    'a release that leads on in the update graph; or by hand: rpm-ostree rebase (the notes of the release say to what)',
  noPath: 'an edge in the update graph; it may be that a release between was withdrawn, and comes back',
  notInGraph: 'another stream or graph, if this host is to have one: identity.stream, cincinnati.base_url',
  downgradeRefused: 'updates.allow_downgrade = true, if an older release is wanted',
  rollout: 'a lower identity.rollout_wariness takes releases earlier',
};

function byVerdict({ state, check, foreign, source }: Report): readonly string[] {
  if (state !== 'watching') return [];
  if (source === 'staged' && foreign === null)
    return [
      'a deployment that somebody stages (rpm-ostree upgrade, for example); or, to follow an update graph: updates.source = "graph"',
    ];
  if (foreign !== null)
    return [`what somebody else staged: rpm-ostree status shows it, rpm-ostree cleanup -p removes it`];
  return [VERDICTS[check?.kind ?? ''] ?? []].flat();
}

function byTarget({ target }: Report): readonly string[] {
  const isMetered = target?.waits?.includes('updates.network.avoid_metered') === true;
  return isMetered
    ? ['a network that is not metered; or, if it may be fetched over this one: updates.network.avoid_metered = false']
    : [];
}
