import { oneLine } from '../../base/text.ts';
import { momentText, type ZoneClock } from '../local-time.ts';
import type { GraphView, NodeView, RolloutView } from './view.ts';

/** The colour and the mark of a release: what matters most about it. */
export type Kind = 'start' | 'deadEnd' | 'barrier' | 'rollout' | 'plain';

/** What matters most about a release. */
export function kindOf({ role, deadEnd, barrier, rollout }: NodeView): Kind {
  if (deadEnd !== null) return 'deadEnd';
  if (role === 'start') return 'start';
  if (barrier !== null) return 'barrier';
  return rollout !== null && rollout.state !== 'here' ? 'rollout' : 'plain';
}

/** What is to be said of a release, most important first; none for an ordinary one. */
export function remarks(node: NodeView, booted: boolean, clock: ZoneClock): readonly string[] {
  return [
    ...(node.role === 'start' ? [booted ? 'this host runs it' : 'the start'] : []),
    ...(node.deadEnd === null ? [] : [`dead end: ${oneLine(node.deadEnd)}`]),
    ...(node.barrier === null ? [] : [`barrier: ${oneLine(node.barrier)}`]),
    ...(node.rollout === null || node.role === 'start' || isOver(node.rollout)
      ? []
      : [rolloutText(node.rollout, clock)]),
    ...(node.newest ? ['the newest release'] : []),
  ];
}

function isOver({ state, share }: RolloutView): boolean {
  return state === 'here' && share === 1;
}

/** How a rollout stands for this host. */
function rolloutText({ state, at, share }: RolloutView, clock: ZoneClock): string {
  const percent = `${Math.floor(share * 100)} %`;
  switch (state) {
    case 'here':
      return `rollout at ${percent}, this host is in it`;
    case 'paused':
      return `rollout paused at ${percent}, does not reach this host`;
    case 'notReached':
      return `rollout at ${percent}, reaches this host at about ${minuteText(clock, at)}`;
    case 'notStarted':
      return `rollout not started, reaches this host at about ${minuteText(clock, at)}`;
  }
}

/** The next full minute: more would not be true of what is about. */
function minuteText(clock: ZoneClock, at: number | null): string {
  return momentText(clock, Math.ceil((at ?? 0) / 60_000) * 60_000);
}

/** The whole in one sentence, without a full stop. */
export function headline({ from, path, nodes, all, releases, edges }: GraphView): string {
  const hops = Math.max(0, path.length - 1);
  const last = nodes[path.at(-1) ?? -1];
  const barriers = path.slice(1).filter((place) => nodes[place]?.barrier !== null).length;
  const whole = `${count(releases, 'release')} and ${count(edges.length, 'edge')}`;
  if (from === null || last === undefined) return whole;
  const way =
    hops === 0
      ? `Nothing to update to from ${from}`
      : `From ${from} to ${last.version}: ${count(hops, 'update')}, ${count(barriers, 'barrier')}`;
  return all ? `${way} (of ${whole})` : `${way} (of ${count(releases, 'release')} in the graph)`;
}

/** Releases that are passed over, in few words. */
export function skipsText(skips: readonly string[]): string {
  const [first, last] = [skips[0], skips.at(-1)];
  if (first === undefined || last === undefined) return '';
  if (skips.length <= 2) return `skips ${skips.join(' and ')}`;
  return `skips ${skips.length}, ${first} to ${last}`;
}

/** `1 release`, `2 releases`. */
export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
