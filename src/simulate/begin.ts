import { nearest, oneLine } from '../base/text.ts';
import type { Graph, Release, Scheme, Target } from '../graph/types.ts';

/** Where a simulation begins, or why it cannot; `notes` for people. */
export type Beginning =
  | { readonly ok: true; readonly graph: Graph; readonly from: Target; readonly notes: readonly string[] }
  | { readonly ok: false; readonly text: string };

const MOST_NAMED = 3;

/** Finds the release of a version in the graphs of one source, each of one scheme; the first of several, and says so. */
export function beginAt(graphs: readonly Graph[], version: string): Beginning {
  const found = graphs.flatMap((graph) => {
    return graph.releases.filter((release) => release.version === version).map((release) => ({ graph, release }));
  });
  const [first] = found;
  if (first === undefined) return { ok: false, text: whatThereIs(graphs, version) };
  const { graph, release } = first;
  const schemes = [...new Set(found.map((one) => one.release.scheme))];
  const same = found.filter((one) => one.release.scheme === release.scheme).length;
  const notes: string[] = [];
  if (schemes.length > 1) {
    notes.push(
      `${version} is in the graph as ${schemes.join(' and as ')}: this host has it as ${release.scheme} (--scheme)`,
    );
  }
  if (same > 1)
    notes.push(
      `${same} nodes of the graph are called ${version}: this host runs the first of them, ${release.payload}`,
    );
  return { ok: true, graph, from: targetOf(release), notes };
}

function targetOf({ version, scheme, payload, ageIndex }: Release): Target {
  return { version, scheme, payload, ageIndex };
}

function whatThereIs(graphs: readonly Graph[], version: string): string {
  const releases = graphs.flatMap((graph) => graph.releases);
  const what = `--from: expected a version of the graph, found '${oneLine(version, 60)}'`;
  if (releases.length === 0) return `${what}, and the graph has no release that can be used`;
  const near = nearestOf(version, new Set(releases.map((release) => release.version)));
  if (near.length > 0) return `${what}; did you mean ${near.join(' or ')}?`;
  const byAge = releases.toSorted((a, b) => (a.ageIndex < b.ageIndex ? -1 : 1));
  return `${what}; they go from ${byAge[0]?.version ?? ''} to ${byAge.at(-1)?.version ?? ''}`;
}

function nearestOf(version: string, candidates: Set<string>): readonly string[] {
  const found: string[] = [];
  for (let next = nearest(version, candidates); next !== null && found.length < MOST_NAMED;) {
    found.push(next);
    candidates.delete(next);
    next = nearest(version, candidates);
  }
  return found;
}

/** What a graph of one scheme is asked for. */
export const SCHEMES: readonly [Scheme, Scheme] = ['checksum', 'oci'];
