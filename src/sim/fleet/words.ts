import { duration } from '../../base/text.ts';
import type { FleetEvent, FleetPlan } from './events.ts';

/** What is about to be shown, in two lines. */
export function opening({ hosts, slots, store, hops, to }: FleetPlan): string {
  const where = store === 'etcd' ? 'etcd' : 'embedded store';
  return `${count(hosts.length, 'simulated host')} with real agents, ${count(hops, 'hop')} below ${to}.
A lock manager (${where}) grants ${count(slots, 'slot')} for reboots. Ctrl-C ends it.`;
}

/** How it went, in one line. */
export function closing(event: Extract<FleetEvent, { event: 'end' }>, plan: FleetPlan, ms: number): string {
  if (!event.ok) return `The demo ended early: ${event.error}.`;
  const { from, to, reboots, most, gapMs, gaps } = event;
  const hosts = count(plan.hosts.length, 'host');
  const climbed = `${hosts} went from ${from} to ${to} in ${count(reboots, 'reboot')} and ${duration(ms)}.`;
  const down = `At most ${most} ${most === 1 ? 'was' : 'were'} down at once (${count(plan.slots, 'slot')})`;
  const next =
    gapMs === null
      ? 'nobody had to wait'
      : `the next reboot began ${Math.round(gapMs)} ms after a slot was free (median of ${gaps})`;
  return `${climbed} ${down}; ${next}.`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
