import { join } from 'node:path';
import { type Situation, describe, expand, nodeIdOf, settingsOf } from '../agent/settings.ts';
import { readCapped } from '../base/files.ts';
import { duration, errorText } from '../base/text.ts';
import { resolveTimeZone } from '../base/time-zone.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { redactUrl } from '../config/redact.ts';
import type { Config } from '../config/schema.ts';
import type { Graph, Scheme, Target } from '../graph/types.ts';
import { parseMachineId } from '../host/identity/parse.ts';
import { SCHEMES, beginAt } from '../simulate/begin.ts';
import { deploymentOf } from '../simulate/host.ts';
import type { World } from '../simulate/world.ts';
import type { Exit } from './command.ts';
import type { Given } from './simulate-given.ts';
import { configFor, placeOf, PLACES } from './graph/source.ts';
import { type Asking, readGraphs } from './simulate-graph.ts';

/** What a world is made of. */
export interface Ingredients {
  readonly given: Given;
  readonly graph: string | undefined;
  readonly raw: boolean;
  readonly scheme: Scheme | undefined;
  readonly 'config-dir': readonly string[];
  readonly root: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A world, or why there is none: null where the problems of the configuration say it. */
export type Prepared = { readonly problems: readonly string[] } & (
  | {
      readonly ok: true;
      readonly world: World;
      /** What people call the graph. */
      readonly source: string;
      readonly assumed: readonly string[];
      /** In which people think of the windows: an IANA name. */
      readonly timeZone: string;
    }
  | { readonly ok: false; readonly exit: Exit; readonly text: string | null }
);

/** Stands for the id of a host that has none. */
const NO_NODE = '0'.repeat(32);
const NO_RELEASE: Target = { version: '', scheme: 'checksum', payload: '0'.repeat(64), ageIndex: 0n };

/** Reads the configuration, the id of this host and the graph. Never rejects. */
export async function prepare(ingredients: Ingredients): Promise<Prepared> {
  const dirs = ingredients['config-dir'];
  const loaded = await (dirs.length === 0 ? loadConfig() : loadConfig(dirs));
  const problems = loaded.problems.map(formatProblem);
  if (loaded.config === null) return { ok: false, problems, exit: 'configuration', text: null };
  try {
    return { problems, ...(await build(ingredients, loaded.config)) };
  } catch (error) {
    return { ok: false, problems, exit: 'failure', text: errorText(error) };
  }
}

type Built = Prepared extends infer P ? (P extends unknown ? Omit<P, 'problems'> : never) : never;

async function build(ingredients: Ingredients, configured: Config): Promise<Built> {
  const { given, scheme, raw, env } = ingredients;
  const notes: string[] = [];
  const place = ingredients.graph === undefined ? null : placeOf(ingredients.graph);
  if (ingredients.graph !== undefined && place === null) return { ok: false, exit: 'usage', text: PLACES };
  const asked = configFor(configured, place);
  const before = situationOf(ingredients, asked, NO_RELEASE, notes);
  const asking = askingOf(before, given.from);
  const reading = { config: before.config, env };
  const read = await readGraphs(place, scheme === undefined ? SCHEMES : [scheme], asking, reading);
  if (!read.ok) return { ok: false, exit: 'failure', text: read.text };
  const begin = beginAt(read.graphs, given.from);
  if (!begin.ok) return { ok: false, exit: 'failure', text: begin.text };
  const { from } = begin;
  const graph = raw ? { ...begin.graph, raw } : begin.graph;
  const { config } = before;
  const settings = settingsOf(situationOf(ingredients, asked, from, []));
  const world: World = { ...given, settings, graph, from, stream: config.identity.stream };
  // A file says for itself which hosts it is for.
  const unsaid = graph.raw === true && !raw ? [] : (describe(before)?.assumed ?? []);
  const assumed = [...begin.notes, ...notes, ...unsaid, ...assumptions(world, graph)];
  const { strategy, periodic } = config.updates;
  const timeZone = resolveTimeZone(strategy.includes('periodic') ? periodic.timeZone : 'localtime');
  return { ok: true, world, source: redactUrl(ingredients.graph ?? asking.baseUrl), assumed, timeZone };
}

/** This host, running a release. Adds to `notes` what had to be assumed of it. */
function situationOf({ root = '/' }: Ingredients, config: Config, from: Target, notes: string[]): Situation {
  const read = (path: string): string | null => readCapped(join(root, path), 64 * 1024);
  const written = read('etc/machine-id');
  const files = {
    bootId: '',
    machineId: written === null ? null : parseMachineId(written),
    cmdline: read('proc/cmdline') ?? '',
  };
  const isKnown = config.identity.nodeUuid !== null || files.machineId !== null;
  const identity = isKnown ? config.identity : { ...config.identity, nodeUuid: NO_NODE };
  const booted = deploymentOf(from, config.identity.stream);
  const situation = { config: { ...config, identity }, files, nodeArch: process.arch, booted };
  if (!isKnown) {
    notes.push(
      `nobody knows the id of this host (there is no ${join(root, 'etc/machine-id')}, and no identity.node_uuid): ${NO_NODE} decides about rollouts and places within windows`,
    );
  }
  return situation;
}

function askingOf(situation: Situation, osVersion: string): Asking {
  const { basearch, stream, platform } = describe(situation)?.description ?? { basearch: '', stream: '', platform: '' };
  const { rolloutWariness, group } = situation.config.identity;
  const baseUrl = expand(situation, situation.config.cincinnati.baseUrl) ?? '';
  return {
    baseUrl,
    basearch,
    stream,
    platform,
    group,
    rolloutWariness,
    nodeId: nodeIdOf(situation),
    osVersion,
    osChecksum: '',
  };
}

/** What a world takes for granted, as sentences without a full stop. */
function assumptions(
  { settings, slot, people, uptimeMs, dice }: World,
  { raw = false, warnings }: Graph,
): readonly string[] {
  const granted = slot === 'granted' ? 'grants each slot at once' : 'refuses every slot';
  const rule =
    typeof slot === 'object' ? `has a slot free ${duration(slot.freeAfterMs)} after it is first asked for` : granted;
  return [
    `the graph stays as it is${raw ? '; its rollouts go on with the time' : ', with the rollouts as the server judges them now'}`,
    `${people ? 'somebody' : 'nobody'} is logged in; no inhibitor, marker, battery or metered network is in the way, the clock is right and every boot is healthy; hooks are not run, as if there were none`,
    'nothing is staged, postponed, paused, skipped or in quarantine at the start',
    ...(settings.lock === null ? [] : [`the lock server ${rule}`]),
    ...(settings.minUptimeMs > 0 ? [`the host is up for ${duration(uptimeMs)} at the start`] : []),
    `chance decides in the middle of its range unless --dice says otherwise: the first look at the graph falls anywhere within the interval, each other one up to a tenth of it later (here ${dice})`,
    ...warnings.map((warning) => `update graph: ${warning}`),
  ];
}
