import { duration, oneLine } from '../base/text.ts';
import { positionOf } from '../graph/lookup.ts';
import type { Graph, Target } from '../graph/types.ts';
import { explainVerdict } from '../graph/why.ts';
import { bootedRelease } from '../agent/machine/watch.ts';
import type { Effect } from '../agent/machine/effect.ts';
import type { EventKind } from '../agent/machine/event.ts';
import type { AgentState, TroubleSource } from '../agent/machine/state.ts';
import type { Sight } from './drive.ts';
import type { NewStep } from './step.ts';
import type { World } from './world.ts';

/** Something worth telling. Those with one key are repetitions of each other. */
export interface Told {
  readonly key: string;
  readonly step: NewStep;
}

/** What a step of the machine is worth telling of, in order. */
export function stepsIn(sight: Sight, world: World): readonly Told[] {
  const { before, event, after, effects } = sight;
  const ofEvent = EVENTS[event.kind]?.(sight, world) ?? null;
  const began = effects.map((effect) => ofEffect(effect, after, world));
  const troubles = before.troubles === after.troubles ? [] : newTroubles(before, after);
  return [ofEvent, ...began, ...troubles].flatMap((step) => (step === null ? [] : { key: keyOf(step), step }));
}

function keyOf({ kind, release, text }: NewStep): string {
  // Of rollouts the share grows with each look, and of questions the time that is left: that is no news.
  return kind === 'trouble' || kind === 'tell' ? text : `${kind} ${release ?? ''}`;
}

function firstSentence(text: string): string {
  return text.split(/(?<=\.) /)[0] ?? text;
}

type Tell = (sight: Sight, world: World) => NewStep | null;

const EVENTS: Readonly<Partial<Record<EventKind, Tell>>> = {
  started: (sight, world) => booted(sight, world),
  graphRead: check,
  staged: (sight) => ({
    ...NOTHING,
    kind: 'staged',
    release: target(sight.before),
    text: `${target(sight.before) ?? ''} is staged`,
  }),
  slotGranted: (sight) => ({ ...NOTHING, kind: 'granted', release: target(sight.after), text: 'the slot is granted' }),
  slotRefused: ({ before, event }) => {
    const text = event.kind === 'slotRefused' ? `the slot is refused: ${event.text}` : '';
    return { ...NOTHING, kind: 'refused', release: target(before), text };
  },
};

const NOTHING = { release: null, next: null };

/** What was finalized runs now; before the first look at the host, only the record of it knows. */
function booted({ before, after }: Sight, { from }: World): NewStep {
  const { finalize } = before.memory;
  const version = finalize?.target.version ?? from.version;
  const text = finalize === null ? `the agent starts; ${version} is running` : `boots ${version}; the agent starts`;
  return { kind: 'boot', release: version, text, next: wallOf(after.due.poll, after) };
}

/** What the graph says, where that is news: another target, or why there is none. */
function check({ before, after, event }: Sight, { graph }: World): NewStep | null {
  const next = wallOf(after.due.poll, { since: event.at });
  const verdict = after.check?.verdict ?? null;
  if (verdict !== null && after.phase.name === 'watching') {
    const release = 'version' in verdict ? verdict.version : null;
    return { kind: 'check', release, text: `checks the graph: ${explainVerdict(verdict)}`, next };
  }
  const chosen = 'target' in after.phase ? after.phase.target : null;
  if (chosen === null || chosen.version === target(before)) return null;
  const instead = target(before);
  const text = `checks the graph: ${offer(graph, after, chosen)}${instead === null ? '' : `, in place of ${instead}`}`;
  return { kind: 'check', release: chosen.version, text, next };
}

function offer(graph: Graph, state: AgentState, chosen: Target): string {
  const barrier = graph.releases[positionOf(graph, chosen)]?.barrier ?? null;
  const passed = passedOver(graph, state, chosen);
  const marked = barrier === null ? '' : ` (a barrier: ${oneLine(barrier, 100)})`;
  const between = passed === 0 ? '' : `; ${passed} older ${passed === 1 ? 'one is' : 'ones are'} passed over`;
  return `update to ${chosen.version}${marked}${between}`;
}

/** How many releases lie between the booted one and the target. */
function passedOver({ releases, edges }: Graph, state: AgentState, { ageIndex }: Target): number {
  const from = bootedRelease(state);
  const place = from === null ? -1 : positionOf({ releases, edges, warnings: [] }, from);
  const age = releases[place]?.ageIndex ?? ageIndex;
  return releases.filter((one) => one.ageIndex > age && one.ageIndex < ageIndex).length;
}

type Effects = { readonly [K in Effect['kind']]: Extract<Effect, { kind: K }> };
type Begins = { readonly [K in keyof Effects]?: (effect: Effects[K], state: AgentState, world: World) => NewStep };

const BEGINS: Begins = {
  stage: ({ target: { version } }, _, { stageMs }) => {
    return { kind: 'stage', release: version, text: `stages ${version} (assumed: ${duration(stageMs)})`, next: null };
  },
  discard: (_, { memory }) => {
    const { version, reason } = memory.discard ?? { version: '', reason: '' };
    return { kind: 'discard', release: version, text: `removes the staged ${version}: ${reason}`, next: null };
  },
  lock: ({ lock, waitMs }, state) => {
    return { ...NOTHING, kind: 'ask', release: target(state), text: question(lock.group, waitMs) };
  },
  tell: ({ text }, state) => {
    return { ...NOTHING, kind: 'tell', release: target(state), text: `tells people: ${firstSentence(text)}` };
  },
  finalize: ({ target: { version } }, _, { bootMs }) => {
    const text = `finalizes ${version} and reboots (assumed: ${duration(bootMs)})`;
    return { kind: 'finalize', release: version, text, next: null };
  },
  report: ({ lock: { group } }) => {
    const text = `tells the lock server that this host is steady (group ${group}; assumed: it confirms)`;
    return { ...NOTHING, kind: 'report', text };
  },
};

function ofEffect(effect: Effect, state: AgentState, world: World): NewStep | null {
  // The table is typed by kind; the compiler cannot see that the looked-up entry is the one of this effect.
  const begins = BEGINS[effect.kind] as ((effect: Effect, state: AgentState, world: World) => NewStep) | undefined;
  return begins?.(effect, state, world) ?? null;
}

function question(group: string, waitMs: number): string {
  return `asks for the slot of group ${group}${waitMs === 0 ? '' : `, and waits for it (${duration(waitMs)} at most)`}`;
}

/** Nothing goes wrong in this world: what does all the same is worth knowing. */
function newTroubles(before: AgentState, after: AgentState): readonly NewStep[] {
  const sources = Object.keys(after.troubles) as TroubleSource[];
  return sources
    .filter((source) => before.troubles[source]?.text !== after.troubles[source]?.text)
    .map((source) => ({
      ...NOTHING,
      kind: 'trouble',
      release: target(after),
      text: after.troubles[source]?.text ?? '',
    }));
}

function target({ phase }: AgentState): string | null {
  return 'target' in phase ? phase.target.version : null;
}

/** A moment of the boot clock in ms since 1970. */
function wallOf(mono: number | undefined, { since }: Pick<AgentState, 'since'>): number | null {
  return mono === undefined ? null : since.wall + mono - since.mono;
}
