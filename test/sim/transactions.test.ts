import { Variant } from 'dbus-next/lib/variant.js';
import { describe, expect, test } from 'vitest';
import type { Seen } from '../support/sim-host.ts';
import {
  ask,
  client,
  COMMITS,
  DIGESTS,
  flag,
  follow,
  IMAGE,
  IMAGE_GRAPH,
  join,
  machine,
  plain,
  text,
  VERSIONS,
} from '../support/sim-host.ts';

const CODE = 'org.gtk.GDBus.UnmappedGError.Quark._g_2dio_2derror_2dquark.Code';
const v2 = `revision=${COMMITS.v2}`;

function names(seen: Seen): string[] {
  return seen.signals.map(([name]) => name);
}

describe('staging', () => {
  test('reports progress and Finished last, after DefaultDeployment has changed', async () => {
    const host = await machine();
    const one = await client(host);
    await one.bus.call({
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member: 'AddMatch',
      signature: 's',
      body: ["type='signal',member='PropertiesChanged'"],
    });
    const changes: unknown[] = [];
    one.bus.connection.onSignal(({ member, body }) => {
      if (member === 'PropertiesChanged') changes.push(plain(body[1]));
    });
    const seen = await one.stageLocked(v2);
    expect(seen.started).toBe(true);
    expect(seen.finished).toEqual([true, '']);
    expect(names(seen)).toContain('DownloadProgress');
    expect(names(seen).at(-1)).toBe('Finished');
    await one.sysroot('Reload');
    expect(changes).toContainEqual(
      expect.objectContaining({ DefaultDeployment: expect.objectContaining({ version: VERSIONS.v2 }) as unknown }),
    );
    expect(host.state().deployments[0]).toMatchObject({ staged: true, locked: true });
  });

  test('ignores an option of the wrong type: an update thought to be locked is not', async () => {
    const host = await machine();
    const one = await client(host);
    await one.deploy(v2, { 'lock-finalization': text('true'), nonsense: flag(true) });
    expect(host.state().deployments[0]).toMatchObject({ staged: true, locked: false });
  });

  test('of what is staged or booted already changes nothing, the lock included', async () => {
    const host = await machine();
    const one = await client(host);
    await one.deploy(v2);
    const again = await one.stageLocked(v2);
    expect(again.signals).toContainEqual(['Message', 'No change.']);
    expect(host.state().deployments[0]?.locked).toBe(false);
    await one.run('Cleanup', 'as', ['pending-deploy']);
    expect((await one.deploy(`revision=${COMMITS.v1}`)).signals).toContainEqual(['Message', 'No change.']);
    expect(host.state().deployments).toHaveLength(1);
  });

  test('compares with the pending deployment when a downgrade is not allowed', async () => {
    const host = await machine();
    const one = await client(host);
    await one.deploy(`revision=${COMMITS.v3}`);
    const older = await one.deploy(v2, { 'allow-downgrade': flag(false) });
    expect(older.finished).toEqual([false, expect.stringContaining('is chronologically older than current revision')]);
    expect((await one.deploy(v2)).finished).toEqual([true, '']);
  });

  test('of what does not exist fails with the text of ostree or of the registry', async () => {
    const host = await machine({ otherGraphs: [{ stream: 'testing', text: IMAGE_GRAPH }] });
    const one = await client(host);
    const strange = 'f'.repeat(64);
    const origin = 'fedora:fedora/x86_64/coreos/testing';
    expect((await one.deploy(`revision=${strange}`)).finished).toEqual([
      false,
      `Checksum ${strange} not found in ${origin}`,
    ]);
    const refs = await one.run('Rebase', 'a{sv}sas', {}, origin, []);
    expect(refs.finished).toEqual([false, expect.stringContaining('Old and new refs are equal')]);
    const image = await one.run('Rebase', 'a{sv}sas', { revision: text(`sha256:${strange}`) }, IMAGE, []);
    expect(image.finished).toEqual([false, expect.stringContaining('manifest unknown')]);
  });

  test('of the same image again makes another commit of it', async () => {
    const host = await machine({ graph: IMAGE_GRAPH });
    const one = await client(host);
    await one.stageLocked(DIGESTS.v2);
    const [first] = host.state().deployments;
    await one.stageLocked(DIGESTS.v2);
    const [second] = host.state().deployments;
    expect(second).toMatchObject({ digest: first?.digest, staged: true });
    expect(second?.checksum).not.toBe(first?.checksum);
    const booted = host.nextBoot();
    expect((await one.finalize(DIGESTS.v2)).finished).toEqual([true, '']);
    await booted;
    expect(host.state().deployments[0]).toMatchObject({ digest: DIGESTS.v2, booted: true });
  });
});

