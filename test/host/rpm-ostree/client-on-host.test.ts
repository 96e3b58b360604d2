import { afterEach, describe, expect, test, vi } from 'vitest';
import { FailureError } from '../../../src/base/failure.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { Bus } from '../../../src/bus/api.ts';
import { openBus } from '../../../src/bus/bus.ts';
import { connectPeer } from '../../../src/bus/peer.ts';
import type { Target } from '../../../src/graph/types.ts';
import { type RpmOstree, openRpmOstree } from '../../../src/host/rpm-ostree/client.ts';
import { deploymentKey, pendingDeployment, releaseKey } from '../../../src/host/rpm-ostree/deployment.ts';
import type { Deployment, Machine } from '../../../src/sim/api.ts';
import { COMMITS, VERSIONS, client as otherClient, flag, machine } from '../../support/sim-host.ts';

const LIMIT = { timeout: 30_000 };
const V1 = target('v1', 1n);
const V2 = target('v2', 2n);
const V3 = target('v3', 3n);
/** A commit that is not on the branch of the host. */
const ELSEWHERE = { ...V3, version: '43.20260201.2.0', payload: 'e'.repeat(64) };

function target(name: keyof typeof COMMITS, ageIndex: bigint): Target {
  return { version: VERSIONS[name], scheme: 'checksum', payload: COMMITS[name], ageIndex };
}

const opened: Bus[] = [];
afterEach(() => {
  for (const bus of opened.splice(0)) bus.close();
});

interface Host {
  readonly host: Machine;
  readonly rpmOstree: RpmOstree;
  readonly bus: Bus;
  readonly warnings: readonly string[];
  readonly staged: () => Deployment | undefined;
}

/** A simulated host and the client on its bus. */
async function host(options: Parameters<typeof machine>[0] = {}): Promise<Host> {
  const made = await machine(options);
  const bus = openBus({ address: made.busAddress, random: () => 0.5, onError: () => undefined });
  opened.push(bus);
  await new Promise<void>((resolve) => bus.onState(({ connected }) => (connected ? resolve() : undefined)));
  const warnings: string[] = [];
  const onWarning = (text: string): void => void warnings.push(text);
  const rpmOstree = openRpmOstree({ bus, connectPeer, clock: systemClock, onWarning });
  const staged = (): Deployment | undefined => made.state().deployments.find((one) => one.staged);
  return { host: made, rpmOstree, bus, warnings, staged };
}

const STAGE = { allowDowngrade: false, stream: null, onProgress: (): void => undefined };
const FINALIZE = { allowUnlocked: false, withdrawn: (): Promise<null> => Promise.resolve(null) };

/** The failure that work ends with; null for success. */
async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => (error instanceof FailureError ? error.failure : error),
  );
}

/** A host on which v2 is staged by the client. */
async function staged(options: Parameters<typeof machine>[0] = {}): Promise<Host> {
  const one = await host(options);
  await one.rpmOstree.stage(V2, STAGE);
  return one;
}

describe('staging', () => {
  test('leaves the release locked, and resolves with how the host then stands', LIMIT, async () => {
    const { rpmOstree, staged } = await host();
    const progress: string[] = [];
    const reading = await rpmOstree.stage(V2, { ...STAGE, onProgress: (text) => void progress.push(text) });
    expect(staged()).toMatchObject({ base: COMMITS.v2, locked: true });
    const pending = pendingDeployment(reading);
    expect(pending === null ? null : deploymentKey(pending)).toBe(releaseKey(V2));
    expect(progress.join('\n')).toMatch(/downloading \d+ %/);
  });

  test('an older release is refused unless that is allowed', LIMIT, async () => {
    const { rpmOstree, staged } = await host({ bootedVersion: VERSIONS.v2 });
    expect(await failure(rpmOstree.stage(V1, STAGE))).toMatchObject({
      class: 'release',
      text: expect.stringContaining('chronologically older') as string,
    });
    expect(staged()).toBeUndefined();
    await rpmOstree.stage(V1, { ...STAGE, allowDowngrade: true });
    expect(staged()).toMatchObject({ base: COMMITS.v1, locked: true });
  });

  test('takes a commit that the graph names, on whatever branch it is', LIMIT, async () => {
    const { version, payload } = ELSEWHERE;
    const metadata = { 'org.fedoraproject.coreos.releases.age_index': '9' };
    const text = JSON.stringify({ nodes: [{ version, payload, metadata }], edges: [] });
    const { rpmOstree, staged, host: one } = await host({ otherGraphs: [{ stream: 'next', text }] });
    await rpmOstree.stage(ELSEWHERE, STAGE);
    expect(staged()).toMatchObject({ base: payload, locked: true });
    // Without being told so, rpm-ostree does not.
    one.adminCleanup();
    const other = await otherClient(one);
    const { finished } = await other.deploy(`revision=${payload}`);
    expect(finished).toEqual([false, expect.stringContaining('not found') as string]);
  });
});

