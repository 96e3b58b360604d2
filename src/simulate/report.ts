import {
  about,
  type Codec,
  fields,
  flag,
  list,
  moment,
  nullable,
  type Schema,
  text,
  whole,
  word,
} from '../base/codec.ts';
import { explainPath, path } from '../graph/route.ts';
import type { Release } from '../graph/types.ts';
import { drive } from './drive.ts';
import { ENDS, type End } from './end.ts';
import { STEP_KINDS, type SimulatedStep } from './step.ts';
import { Timeline } from './timeline.ts';
import type { World } from './world.ts';

/** What `holdpoint simulate` tells, all moments in ms since 1970. */
export interface Simulation {
  readonly version: number;
  readonly from: { readonly version: string; readonly scheme: 'checksum' | 'oci'; readonly payload: string };
  readonly nodeId: string;
  readonly graph: { readonly source: string; readonly raw: boolean; readonly releases: number };
  readonly at: number;
  readonly until: number;
  /** What was taken for granted, each as a sentence without a full stop. */
  readonly assumed: readonly string[];
  readonly steps: readonly SimulatedStep[];
  readonly end: End;
  readonly summary: Summary;
}

interface Summary {
  readonly updates: number;
  readonly runs: string;
  readonly since: number;
  readonly newest: boolean;
  readonly left: string;
  readonly checks: number;
}

const MANY = Number.MAX_SAFE_INTEGER;

const STEP: Codec<SimulatedStep> = fields<SimulatedStep>({
  at: about('When it happens (for the first time).', moment),
  last: about('When it happens for the last time, where it is repeated.', moment),
  times: about('How often it happens before something else of importance does.', whole(1, MANY)),
  kind: word(...STEP_KINDS),
  release: about('The version that it is about.', nullable(text)),
  text: about('What happens and why, for people.', text),
  next: about(
    'What is waited for: the next look at the graph, or the opening of what holds the host.',
    nullable(moment),
  ),
});

const END: Codec<End> = fields<End>({
  kind: about(
    'newest, deadEnd, noUpdate: the graph has nothing more for this host; never: no moment is left at which it may reboot; idle: it takes no updates from a graph; until, steps: it was to go no further.',
    word(...ENDS),
  ),
  at: moment,
  text: about('The same for people, as a clause.', text),
});

const SUMMARY: Codec<Summary> = fields<Summary>({
  updates: about('Releases that were booted.', whole(0, MANY)),
  runs: about('The version that runs at the end.', text),
  since: about('Since when; the beginning where nothing was booted.', moment),
  newest: about('Whether that is the newest release that the graph leads to from there.', flag),
  left: about('What is left to the newest release, for people; empty when nothing is, or no way is known.', text),
  checks: about('How often the graph was read.', whole(0, MANY)),
});

const SIMULATION: Codec<Simulation> = fields<Simulation>({
  version: about('Of this format. Fields and words may be added within a version.', whole(1, 1)),
  from: fields<Simulation['from']>({ version: text, scheme: word('checksum', 'oci'), payload: text }),
  nodeId: about('The id that decides about rollouts and places within windows.', text),
  graph: fields<Simulation['graph']>({
    source: about('File or URL.', text),
    raw: about('Rollouts are judged here and go on with the time; else the server has judged them, once.', flag),
    releases: whole(0, MANY),
  }),
  at: about('When the agent starts.', moment),
  until: about('When it ends at the latest.', moment),
  assumed: about('What was taken for granted, for people.', list(text)),
  steps: list(STEP),
  end: END,
  summary: SUMMARY,
});

/** The published schema of what `holdpoint simulate --json` prints. */
export const SIMULATE_SCHEMA: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'What a host would do, version 1',
  description: 'What `holdpoint simulate --json` prints. Moments in texts are in UTC.',
  ...SIMULATION.schema,
};

/** As JSON, with a line end. */
export function simulationJson(simulation: Simulation): string {
  return `${JSON.stringify(SIMULATION.write(simulation), null, 2)}\n`;
}

/** Reads what `simulationJson` has written; throws an error that says where it is something else. */
export function readSimulation(json: string): Simulation {
  return SIMULATION.read(JSON.parse(json), 'simulation');
}

/** Runs a world to its end. `source`: what people call the graph. */
export function simulate(world: World, source: string, assumed: readonly string[]): Simulation {
  const timeline = new Timeline(world);
  const end = drive(world, timeline);
  const { version, scheme, payload } = world.from;
  const { raw = false, releases } = world.graph;
  return {
    version: 1,
    from: { version, scheme, payload },
    nodeId: world.settings.nodeId,
    graph: { source, raw, releases: releases.length },
    at: world.at,
    until: world.until,
    assumed,
    steps: timeline.steps,
    end,
    summary: summarize(world, timeline, end),
  };
}

function summarize(world: World, { steps, checks }: Timeline, { kind }: End): Summary {
  const boots = steps.filter((step) => step.kind === 'boot');
  const last = boots.at(-1);
  const runs = last?.release ?? world.from.version;
  const booted: Pick<Release, 'scheme' | 'payload'> | undefined = world.graph.releases.find(
    ({ version, scheme }) => version === runs && scheme === world.from.scheme,
  );
  const way = booted === undefined || boots.length <= 1 ? path(world.graph, world.from) : path(world.graph, booted);
  return {
    updates: Math.max(0, boots.length - 1),
    runs,
    since: last?.at ?? world.at,
    newest: kind === 'newest',
    left: explainPath(way),
    checks,
  };
}