describe('finalizing', () => {
  test('checks in order: staged, checksum, inhibitors, lock', async () => {
    const host = await machine();
    const one = await client(host);
    expect((await one.finalize(COMMITS.v2)).finished).toEqual([false, 'No pending staged deployment found']);
    await one.deploy(v2);
    host.setInhibitors([{ what: 'shutdown', who: 'dnf', why: 'installing', mode: 'block' }]);
    expect((await one.finalize(COMMITS.v3)).finished).toEqual([
      false,
      `Expected staged base checksum ${COMMITS.v3}, but found ${COMMITS.v2}`,
    ]);
    expect((await one.finalize(COMMITS.v2)).finished).toEqual([
      false,
      'Reboot blocked by a systemd inhibitor lock in `block` mode\nHeld by: dnf (installing)',
    ]);
    host.setInhibitors([{ what: 'sleep', who: 'x', why: 'y', mode: 'block' }]);
    expect((await one.finalize(COMMITS.v2)).finished).toEqual([false, 'Staged deployment already unlocked']);
    const booted = host.nextBoot();
    expect((await one.finalize(COMMITS.v2, { 'allow-unlocked': flag(true) })).finished).toEqual([true, '']);
    expect((await booted).deployments[0]).toMatchObject({ version: VERSIONS.v2, booted: true });
  });

  test('lets nothing begin after it has succeeded', async () => {
    const host = await machine();
    host.setFault('rebootLost');
    const one = await client(host);
    await one.stageLocked(v2);
    expect((await one.finalize(COMMITS.v2)).finished).toEqual([true, '']);
    await expect(one.finalize(COMMITS.v2)).rejects.toMatchObject({
      errorName: `${CODE}0`,
      message: 'Reboot initiated, cannot start new transaction',
    });
    await host.killDaemon();
    expect((await one.finalize(COMMITS.v2)).finished).toEqual([false, 'Staged deployment already unlocked']);
  });
});

