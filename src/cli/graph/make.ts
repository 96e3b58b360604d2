import type { Config } from '../../config/schema.ts';
import type { Graph, Release } from '../../graph/types.ts';
import type { HostFiles } from '../../host/identity/read.ts';
import { type Deployment, targetOf } from '../../host/rpm-ostree/deployment.ts';
import { assumedDeployment, type Booted, nodeIdOrNull, readBooted, readFiles } from './host.ts';
import { type Fetched, fetchGraph, type Place } from './source.ts';
import { type GraphView, viewOf } from './view.ts';
import { positionOf } from '../../graph/lookup.ts';
import { wariness as warinessOf } from '../../graph/rollout.ts';
import { nearest, oneLine } from '../../base/text.ts';
import { describe } from '../../agent/settings.ts';

/** What somebody wants to see of which graph. */
export interface Wanted {
  readonly config: Config;
  /** Version of the start; undefined: what this host runs. */
  readonly from: string | undefined;
  /** Null: as configured. */
  readonly place: Place | null;
  readonly all: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly root: string;
  /** D-Bus address; undefined: the system bus. */
  readonly address: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Takes what is assumed. */
  readonly note: (text: string) => void;
}

/** What is to be shown, or why nothing can be. */
export async function makeView(wanted: Wanted): Promise<GraphView | string> {
  const { config, from, place, all, at, root, env, note } = wanted;
  const found = await bootedFor(wanted);
  if ('problem' in found && from === undefined && !all) {
    return `nobody can tell which release this host runs: ${found.problem}; say --from VERSION, or --all for the whole graph`;
  }
  const { files } = await readFiles(root);
  const booted = deploymentOf(found, wanted);
  if (isServer(place)) noteAssumed(wanted, booted);
  const fetched = await fetchGraph(place, { config, files, booted, env });
  if (!fetched.ok) return fetched.text;
  const start = from === undefined ? bootedIn(fetched, found) : releaseIn(fetched.graph, from);
  if (typeof start === 'string' && !all) return start;
  const wariness = await warinessFor(config, files);
  if (wariness === null && mattersIn(fetched.graph))
    note('this host has no id: rollouts are judged as for the last host');
  const shown = typeof start === 'string' ? { start: null, booted: false } : { start, booted: from === undefined };
  return viewOf({ ...fetched, ...shown, all, at, wariness: wariness ?? 1 });
}

/** What stands for this host where nobody can tell what it runs. */
function deploymentOf(found: Booted, { from, place }: Wanted): Deployment {
  if ('deployment' in found) return found.deployment;
  return assumedDeployment(from ?? '', place?.url.searchParams.get('oci') === 'true');
}

/** A file is the same for everybody: where its start is known, nobody need be asked. */
async function bootedFor({ from, place, address, env }: Wanted): Promise<Booted> {
  if (from === undefined || isServer(place)) return readBooted(address, env);
  return { problem: 'it was not asked' };
}

function isServer(place: Place | null): boolean {
  return place === null || place.kind === 'server';
}

/** What an update server is told, and nobody has said. */
function noteAssumed({ config, place, note }: Wanted, booted: Deployment): void {
  if (place?.url.searchParams.has('stream') === true) return;
  const files = { bootId: '', machineId: null, cmdline: '' };
  const described = describe({ config, files, nodeArch: process.arch, booted });
  for (const text of described?.assumed ?? []) if (text.includes('identity.stream')) note(text);
}

/** How late in rollouts this host is; null where it has no place in them. */
async function warinessFor(config: Config, files: HostFiles): Promise<number | null> {
  const { rolloutWariness } = config.identity;
  const nodeId = await nodeIdOrNull(config, files);
  return rolloutWariness === null && nodeId === null ? null : warinessOf(rolloutWariness, nodeId ?? '');
}

function mattersIn({ releases }: Graph): boolean {
  return releases.some(({ rollout }) => rollout !== null);
}

/** The booted release, or why it is not there. */
function bootedIn({ graph, scheme }: Extract<Fetched, { readonly ok: true }>, found: Booted): Release | string {
  if ('problem' in found) return found.problem;
  const booted = found.deployment;
  const release = graph.releases[positionOf(graph, { scheme, payload: targetOf(booted).payload })];
  return release ?? `the booted release ${oneLine(booted.version, 80)} is not in the graph: ${sizeOf(graph)}`;
}

/** The release of a version, the newest of several; or why there is none. */
function releaseIn(graph: Graph, version: string): Release | string {
  const found = graph.releases.filter((release) => release.version === version);
  const [first, ...others] = found;
  if (first !== undefined) return others.reduce((best, one) => (one.ageIndex > best.ageIndex ? one : best), first);
  const near = nearest(version, new Set(graph.releases.map((release) => release.version)));
  const hint = near === null ? '' : `, did you mean ${near}?`;
  return `--from: there is no ${oneLine(version, 80)} in the graph: ${sizeOf(graph)}${hint}`;
}

function sizeOf({ releases, unusable }: Graph): string {
  if (unusable !== undefined) return `none of its ${unusable} nodes is a release that can be used`;
  return `it has ${releases.length} releases`;
}
