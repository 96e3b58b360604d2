import type { HookEvent } from '../../hooks/event.ts';
import type { BootHealth } from '../../host/systemd/health.ts';
import { closed, type GateVerdict, open } from './gate.ts';
import { type GateInputs, lookAgainFor } from './inputs.ts';

/** A boot that is not what it should be is not left by the next update: the release, or this host, has a fault. */
export function healthGate(inputs: GateInputs): GateVerdict {
  const reason = whyNotHealthy(inputs);
  return reason === null ? open('health') : closed('health', reason, 'a healthy boot');
}

/** What this boot lacks to be known as what it should be, as a clause, or null. */
export function whyNotHealthy({
  memory,
  settings,
  around,
}: Pick<GateInputs, 'settings' | 'memory' | 'around'>): string | null {
  if (settings.around === null) return null;
  const health = healthOf(memory, around);
  return health.kind === 'healthy' ? null : `${WHAT[health.kind]}: ${health.reason}`;
}

const WHAT = {
  waiting: 'this boot is not complete yet',
  unhealthy: 'this boot is not healthy',
  unknown: 'whether this boot is still healthy is not known at the moment',
} as const;

/** True when there are hooks for an event. */
export function hasHooks({ settings, around }: Pick<GateInputs, 'settings' | 'around'>, event: HookEvent): boolean {
  return settings.around !== null && around?.hooks.includes(event) === true;
}

/**
 * Whether this boot is healthy, its `post-boot` hooks included. In doubt nothing is given back: one that was never healthy
 * is waited for. One that was is not said to be unhealthy because nobody can be asked for a moment.
 */
export function healthOf(
  { postBoot, wasHealthy }: Pick<GateInputs['memory'], 'postBoot' | 'wasHealthy'>,
  around: GateInputs['around'],
): BootHealth {
  if (around === null) return { kind: 'waiting', reason: 'nothing has been read yet' };
  if (around.boot.kind === 'unknown' && !wasHealthy) return { ...around.boot, kind: 'waiting' };
  if (around.boot.kind !== 'healthy') return around.boot;
  if (!around.hooks.includes('post-boot') || postBoot.passed) return { kind: 'healthy' };
  if (postBoot.problem === null) return { kind: 'waiting', reason: 'the post-boot hooks have not run yet' };
  // Nobody knows what it would say: that is no fault of the boot.
  if (postBoot.notRun) return { kind: 'waiting', reason: `post-boot hook ${postBoot.problem}` };
  return { kind: 'unhealthy', reason: `post-boot hook ${postBoot.problem}` };
}

/** Why nobody can tell whether this boot is what it should be, as a clause, or null. */
export function whyUnclear({ memory, around }: Pick<GateInputs, 'memory' | 'around'>): string | null {
  if (around?.boot.kind === 'unknown') return around.boot.reason;
  const { problem, notRun } = memory.postBoot;
  const isAsked = around?.boot.kind === 'healthy' && around.hooks.includes('post-boot');
  return isAsked && notRun && problem !== null ? `post-boot hook ${problem}` : null;
}

/** True when this boot is known to be what it should be. */
export function isHealthy({ settings, memory, around }: Pick<GateInputs, 'settings' | 'memory' | 'around'>): boolean {
  return whyNotHealthy({ settings, memory, around }) === null;
}

/** Somebody blocks shutdowns (`systemd-inhibit --mode=block`); rpm-ostree would refuse, too. */
export function inhibitorsGate({ settings, around }: GateInputs): GateVerdict {
  if (settings.around?.inhibitors !== true || around === null) return open('inhibitors');
  const [first, ...more] = around.blockers;
  if (first === undefined) return open('inhibitors');
  const others = more.length === 0 ? '' : `, and ${more.length} more`;
  return closed('inhibitors', `${first.who} blocks shutdowns (${first.why})${others}`, 'the end of the inhibitor lock');
}

/** Markers in `holds.d`. */
export function holdsGate(inputs: GateInputs): GateVerdict {
  const { at, settings, around } = inputs;
  if (settings.around === null || around === null) return open('holds');
  const holds = around.holds.filter(({ until }) => until === null || until > at.wall);
  const [first, ...more] = holds;
  if (first === undefined) return open('holds');
  const others = more.length === 0 ? '' : `, and ${more.length} more`;
  const ends = holds.flatMap(({ until }) => until ?? []);
  const last = ends.length === holds.length ? { opensAt: Math.max(...ends) } : {};
  return {
    ...closed(
      'holds',
      `held by ${first.name} (${first.reason})${others}`,
      'the removal of the markers in holds.d',
      ends.length === 0 ? null : lookAgainFor(inputs, Math.min(...ends)),
    ),
    ...last,
  };
}

/** A battery may not last for the reboot. */
export function powerGate({ settings, around }: GateInputs): GateVerdict {
  if (settings.around?.requireAc !== true || around?.power !== 'battery') return open('power');
  return closed('power', 'this host runs on battery', 'AC power');
}

/** What the `may-reboot` hooks refused, until they say otherwise. They are asked when everything else allows the reboot. */
export function hooksGate(inputs: GateInputs): GateVerdict {
  const { hooks } = inputs;
  const refusal = hooks?.refusal ?? null;
  if (!hasHooks(inputs, 'may-reboot') || hooks === null || refusal === null) return open('hooks');
  return closed('hooks', `may-reboot hook ${refusal}`, 'another answer of the hook', hooks.until);
}