describe('one at a time', () => {
  test('the same call joins, another is refused while a peer stays', async () => {
    const host = await machine();
    const one = await client(host);
    const two = await client(host);
    const options = { 'initiating-command-line': text('the first') };
    const address = await one.os('Deploy', 'sa{sv}', v2, options);
    expect(await two.os('Deploy', 'sa{sv}', v2, options)).toBe(address);
    const refusal = { errorName: `${CODE}26`, message: expect.stringContaining('in progress: the first') as unknown };
    await expect(two.os('Cleanup', 'as', [])).rejects.toMatchObject(refusal);
    const idler = await join(address);
    expect((await follow(address)).finished).toEqual([true, '']);
    expect(plain(await one.properties('Sysroot'))).toMatchObject({
      ActiveTransaction: ['Deploy', expect.stringMatching(/^:1\./), address],
      ActiveTransactionPath: address,
    });
    await expect(two.os('Cleanup', 'as', [])).rejects.toMatchObject(refusal);
    idler.close();
    await idler.closed;
    await expect.poll(async () => plain((await one.properties('Sysroot'))['ActiveTransactionPath'])).toBe('');
    expect((await two.run('Cleanup', 'as', ['pending-deploy'])).finished).toEqual([true, '']);
  });

  test('Start is true once; whoever comes after Finished is told', async () => {
    const host = await machine();
    const one = await client(host);
    const address = await one.os('Deploy', 'sa{sv}', v2, {});
    const first = await join(address);
    const finished = new Promise((resolve) => first.onSignal(({ member }) => member === 'Finished' && resolve(null)));
    expect(await ask(first, 'Start')).toBe(true);
    await finished;
    const late = await join(address);
    const told = new Promise((resolve) => late.onSignal(({ body }) => resolve(body)));
    expect(await ask(late, 'Start')).toBe(false);
    expect(await told).toEqual([true, '']);
    first.close();
    late.close();
  });

  test('a caller whose name vanishes before Start takes its transaction along', async () => {
    const host = await machine();
    const one = await client(host);
    const address = await one.os('Deploy', 'sa{sv}', v2, {});
    const peer = await join(address);
    one.close();
    await peer.closed;
    const two = await client(host);
    expect((await two.run('Cleanup', 'as', [])).finished).toEqual([true, '']);
    expect(host.state().deployments).toHaveLength(1);
  });

  test('after Start nobody is needed any more', async () => {
    const host = await machine();
    host.setFault('slow', { ms: 50, steps: 5 });
    const one = await client(host);
    const peer = await join(await one.os('Deploy', 'sa{sv}', v2, {}));
    await ask(peer, 'Start');
    peer.close();
    one.close();
    const { deployments } = await host.until(({ deployments: [first] }) => first?.staged === true);
    expect(deployments[0]?.base).toBe(COMMITS.v2);
  });

  test('anybody may cancel', async () => {
    const host = await machine();
    host.setFault('hang', { times: 1 });
    const one = await client(host);
    const address = await one.os('Deploy', 'sa{sv}', v2, {});
    const followed = follow(address);
    await expect.poll(() => host.faults()).toEqual({});
    expect(await host.cancelTransaction()).toBe(true);
    expect((await followed).finished).toEqual([false, expect.stringContaining('Operation was cancelled')]);
    expect(host.state().deployments).toHaveLength(1);
    expect((await one.deploy(v2)).finished).toEqual([true, '']);
  });

  test('a peer-to-peer socket knows no Hello, and Hello does no harm', async () => {
    const host = await machine();
    const one = await client(host);
    const peer = await join(await one.os('Deploy', 'sa{sv}', v2, {}));
    const hello = { path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus', member: 'Hello' };
    await expect(peer.call(hello)).rejects.toMatchObject({
      errorName: 'org.freedesktop.DBus.Error.UnknownMethod',
    });
    expect(await ask(peer, 'Start')).toBe(true);
    peer.close();
  });
});

test('rolls back, with a reboot when asked', async () => {
  const host = await machine();
  const one = await client(host);
  expect((await one.run('Rollback', 'a{sv}', {})).finished).toEqual([false, 'No rollback deployment found']);
  host.adminStages({ version: VERSIONS.v2 });
  await host.rebootNow();
  const two = await client(host);
  const booted = host.nextBoot();
  expect((await two.run('Rollback', 'a{sv}', { reboot: new Variant('b', true) })).finished).toEqual([true, '']);
  expect((await booted).deployments.map(({ version, booted: is }) => [version, is])).toEqual([
    [VERSIONS.v1, true],
    [VERSIONS.v2, false],
  ]);
});

test('registers an update driver without deploying anything', async () => {
  const host = await machine();
  const one = await client(host);
  expect((await one.deploy('', { 'register-driver': text('Holdpoint') })).finished).toEqual([true, '']);
  expect(host.state()).toMatchObject({ driver: 'Holdpoint', deployments: [{ version: VERSIONS.v1 }] });
});

test('what is not simulated says so; arguments are checked', async () => {
  const host = await machine();
  const one = await client(host);
  await expect(one.os('Upgrade', 'a{sv}', {})).rejects.toMatchObject({
    errorName: 'org.freedesktop.DBus.Error.NotSupported',
  });
  await expect(one.os('Deploy', 's', 'x')).rejects.toMatchObject({
    errorName: 'org.freedesktop.DBus.Error.InvalidArgs',
  });
  await expect(one.os('Cleanup', 'as', ['everything'])).rejects.toThrow('Invalid cleanup type');
  await expect(one.sysroot('Nonsense')).rejects.toMatchObject({
    errorName: 'org.freedesktop.DBus.Error.UnknownMethod',
  });
});
