import { misfit } from './shape.ts';
import type { ShapeOf } from './shape.ts';
import type { StreamGraph } from './api.ts';

/** A release that a simulated host can be told to deploy. */
export interface Release {
  readonly kind: 'ostree' | 'container';
  readonly stream: string;
  readonly basearch: string;
  readonly version: string;
  /** Ostree commit (64 hex digits), or digest of the image (`sha256:…`). */
  readonly payload: string;
  /** Where the image is (`quay.io/fedora/fedora-coreos`); null for a commit. */
  readonly repository: string | null;
  /** Seconds since 1970: the day in the version, pushed on where it would not rise with the graph's age index. */
  readonly timestamp: number;
}

const RELEASE: ShapeOf<Release> = {
  kind: 'string',
  stream: 'string',
  basearch: 'string',
  version: 'string',
  payload: 'string',
  repository: 'string or null',
  timestamp: 'number',
};

const AGE = 'org.fedoraproject.coreos.releases.age_index';

/** The releases of an update graph, oldest first. Throws when the text is no graph; nodes without a payload are left out. */
export function readGraph(graph: StreamGraph, basearch: string): Release[] {
  const value: unknown = JSON.parse(graph.text);
  const nodes = typeof value === 'object' && value !== null && 'nodes' in value ? value.nodes : undefined;
  if (!Array.isArray(nodes)) throw new Error(`the graph of ${graph.stream}: expected an object with a list of nodes`);
  const aged = nodes.flatMap((node: unknown) => readNode(node, graph.stream, basearch));
  aged.sort((a, b) => (a.age < b.age ? -1 : a.age > b.age ? 1 : 0));
  let last = 0;
  return aged.map(({ release }) => {
    last = Math.max(release.timestamp, last + 1);
    return { ...release, timestamp: last };
  });
}

function readNode(node: unknown, stream: string, basearch: string): { release: Release; age: bigint }[] {
  const { version, payload, metadata } = record(node);
  if (typeof version !== 'string' || typeof payload !== 'string') return [];
  const age = record(metadata)[AGE];
  const [repository = '', digest] = payload.split('@');
  const timestamp = dayOf(version);
  const common = { stream, basearch, version, timestamp };
  const release: Release =
    digest === undefined
      ? { ...common, kind: 'ostree', payload, repository: null }
      : { ...common, kind: 'container', payload: digest, repository };
  return [{ release, age: typeof age === 'string' && /^\d+$/.test(age) ? BigInt(age) : 0n }];
}

/** Seconds since 1970 of the day in a version like 43.20260115.2.0; 0 when it has none. */
function dayOf(version: string): number {
  const [, year, month, day] = /\.(\d{4})(\d\d)(\d\d)\./.exec(version) ?? [];
  const seconds = Date.parse(`${year ?? ''}-${month ?? ''}-${day ?? ''}T00:00:00Z`) / 1000;
  return Number.isNaN(seconds) ? 0 : seconds;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Reads a list of releases as JSON. Throws when it is not one. */
export function parseCatalogue(text: string): readonly Release[] {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) throw new Error('expected a list of releases');
  return value.map((item: unknown, index) => {
    if (isRelease(item)) return item;
    throw new Error(`release ${index}: ${misfit(RELEASE, item) ?? ''}`);
  });
}

function isRelease(value: unknown): value is Release {
  return misfit(RELEASE, value) === null;
}

/** The refspec under which Fedora CoreOS serves the commits of a stream. */
export function refspecOf({ basearch, stream }: { readonly basearch: string; readonly stream: string }): string {
  return `fedora:fedora/${basearch}/coreos/${stream}`;
}

/** The image reference under which Fedora CoreOS serves the images of a stream. */
export function imageReferenceOf(release: Release): string {
  return `ostree-remote-registry:fedora:${release.repository ?? ''}:${release.stream}`;
}