describe('discarding', () => {
  test('removes what has the key', LIMIT, async () => {
    const { rpmOstree, staged: pending } = await staged();
    const reading = await rpmOstree.discard({ key: releaseKey(V2), deployment: null });
    expect(pending()).toBeUndefined();
    expect(pendingDeployment(reading)).toBeNull();
  });

  test('keeps what somebody else has put in its place', LIMIT, async () => {
    const { rpmOstree, staged: pending, host: one } = await staged();
    one.adminStages({ version: VERSIONS.v3, packages: ['vim'] });
    const reading = await rpmOstree.discard({ key: releaseKey(V2), deployment: null });
    expect(pending()).toMatchObject({ base: COMMITS.v3, packages: ['vim'] });
    expect(pendingDeployment(reading)?.version).toBe(VERSIONS.v3);
  });

  test('keeps what somebody else has layered on it', LIMIT, async () => {
    const { rpmOstree, host: one, staged: pending } = await host();
    const ours = pendingDeployment(await rpmOstree.stage(V2, STAGE));
    one.adminStages({ version: VERSIONS.v2, packages: ['vim'] });
    for (const deployment of [ours?.id ?? '', null]) await rpmOstree.discard({ key: releaseKey(V2), deployment });
    expect(pending()).toMatchObject({ base: COMMITS.v2, packages: ['vim'] });
  });

  test('knows its own on a host with layered packages', LIMIT, async () => {
    const { rpmOstree, staged: pending } = await host({ packages: ['tmux'] });
    const ours = pendingDeployment(await rpmOstree.stage(V2, STAGE));
    expect(ours?.layered).toBe(true);
    await rpmOstree.discard({ key: releaseKey(V2), deployment: ours?.id ?? '' });
    expect(pending()).toBeUndefined();
  });
});

describe('finalizing', () => {
  test('reboots into the release', LIMIT, async () => {
    const { rpmOstree, host: one } = await staged();
    const booted = one.nextBoot();
    await rpmOstree.finalize(V2, FINALIZE);
    expect((await booted).deployments[0]).toMatchObject({ booted: true, base: COMMITS.v2 });
  });

  test('of another release than the staged one is refused, and unlocks nothing', LIMIT, async () => {
    const { rpmOstree, staged: pending, host: one } = await staged();
    expect(await failure(rpmOstree.finalize(V3, FINALIZE))).toMatchObject({ class: 'gone' });
    expect(pending()).toMatchObject({ base: COMMITS.v2, locked: true });
    expect(one.state().bootCount).toBe(1);
  });

  test('of nothing is refused', LIMIT, async () => {
    const { rpmOstree } = await host();
    await rpmOstree.read();
    expect(await failure(rpmOstree.finalize(V2, FINALIZE))).toMatchObject({ class: 'gone' });
  });

  test('of an unlocked one is refused unless that is allowed', LIMIT, async () => {
    const { rpmOstree, staged: pending, host: one } = await staged();
    one.adminUnlocks();
    expect(await failure(rpmOstree.finalize(V2, FINALIZE))).toMatchObject({ class: 'unlocked' });
    expect([pending()?.base, one.state().bootCount]).toEqual([COMMITS.v2, 1]);
    const booted = one.nextBoot();
    await rpmOstree.finalize(V2, { ...FINALIZE, allowUnlocked: true });
    expect((await booted).deployments[0]).toMatchObject({ booted: true, base: COMMITS.v2 });
  });

  test.each([
    ['die', 'start'],
    ['die', 'done'],
    ['vanish', 'start'],
    ['vanish', 'done'],
  ] as const)('of which no result comes is in doubt: %s at %s', LIMIT, async (fault, at) => {
    const { rpmOstree, host: one } = await staged();
    one.setFault('rebootLost');
    one.setFault(fault, { method: 'FinalizeDeployment', at, times: 1 });
    expect(await failure(rpmOstree.finalize(V2, FINALIZE))).toMatchObject({ class: 'unknown' });
  });

  test('whose call is not answered is in doubt', LIMIT, async () => {
    const { rpmOstree, host: one } = await staged();
    one.setFault('dieInCall', { method: 'FinalizeDeployment', times: 1 });
    expect(await failure(rpmOstree.finalize(V2, FINALIZE))).toMatchObject({ class: 'unknown' });
  });
});

