import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Variant } from 'dbus-next/lib/variant.js';
import { describe, expect, test } from 'vitest';
import type { Machine } from '../../src/sim/machine.ts';
import { client, COMMITS, DIGESTS, GRAPH, IMAGE, IMAGE_GRAPH, machine, plain, VERSIONS } from '../support/sim-host.ts';

const run = promisify(execFile);
const SYSROOT = '/org/projectatomic/rpmostree1/Sysroot org.projectatomic.rpmostree1.Sysroot';
const OS = '/org/projectatomic/rpmostree1/fedora_coreos org.projectatomic.rpmostree1.OS';

function fixture(name: string): string {
  return readFileSync(join(import.meta.dirname, '../fixtures/rpm-ostree', name), 'utf8');
}

function recorded(name: string): Readonly<Record<string, unknown>> {
  return JSON.parse(fixture(name)) as Readonly<Record<string, unknown>>;
}

/** In the form of the recorded dumps. */
function dump(value: unknown): unknown {
  if (value instanceof Variant) return { sig: value.signature, value: dump(value.value) };
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return value.map(dump);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, dump(part)]));
  }
  return value;
}

/** Keys that depend on how the commit was built: absent in some of the recordings. */
const BUILD_KEYS = ['ostree.linux', 'ostree.bootable', 'ostree.importer.version'];

function withoutBuildKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutBuildKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !BUILD_KEYS.includes(key));
  return Object.fromEntries(entries.map(([key, part]) => [key, withoutBuildKeys(part)]));
}

/** Keys and signatures alone; JSON in a text counts by its keys. */
function form(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(form);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, key === 'sig' ? part : form(part)]));
  }
  if (typeof value !== 'string' || !value.startsWith('{')) return typeof value;
  return form(JSON.parse(value));
}

async function gdbusIntrospect(host: Machine, path: string): Promise<string> {
  const name = 'org.projectatomic.rpmostree1';
  const args = ['--address', host.busAddress, '--dest', name, '--object-path', path, '--xml'];
  return (await run('gdbus', ['introspect', ...args])).stdout;
}

describe('introspection is the recorded one, byte for byte', () => {
  test.each([
    ['Sysroot.xml', '/org/projectatomic/rpmostree1/Sysroot'],
    ['fedora_coreos.xml', '/org/projectatomic/rpmostree1/fedora_coreos'],
  ])('%s', async (file, path) => {
    const host = await machine();
    const { bus } = await client(host);
    const call = { destination: 'org.projectatomic.rpmostree1', path, member: 'Introspect' };
    const [xml] = await bus.call({ ...call, interface: 'org.freedesktop.DBus.Introspectable' });
    expect(xml).toBe(fixture(file));
    expect((await gdbusIntrospect(host, path)).length).toBeGreaterThan(1000);
  });
});

