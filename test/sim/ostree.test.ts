import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HostState } from '../../src/sim/api.ts';
import { readGraph } from '../../src/sim/catalogue.ts';
import { firstBoot } from '../../src/sim/first-boot.ts';
import {
  bootedOf,
  defaultOf,
  dropPending,
  dropRollback,
  powerCut,
  reboot,
  rollBack,
  stage,
  unlock,
} from '../../src/sim/ostree.ts';
import type { BootOutcome } from '../../src/sim/ostree.ts';
import { GRAPH, VERSIONS } from '../support/sim-host.ts';

const options = {
  graph: GRAPH,
  stream: 'testing',
  basearch: 'x86_64',
  bootedVersion: VERSIONS.v1,
  command: ['unused'],
} as const;
const catalogue = readGraph({ stream: 'testing', text: GRAPH }, 'x86_64');
const first = firstBoot(options, catalogue);

function stageRelease(state: HostState, index: number, locked: boolean): HostState {
  const release = catalogue[index % catalogue.length];
  if (release === undefined) return state;
  return stage(state, { release, origin: defaultOf(state).origin, packages: [], locked });
}

const outcomes: readonly BootOutcome[] = ['applied', 'discarded', 'not-booted', 'rolled-back'];
const steps = fc.array(
  fc.oneof(
    fc.tuple(fc.nat(2), fc.boolean()).map(
      ([index, locked]) =>
        (state: HostState) =>
          stageRelease(state, index, locked),
    ),
    fc.constantFrom(dropPending, dropRollback, unlock, powerCut),
    fc.constant((state: HostState) => rollBack(state) ?? state),
    fc.constantFrom(...outcomes).map((outcome) => (state: HostState) => reboot(state, outcome)),
  ),
  { maxLength: 30 },
);

describe('whatever is done to a host', () => {
  test('one deployment is booted, at most one is staged, and that one is first', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const state = list.reduce((before, step) => step(before), first);
        expect(state.deployments.filter(({ booted }) => booted)).toHaveLength(1);
        const staged = state.deployments.filter((deployment) => deployment.staged);
        expect(staged.length).toBeLessThanOrEqual(1);
        if (staged.length === 1) expect(defaultOf(state)).toBe(staged[0]);
        expect(state.deployments.length).toBeLessThanOrEqual(4);
        const ids = state.deployments.map(({ checksum, serial, staged: is }) => `${checksum}.${serial}.${String(is)}`);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });

  test('only an unlocked staged deployment changes what a reboot in order shows', () => {
    fc.assert(
      fc.property(steps, fc.nat(2), fc.boolean(), (list, index, locked) => {
        const state = reboot(dropPending(list.reduce((before, step) => step(before), first)), 'applied');
        const after = reboot(stageRelease(state, index, locked), 'applied');
        const expected = locked ? bootedOf(state).base : catalogue[index]?.payload;
        expect(bootedOf(after).base).toBe(expected);
        expect(bootedOf(powerCut(stageRelease(state, index, locked))).base).toBe(bootedOf(state).base);
      }),
    );
  });
});

test('rolling back twice ends where it began', () => {
  const updated = reboot(stageRelease(first, 1, false), 'applied');
  const back = rollBack(updated);
  expect(back?.deployments.map(({ version }) => version)).toEqual([VERSIONS.v1, VERSIONS.v2]);
  expect(back === null ? null : rollBack(back)).toEqual(updated);
});

describe('the catalogue', () => {
  test('is in the order of the age index, and so are its times, whatever the versions say', () => {
    const node = (version: string, age: string) => ({
      version,
      payload: version,
      metadata: { 'org.fedoraproject.coreos.releases.age_index': age },
    });
    const nodes = [node('37.20230303.1.1', '106'), node('38.20230310.1.0', '105'), { version: 1 }, null];
    const releases = readGraph({ stream: 'next', text: JSON.stringify({ nodes }) }, 'x86_64');
    expect(releases.map(({ version }) => version)).toEqual(['38.20230310.1.0', '37.20230303.1.1']);
    expect(releases[0]?.timestamp).toBe(Date.UTC(2023, 2, 10) / 1000);
    expect(releases[1]?.timestamp).toBe(Date.UTC(2023, 2, 10) / 1000 + 1);
  });
});
