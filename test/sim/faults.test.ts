import { existsSync, writeFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { describe, expect, test } from 'vitest';
import { client, COMMITS, DIGESTS, flag, follow, IMAGE_GRAPH, machine, text, VERSIONS } from '../support/sim-host.ts';

const v2 = `revision=${COMMITS.v2}`;

describe('the process', () => {
  test.each([
    ['before', 'start', false],
    ['while downloading', 'download', false],
    ['after staging', 'done', true],
  ])('dies %s: the stream ends without Finished, and a retry works', async (_name, at, staged) => {
    const host = await machine();
    host.setFault('die', { at, method: 'Deploy', times: 1 });
    const one = await client(host);
    expect((await one.stageLocked(v2)).finished).toBeNull();
    expect(host.state().deployments[0]?.staged).toBe(staged);
    await expect.poll(() => host.daemonPid()).toBeNull();
    expect((await one.stageLocked(v2)).finished).toEqual([true, '']);
    expect(host.state().deployments[0]).toMatchObject({ staged: true, locked: true });
  });

  test('dies during a call', async () => {
    const host = await machine();
    host.setFault('dieInCall', { method: 'FinalizeDeployment', times: 1 });
    const one = await client(host);
    await one.stageLocked(v2);
    await expect(one.finalize(COMMITS.v2)).rejects.toMatchObject({
      errorName: 'org.freedesktop.DBus.Error.NoReply',
    });
    expect((await one.finalize(COMMITS.v2)).finished?.[0]).toBe(true);
  });

  test('dies after unlocking: the update would apply, and no reboot comes', async () => {
    const host = await machine();
    host.setFault('die', { at: 'done', method: 'FinalizeDeployment', times: 1 });
    const one = await client(host);
    await one.stageLocked(v2);
    expect((await one.finalize(COMMITS.v2)).finished).toBeNull();
    await expect.poll(() => host.daemonPid()).toBeNull();
    expect((await one.finalize(COMMITS.v2)).finished).toEqual([false, 'Staged deployment already unlocked']);
    await host.rebootNow();
    expect(host.state().deployments[0]?.version).toBe(VERSIONS.v2);
  });

  test('comes up late', async () => {
    const host = await machine();
    host.setFault('slowActivation', { ms: 300, times: 1 });
    const one = await client(host);
    const before = performance.now();
    await one.sysroot('Reload');
    expect(performance.now() - before).toBeGreaterThanOrEqual(300);
  });
});

describe('a transaction', () => {
  test('downloads slowly, with progress', async () => {
    const host = await machine();
    host.setFault('slow', { ms: 40, steps: 4 });
    const one = await client(host);
    const { signals } = await one.deploy(v2);
    const progress = signals.filter(([name]) => name === 'DownloadProgress');
    expect(progress).toHaveLength(4);
    expect(progress.at(-1)?.[5]).toEqual([10_000, 10_000]);
  });

  test('downloads an image, with progress in percent', async () => {
    const host = await machine({ graph: IMAGE_GRAPH });
    host.setFault('slow', { ms: 40, steps: 4 });
    const one = await client(host);
    const { signals } = await one.deploy(DIGESTS.v2);
    expect(signals.filter(([name]) => name === 'PercentProgress').map(([, , percent]) => percent)).toEqual([
      25, 50, 75, 100,
    ]);
  });

  test('ends its stream without Finished', async () => {
    const host = await machine();
    host.setFault('vanish', { at: 'done', times: 1 });
    const one = await client(host);
    expect((await one.stageLocked(v2)).finished).toBeNull();
    expect(host.state().deployments[0]?.staged).toBe(true);
    expect(await host.daemonPid()).not.toBeNull();
    expect((await one.run('Cleanup', 'as', ['pending-deploy'])).finished).toEqual([true, '']);
  });

  test('sends nonsense: the stream ends for whoever reads it, the work is done', async () => {
    const host = await machine();
    host.setFault('garbage', { times: 1 });
    const one = await client(host);
    expect((await one.stageLocked(v2)).finished).toBeNull();
    await host.until(({ deployments: [first] }) => first?.staged === true);
  });

  test('fails for want of a network, is cancelled, answers Start late', async () => {
    const host = await machine();
    const one = await client(host);
    host.setFault('fail', { times: 1 });
    expect((await one.deploy(v2)).finished?.[1]).toMatch(/^While fetching .*: \[7\] Couldn't connect to server$/);
    host.setFault('cancel', { times: 1 });
    expect((await one.deploy(v2)).finished).toEqual([false, 'Operation was cancelled']);
    host.setFault('lateStart', { times: 1 });
    const seen = await one.deploy(v2);
    expect([seen.started, seen.finished]).toEqual([true, [true, '']]);
    expect(host.faults()).toEqual({});
  });

  test('has its socket later than its address', async () => {
    const host = await machine();
    host.setFault('lateSocket', { ms: 60, times: 1 });
    const one = await client(host);
    const address = await one.os('Deploy', 'sa{sv}', v2, {});
    expect(existsSync(address.replace('unix:path=', ''))).toBe(false);
    expect((await follow(address)).finished).toEqual([true, '']);
  });

  test('stages something else than it was asked for', async () => {
    const host = await machine();
    host.setFault('wrongStaged', { stream: 'next', version: '44.1', checksum: COMMITS.v3, times: 1 });
    const one = await client(host);
    expect((await one.stageLocked(v2)).finished).toEqual([true, '']);
    expect(host.state().deployments[0]).toMatchObject({ stream: 'next', version: '44.1', base: COMMITS.v3 });
  });

  test('cannot begin: another tool, another client', async () => {
    const host = await machine();
    const one = await client(host);
    host.setFault('ostreeLocked', { times: 1 });
    await expect(one.deploy(v2)).rejects.toThrow('System transaction in progress');
    const other = await host.otherTransaction('dnf upgrade');
    await expect(one.deploy(v2)).rejects.toThrow('Transaction in progress: dnf upgrade');
    await other.finish();
    expect((await one.deploy(v2)).finished).toEqual([true, '']);
  });

  test('is not allowed, and open methods are', async () => {
    const host = await machine();
    const one = await client(host);
    const refused = { errorName: 'org.freedesktop.DBus.Error.AccessDenied' };
    host.setFault('deny', { methods: ['RegisterClient'] });
    await expect(one.sysroot('RegisterClient', 'a{sv}', {})).rejects.toMatchObject(refused);
    expect((await one.deploy(v2)).finished).toEqual([true, '']);
    host.setFault('deny');
    await expect(one.deploy(v2)).rejects.toMatchObject(refused);
    await one.sysroot('Reload');
    host.clearFault('deny');
    expect((await one.deploy(v2)).finished).toEqual([true, '']);
  });

  test('registers no driver', async () => {
    const host = await machine();
    host.setFault('driverRefused', { text: 'no' });
    const one = await client(host);
    expect((await one.deploy('', { 'register-driver': text('x') })).finished).toEqual([false, 'no']);
    expect(host.state().driver).toBeNull();
  });
});

describe('the next boot', () => {
  test.each([
    ['discarded', [[VERSIONS.v1, true]]],
    [
      'not-booted',
      [
        [VERSIONS.v2, false],
        [VERSIONS.v1, true],
      ],
    ],
    [
      'rolled-back',
      [
        [VERSIONS.v1, true],
        [VERSIONS.v2, false],
      ],
    ],
  ])('does not show the update: %s', async (as, expected) => {
    const host = await machine();
    host.setFault('finalizeLost', { as, times: 1 });
    const one = await client(host);
    await one.stageLocked(v2);
    const booted = host.nextBoot();
    expect((await one.finalize(COMMITS.v2)).finished).toEqual([true, '']);
    expect((await booted).deployments.map(({ version, booted: is }) => [version, is])).toEqual(expected);
    expect(host.state().bootCount).toBe(2);
    expect(host.faults()).toEqual({});
  });

  test('never comes', async () => {
    const host = await machine();
    host.setFault('rebootLost', { times: 1 });
    const one = await client(host);
    await one.deploy(v2);
    expect((await one.finalize(COMMITS.v2, { 'allow-unlocked': flag(true) })).finished).toEqual([true, '']);
    await expect.poll(() => host.faults()).toEqual({});
    expect(host.state().bootCount).toBe(1);
    await host.rebootNow();
    expect(host.state().deployments[0]?.version).toBe(VERSIONS.v2);
  });
});

test('somebody writes nonsense into the file of a fault: the transaction says where and what', async () => {
  const host = await machine();
  writeFileSync(joinPath(host.dir, 'faults', 'slow.json'), '{"ms":"long"}');
  const one = await client(host);
  const seen = await one.deploy(v2);
  expect(seen.finished).toEqual([
    false,
    expect.stringMatching(/slow\.json: expected an object with some of times, ms/),
  ]);
});
