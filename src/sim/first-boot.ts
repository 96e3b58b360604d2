import { randomBytes, randomUUID } from 'node:crypto';
import type { HostState, MachineOptions } from './api.ts';
import { imageReferenceOf, readGraph, refspecOf } from './catalogue.ts';
import type { Release } from './catalogue.ts';
import { deploymentOf } from './ostree.ts';

/** Every release that a machine can be told to deploy. Throws when a graph is none. */
export function catalogueOf(options: MachineOptions): readonly Release[] {
  const graphs = [{ stream: options.stream, text: options.graph }, ...(options.otherGraphs ?? [])];
  return graphs.flatMap((graph) => readGraph(graph, options.basearch));
}

/** A host that has just booted its first deployment. Throws when its release is not in the catalogue. */
export function firstBoot(options: MachineOptions, catalogue: readonly Release[]): HostState {
  const { stream, basearch, bootedVersion } = options;
  const release = catalogue.find((other) => other.stream === stream && other.version === bootedVersion);
  if (release === undefined) throw new Error(`${bootedVersion}: not a release in the graph of ${stream}`);
  const ostree = release.kind === 'ostree';
  const origin = options.origin ?? (ostree ? refspecOf(release) : imageReferenceOf(release));
  const state: HostState = {
    osname: 'fedora-coreos',
    machineId: options.machineId ?? randomBytes(16).toString('hex'),
    platform: options.platform ?? 'qemu',
    basearch,
    bootId: randomUUID(),
    bootCount: 1,
    deployments: [],
    refs: ostree ? [`${origin}=${release.payload}`] : [],
    writes: 0,
    driver: null,
    automaticUpdatePolicy: 'none',
    idleMs: options.idleMs ?? 60_000,
  };
  const first = deploymentOf(state, { release, origin, packages: options.packages ?? [], locked: false });
  return { ...state, deployments: [{ ...first, booted: true }], writes: 1 };
}