describe('rolling back', () => {
  /** A host that has been updated from v1 to v2, and its client. */
  async function updated(): Promise<Host> {
    const one = await host();
    one.host.adminStages({ version: VERSIONS.v2 });
    const bus = new Promise<void>((resolve) => {
      let lost = false;
      one.bus.onState(({ connected }) => {
        if (connected && lost) resolve();
        lost ||= !connected;
      });
    });
    await one.host.rebootNow();
    await bus;
    return one;
  }

  test('reboots into the release before', LIMIT, async () => {
    const { rpmOstree, host: one } = await updated();
    const booted = one.nextBoot();
    await rpmOstree.rollback();
    expect((await booted).deployments.map(({ base, booted: is }) => [base, is])).toEqual([
      [COMMITS.v1, true],
      [COMMITS.v2, false],
    ]);
  });

  test('is refused where there is nothing to go back to', LIMIT, async () => {
    const { rpmOstree, host: one } = await host();
    expect(await failure(rpmOstree.rollback())).toMatchObject({ class: 'gone' });
    expect(one.state().bootCount).toBe(1);
  });

  test('is refused where something is pending, which stays', LIMIT, async () => {
    const { rpmOstree, host: one, staged: pending } = await updated();
    one.adminStages({ version: VERSIONS.v3 });
    expect(await failure(rpmOstree.rollback())).toEqual({
      class: 'transient',
      text: `rolling back: ${VERSIONS.v3} is pending, and the next boot takes that`,
    });
    expect(pending()?.base).toBe(COMMITS.v3);
    expect(one.state().bootCount).toBe(2);
  });

  test('is not begun when it is no longer wanted', LIMIT, async () => {
    const { rpmOstree, host: one } = await updated();
    const refused = { class: 'transient', text: 'rolling back: not started: paused' };
    expect(await failure(rpmOstree.rollback({ withdrawn: () => Promise.resolve('paused') }))).toEqual(refused);
    expect(one.state().deployments[0]).toMatchObject({ booted: true, base: COMMITS.v2 });
  });

  test('that is denied says so', LIMIT, async () => {
    const { rpmOstree, host: one } = await updated();
    one.setFault('deny', { methods: ['Rollback'] });
    const outcome = await failure(rpmOstree.rollback());
    expect(outcome).toMatchObject({ class: 'transient' });
    expect(JSON.stringify(outcome)).toContain('polkit');
  });

  test.each(['start', 'done'] as const)('of which no result comes is in doubt: %s', LIMIT, async (at) => {
    const { rpmOstree, host: one } = await updated();
    one.setFault('rebootLost');
    one.setFault('die', { method: 'Rollback', at, times: 1 });
    expect(await failure(rpmOstree.rollback())).toMatchObject({ class: 'unknown' });
  });

  test('waits for nothing: it is refused while other work is under way', LIMIT, async () => {
    const { rpmOstree, host: one } = await updated();
    one.setFault('hang', { method: 'Deploy' });
    const staging = failure(rpmOstree.stage(V3, STAGE));
    expect(await failure(rpmOstree.rollback())).toEqual({
      class: 'transient',
      text: `rolling back: busy: staging ${VERSIONS.v3}`,
    });
    await vi.waitFor(async () => expect(await one.cancelTransaction()).toBe(true), { timeout: 10_000 });
    await staging;
  });
});

describe('the daemon', () => {
  test('is free to exit once the work is done', LIMIT, async () => {
    const { host: one } = await staged({ idleMs: 200 });
    await vi.waitFor(async () => expect(await one.daemonPid()).toBeNull(), { timeout: 15_000, interval: 50 });
  });

  test('is followed when another one takes its place', LIMIT, async () => {
    const { rpmOstree, host: one, bus } = await host();
    await rpmOstree.read();
    let changes = 0;
    rpmOstree.watch(() => (changes += 1));
    await vi.waitFor(() => expect(changes).toBe(1));
    await one.killDaemon();
    await rpmOstree.read();
    await vi.waitFor(() => expect(changes).toBe(2));
    // Of the new one, too, what changes is heard.
    one.adminStages({ version: VERSIONS.v2 });
    await bus.call({
      destination: 'org.projectatomic.rpmostree1',
      path: '/org/projectatomic/rpmostree1/Sysroot',
      interface: 'org.projectatomic.rpmostree1.Sysroot',
      member: 'Reload',
    });
    await vi.waitFor(() => expect(changes).toBeGreaterThan(2));
  });

  test('refuses to register a client: that is said once, and the work goes on', LIMIT, async () => {
    const { rpmOstree, host: one, warnings, staged: pending } = await host();
    one.setFault('deny', { methods: ['RegisterClient'] });
    await rpmOstree.stage(V2, STAGE);
    await rpmOstree.discard({ key: releaseKey(V2), deployment: null });
    expect(pending()).toBeUndefined();
    expect(warnings.filter((text) => text.includes('as a client'))).toHaveLength(1);
  });

  test('shows the update driver, and says so when it does not', LIMIT, async () => {
    const { rpmOstree, host: one, warnings } = await host();
    one.setFault('driverRefused', { times: 1 });
    expect(await rpmOstree.registerDriver()).toBe(false);
    expect(warnings).toHaveLength(1);
    expect(await rpmOstree.registerDriver()).toBe(true);
    expect(one.state().driver).toBe('Holdpoint');
  });
});

test('a reading is of now, also where somebody else has changed the host without a word', LIMIT, async () => {
  const { rpmOstree, host: one } = await host();
  expect(pendingDeployment(await rpmOstree.read())).toBeNull();
  const other = await otherClient(one);
  await other.deploy(`revision=${COMMITS.v2}`, { 'lock-finalization': flag(true) });
  one.adminStages({ version: VERSIONS.v3 });
  expect(pendingDeployment(await rpmOstree.read())?.version).toBe(VERSIONS.v3);
});
