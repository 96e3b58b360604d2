import type { Instant } from '../../base/clock.ts';
import { utc } from '../../base/text.ts';
import { visible, wrap } from '../../host/terminal-text.ts';
import { isClosed } from '../gates/gate.ts';
import { gatesOf } from '../machine/explain.ts';
import { pauseAt } from '../machine/memory.ts';
import type { AgentState, TroubleSource } from '../machine/state.ts';

const MOST_LINES = 6;
/** Characters of one entry: about two lines and a half, so that an address in it is whole. */
const MOST_CHARACTERS = 190;
/** Milliseconds after which an error concerns people who log in for something else. */
const LONG_MS = 3_600_000;

/**
 * What those who log in are told, or null when there is nothing that matters: at most 6 lines of 79 characters (longer
 * only by a word that is longer), each with its line feed, the most important first. Times are UTC, and such as are known.
 */
export function motdOf(state: AgentState, at: Instant): string | null {
  const entries = [
    ...deadEnd(state),
    ...unhealthy(state),
    ...pendingReboot(state, at),
    ...pause(state, at),
    ...troubles(state, at),
    ...quarantine(state, at),
  ];
  return entries.length === 0 ? null : `${shorten(entries).join('\n')}\n`;
}

function shorten(entries: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const wrapped = wrap(`holdpoint: ${entry}`);
    const rest = entries.length - index;
    if (lines.length + wrapped.length > MOST_LINES - (rest === 1 ? 0 : 1)) {
      return [...lines, `holdpoint: and ${rest} more: holdpoint status`];
    }
    lines.push(...wrapped);
  }
  return lines;
}

/** An entry; of `text`, which comes from outside, as much as there is room for. */
function entry(head: string, text: string, tail: string): string {
  return head + visible(text, Math.max(20, MOST_CHARACTERS - head.length - tail.length)) + tail;
}

function name(text: string): string {
  return visible(text, 40);
}

function deadEnd({ check, settings }: AgentState): readonly string[] {
  const verdict = check?.verdict;
  if (verdict?.kind !== 'deadEnd' || !settings.enabled) return [];
  const head = `${name(verdict.version)} is a dead end, no update leads away from it: `;
  return [entry(head, verdict.reason, '. Rebase this host by hand, or set it up anew')];
}

function unhealthy({ troubles: { health }, memory }: AgentState): readonly string[] {
  if (health === undefined) return [];
  const slot = memory.owed.find((report) => report.slot);
  const kept = slot === undefined ? '' : `; the slot of group ${name(slot.group)} is kept`;
  return [entry('this boot is not healthy: ', health.text, `${kept}. See: systemctl --failed`)];
}

function pendingReboot(state: AgentState, at: Instant): readonly string[] {
  const { phase, stopping, settings, pending } = state;
  if (phase.name !== 'holding' && phase.name !== 'releasing' && phase.name !== 'rebooting') return [];
  const version = name(phase.target.version);
  if (phase.name === 'rebooting') return [`this host is being rebooted into ${version}`];
  if (stopping !== null) {
    return [`${version} is staged, and the agent is stopped: nothing decides about the reboot into it`];
  }
  if (phase.name === 'releasing' && pending.lock !== undefined) {
    return [`${version} is staged; the reboot waits for a slot of group ${name(settings.lock?.group ?? '')}`];
  }
  const [first, ...more] = gatesOf(state, at).filter(isClosed);
  if (first === undefined || phase.name === 'releasing') return [`this host is about to be rebooted into ${version}`];
  const until = first.opensAt === undefined ? '' : `, until ${utc(first.opensAt)}`;
  const others = more.length === 0 ? '' : ` (and ${more.length} more: holdpoint status)`;
  return [entry(`${version} is staged; the reboot waits: `, first.reason, until + others)];
}

/** Where a release is staged, it is among what the reboot waits for. */
function pause({ memory, phase, settings }: AgentState, at: Instant): readonly string[] {
  const isIdle = phase.name === 'watching' || phase.name === 'staging';
  const inForce = pauseAt(memory, at.wall);
  if (inForce === null || !isIdle || !settings.enabled) return [];
  const { until, reason, by } = inForce;
  const why = reason === '' ? '' : ` (${visible(reason, 60)})`;
  const end = until === null ? '. To end it: holdpoint resume' : `, until ${utc(until)}`;
  return [`${visible(by, 30)} has paused the reboots of this host${why}${end}`];
}

/** What is wrong, and what can be done about it. An unhealthy boot has an entry of its own. */
const ADVICE: Readonly<Record<Exclude<TroubleSource, 'health'>, readonly [string, string]>> = {
  host: ['rpm-ostree does not answer', 'systemctl status rpm-ostreed'],
  around: ['the surroundings cannot be read', 'systemctl status systemd-logind'],
  graph: ['the update graph cannot be read', 'look at the network and at cincinnati.base_url'],
  stage: ['the next release cannot be staged', 'rpm-ostree status'],
  discard: ['a staged release cannot be removed', 'rpm-ostree cleanup -p'],
  finalize: ['the staged release cannot be finalized', 'journalctl -u rpm-ostreed'],
  reboot: ['the reboot does not come', 'systemctl list-jobs'],
  slot: ['the lock server gives no slot', 'look at updates.fleet_lock'],
  report: ['the lock server does not know that this host is steady', 'look at updates.fleet_lock'],
  memory: ['the state cannot be written', 'df /var/lib/holdpoint'],
  undo: ['what the pre-reboot hooks did is not undone', 'look at the reboot-cancelled hooks'],
  rollback: ['this host cannot go back to the release before', 'rpm-ostree status'],
};

function troubles(state: AgentState, at: Instant): readonly string[] {
  // Nobody tries again while the agent is stopped: the times would be of yesterday.
  if (state.stopping !== null) return [];
  return Object.entries(ADVICE).flatMap(([source, [what, todo]]) => {
    const trouble = state.troubles[source as TroubleSource];
    if (trouble === undefined || at.mono - trouble.since.mono < LONG_MS) return [];
    return [entry(`${what} since ${utc(trouble.since.wall)}: `, trouble.text, `. To do: ${todo}`)];
  });
}

function quarantine({ memory }: AgentState, at: Instant): readonly string[] {
  return memory.quarantine
    .filter(({ until }) => until > at.wall)
    .map(({ version, reason, until }) =>
      entry(`${name(version)} is kept away from this host until ${utc(until)}: `, reason, ''),
    );
}
