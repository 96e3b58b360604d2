import type { Bus } from '../bus/api.ts';
import { type Property, readProperty } from './property.ts';

const NAME = 'org.freedesktop.timedate1';
const SYNCHRONIZED: Property = {
  service: NAME,
  path: '/org/freedesktop/timedate1',
  interface: NAME,
  name: 'NTPSynchronized',
  type: 'b',
};

/**
 * Whether the kernel takes the clock for synchronised, whoever does that (chrony, systemd-timesyncd, …); null where
 * nobody can tell within 10 s. systemd-timedated is started for this, and never says when it changes: ask again, and no
 * more once it is true. Never rejects.
 */
export async function readClockSynced(bus: Bus): Promise<boolean | null> {
  const value = await readProperty(bus, SYNCHRONIZED, { timeoutMs: 10_000, autoStart: true });
  return typeof value === 'boolean' ? value : null;
}
