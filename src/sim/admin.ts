import { setTimeout as delay } from 'node:timers/promises';
import { Variant } from 'dbus-next/lib/variant.js';
import type { AdminStages, HostState, OtherTransaction } from './api.ts';
import { imageReferenceOf, refspecOf } from './catalogue.ts';
import type { Release } from './catalogue.ts';
import { bootedOf, stage } from './ostree.ts';
import { osPath } from './rpm-ostreed/properties.ts';
import { BUS_NAME, OS, ROOT_PATH, SYSROOT, TRANSACTION } from './rpm-ostreed/interfaces.ts';
import { BusConnection, connectPeer } from './wire/bus.ts';

const ON_PEER = { path: '/', interface: TRANSACTION.name } as const;

/** The host after an administrator has staged something. Throws when the catalogue does not have it. */
export function adminStaged(state: HostState, catalogue: readonly Release[], what: AdminStages): HostState {
  const booted = bootedOf(state);
  const stream = what.stream ?? booted.stream;
  const version = what.version ?? booted.version;
  const release = catalogue.find(
    (other) => other.kind === booted.kind && other.stream === stream && other.version === version,
  );
  if (release === undefined) throw new Error(`${version}: not a release of ${stream} in the catalogue`);
  const changed = booted.kind === 'ostree' ? refspecOf(release) : imageReferenceOf(release);
  const origin = stream === booted.stream ? booted.origin : changed;
  return stage(state, { release, origin, packages: what.packages ?? booted.packages, locked: what.locked ?? false });
}

/** Begins a transaction as another client of this bus and keeps it running until it is told to finish. */
export async function holdTransaction(address: string, osname: string, title: string): Promise<OtherTransaction> {
  const bus = await BusConnection.open(address);
  const options = {
    'initiating-command-line': new Variant('s', title),
    'holdpoint-sim-hold': new Variant('b', true),
  };
  const os = { destination: BUS_NAME, path: osPath(osname), interface: OS.name };
  const [transaction] = await bus.call({ ...os, member: 'RefreshMd', signature: 'a{sv}', body: [options] });
  const peer = await connectPeer(String(transaction));
  await peer.call({ ...ON_PEER, member: 'Start' });
  return {
    finish: async () => {
      await peer.call({ ...ON_PEER, member: 'Cancel' });
      peer.close();
      while (await isBusy(bus)) await delay(1);
      bus.connection.close();
    },
  };
}

async function isBusy(bus: BusConnection): Promise<boolean> {
  const [value] = await bus.call({
    destination: BUS_NAME,
    path: `${ROOT_PATH}/Sysroot`,
    interface: 'org.freedesktop.DBus.Properties',
    member: 'Get',
    signature: 'ss',
    body: [SYSROOT.name, 'ActiveTransactionPath'],
  });
  return value instanceof Variant && value.value !== '';
}

/** Cancels the transaction behind this socket; false when there is none. */
export async function cancelAt(socket: string): Promise<boolean> {
  try {
    const peer = await connectPeer(`unix:path=${socket}`);
    await peer.call({ ...ON_PEER, member: 'Cancel' });
    peer.close();
    return true;
  } catch {
    return false;
  }
}
