import { utc } from '../base/text.ts';
import type { Choice, DeniedRelease, Verdict } from './choose.ts';
import type { RolloutWait } from './wait.ts';

const MOST_DENIED = 3;

/** What the graph said, in one sentence: the update that it offers, or why there is none. */
export function explainChoice(choice: Choice): string {
  if (choice.target === null) return explainVerdict(choice.verdict);
  const { release, denied } = choice;
  const barrier = release.barrier === null ? '' : ` (a barrier: ${release.barrier})`;
  const passed = denied.length === 0 ? '' : `; passed over: ${explainDenied(denied)}`;
  return `update to ${release.version}${barrier}${passed}`;
}

/** Why there is no update, in one sentence for status and log: what holds, until when, what would change it. */
export function explainVerdict(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'notInGraph':
      return explainMissing(verdict);
    case 'deadEnd':
      return `${verdict.version} is a dead end (${verdict.reason}): no update leads away from it`;
    case 'newest':
      return `${verdict.version} is the newest release`;
    case 'rollout':
      return explainWait(verdict.wait);
    case 'noPath':
      return `the update graph has newer releases (up to ${verdict.newest}), but no way from ${verdict.version} to them`;
    case 'denied': {
      const blocking = verdict.denied.find(({ barrier }) => barrier);
      const blocked =
        blocking === undefined ? '' : `; ${blocking.version} is a barrier, nothing behind it can be reached`;
      const next = verdict.wait === null ? '' : `; ${explainWait(verdict.wait)}`;
      return `no update is left to take: ${explainDenied(verdict.denied)}${blocked}${next}`;
    }
    case 'downgradeRefused':
      return (
        `the update graph offers only ${verdict.offered}, which is not newer than ${verdict.version}: ` +
        'refused unless updates.allow_downgrade is set'
      );
  }
}

function explainMissing({ empty, unusable }: Extract<Verdict, { kind: 'notInGraph' }>): string {
  if (unusable !== undefined) {
    return `none of the ${unusable} nodes of the update graph can be used here: they are of the other scheme, or malformed`;
  }
  return empty
    ? 'the update graph is empty: the server may not have read its data yet'
    : 'the booted release is not in the update graph: no update until it is listed there';
}

function explainDenied(denied: readonly DeniedRelease[]): string {
  const named = denied.slice(0, MOST_DENIED).map(({ version, denial }) => `${version} is ${explainDenial(denial)}`);
  const rest = denied.length - named.length;
  return rest === 0 ? named.join(', ') : `${named.join(', ')}, and ${rest} more`;
}

function explainDenial({ kind, reason }: DeniedRelease['denial']): string {
  if (kind === 'local') return `not taken again (${reason})`;
  return reason.startsWith(`${kind} `) ? reason : `${kind} (${reason})`;
}

function explainWait({ version, state, at, share, wariness }: RolloutWait): string {
  const when = at === null ? 'never' : utc(at);
  const here = `this host's wariness is ${warinessText(wariness)}`;
  switch (state) {
    case 'notStarted':
      return `${version} reaches this host at about ${when} (its rollout has not started, ${here})`;
    case 'notReached':
      return `${version} reaches this host at about ${when} (rollout at ${percent(share)}, ${here})`;
    case 'paused':
      return `${version} does not reach this host: its rollout is paused at ${percent(share)}, ${here}`;
    case 'due':
      return `${version} should reach this host by now (rollout at ${percent(share)}, ${here}), but is not offered yet`;
  }
}

/** Rounded down: what is not complete must not read so. */
function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

function warinessText(wariness: number): string {
  return wariness < 0.01 ? 'below 0.01' : String(Math.round(wariness * 100) / 100);
}