describe('property dumps', () => {
  test('of one booted deployment', async () => {
    const host = await machine();
    const one = await client(host);
    const expected = recorded('getall-v1.json');
    const sysroot = await one.properties('Sysroot');
    expect(withoutBuildKeys(dump(sysroot))).toEqual(withoutBuildKeys(expected[SYSROOT]));
    expect(withoutBuildKeys(dump(await one.properties('OS')))).toEqual(withoutBuildKeys(expected[OS]));
  });

  test('after an update: the rollback knows what is pending on its branch', async () => {
    const host = await machine();
    host.adminStages({ version: VERSIONS.v3 });
    await host.rebootNow();
    const one = await client(host);
    const expected = recorded('getall-v3-booted.json');
    expect(withoutBuildKeys(dump(await one.properties('Sysroot')))).toEqual(withoutBuildKeys(expected[SYSROOT]));
    expect(withoutBuildKeys(dump(await one.properties('OS')))).toEqual(withoutBuildKeys(expected[OS]));
  });

  test('of a staged deployment, its build keys included', async () => {
    const host = await machine();
    const one = await client(host);
    await one.stageLocked(`revision=${COMMITS.v2}`);
    const staged = dump((await one.properties('OS'))['DefaultDeployment']);
    const expected = recorded('default-staged.json');
    expect(form(staged)).toEqual(form(expected));
    expect(withoutBuildKeys(staged)).toEqual(withoutBuildKeys(expected));
  });

  test('of a host that was rebased to an image and has the next one staged', async () => {
    const host = await machine({ otherGraphs: [{ stream: 'testing', text: IMAGE_GRAPH }] });
    const one = await client(host);
    const rebased = await one.run('Rebase', 'a{sv}sas', { revision: new Variant('s', DIGESTS.v1) }, IMAGE, []);
    expect(rebased.finished).toEqual([true, '']);
    await host.rebootNow();
    const two = await client(host);
    await two.stageLocked(DIGESTS.v2);
    const expected = recorded('getall-container.json');
    const found = { [SYSROOT]: dump(await two.properties('Sysroot')), [OS]: dump(await two.properties('OS')) };
    const wanted = { [SYSROOT]: expected[SYSROOT], [OS]: expected[OS] };
    expect(withoutBuildKeys(form(found))).toEqual(withoutBuildKeys(form(wanted)));
    expect(plain(await two.properties('OS'))).toMatchObject({
      DefaultDeployment: { version: VERSIONS.v2, 'container-image-reference-digest': DIGESTS.v2, staged: true },
      BootedDeployment: { 'container-image-reference': IMAGE, timestamp: 1767225600n },
      RollbackDeployment: { origin: 'fedora:fedora/x86_64/coreos/testing' },
    });
  });

  test('of a layered deployment: base beside the layered commit, kept by an update', async () => {
    const host = await machine({ packages: ['vim'] });
    const one = await client(host);
    await one.stageLocked(`revision=${COMMITS.v2}`);
    const { DefaultDeployment, BootedDeployment } = plain(await one.properties('OS')) as Record<
      string,
      Record<string, unknown>
    >;
    expect(BootedDeployment).toMatchObject({ 'base-checksum': COMMITS.v1, 'requested-packages': ['vim'] });
    expect(DefaultDeployment).toMatchObject({ 'base-checksum': COMMITS.v2, 'base-version': VERSIONS.v2 });
    expect(DefaultDeployment?.['checksum']).not.toBe(COMMITS.v2);
  });

  test('lists the objects, knows GetOS, and refuses to write', async () => {
    const host = await machine({ graph: GRAPH });
    const one = await client(host);
    const name = 'org.projectatomic.rpmostree1';
    const manager = { path: '/org/projectatomic/rpmostree1', interface: 'org.freedesktop.DBus.ObjectManager' };
    const [managed] = await one.bus.call({ destination: name, ...manager, member: 'GetManagedObjects' });
    const shown = Object.entries(managed as object).map(([path, list]) => [path, Object.keys(list as object)]);
    const { managed: expected } = recorded('getall-v1.json');
    expect(Object.fromEntries(shown)).toEqual(expected);
    expect(await one.sysroot('GetOS', 's', 'fedora-coreos')).toEqual(['/org/projectatomic/rpmostree1/fedora_coreos']);
    await expect(one.sysroot('GetOS', 's', 'nope')).rejects.toMatchObject({
      errorName: 'org.gtk.GDBus.UnmappedGError.Quark._g_2dio_2derror_2dquark.Code1',
      message: 'OS name "nope" not found',
    });
    const path = '/org/projectatomic/rpmostree1/Sysroot';
    const set = { destination: name, path, interface: 'org.freedesktop.DBus.Properties', member: 'Set' };
    const body = [`${name}.Sysroot`, 'Path', new Variant('s', '/x')];
    await expect(one.bus.call({ ...set, signature: 'ssv', body })).rejects.toThrow('not writable');
  });
});
