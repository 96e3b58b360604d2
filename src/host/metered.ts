import type { Bus } from '../bus/api.ts';
import { type Property, PROPERTIES, readProperty, tellsOf } from './property.ts';

const NAME = 'org.freedesktop.NetworkManager';
const METERED: Property = {
  service: NAME,
  path: '/org/freedesktop/NetworkManager',
  interface: NAME,
  name: 'Metered',
  type: 'u',
};

/** NetworkManager's `NMMetered`: yes, no, and what it guesses from the device and from DHCP. 0 means unknown. */
const MEANING: ReadonlyMap<unknown, boolean> = new Map([
  [1, true],
  [2, false],
  [3, true],
  [4, false],
]);

/**
 * Whether traffic of the primary connection costs, as NetworkManager says or guesses; null where it does not know, or
 * does not answer within 5 s, or there is none (it is not started for this). Never rejects.
 */
export async function readMetered(bus: Bus): Promise<boolean | null> {
  return MEANING.get(await readProperty(bus, METERED, { timeoutMs: 5_000, autoStart: false })) ?? null;
}

/**
 * Calls `changed` whenever the answer of `readMetered` may have changed: NetworkManager says so, appears or goes, or the
 * bus was connected to (so once at first). Returns the way to stop.
 */
export function watchMetered(bus: Bus, changed: () => void): () => void {
  const { service: sender, path } = METERED;
  const match = { sender, path, interface: PROPERTIES, member: 'PropertiesChanged' };
  const stopSignals = bus.watch(match, (signal) => {
    // NetworkManager tells of much else, some of it every few seconds.
    if (tellsOf(signal, METERED.interface, [METERED.name])) changed();
  });
  const stopOwner = bus.watchOwner(sender, () => changed());
  return () => {
    stopSignals();
    stopOwner();
  };
}
