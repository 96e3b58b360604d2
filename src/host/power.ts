import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readCapped } from '../base/files.ts';
import { type Power, type Supply, judgePower } from './power-supplies.ts';

/** What the kernel gives for one attribute at most. */
const MAX_BYTES = 4096;
/** Of supplies, and of ports of one controller. */
const MAX_ENTRIES = 64;

/**
 * What powers this host, from `sys/class/power_supply` below `root`. The kernel tells nobody when it changes: ask again.
 * What cannot be read counts as not there. Never throws.
 */
export function readPower(root = '/'): Power {
  const dir = join(root, 'sys/class/power_supply');
  return judgePower(entriesOf(dir).map((name) => readSupply(join(dir, name))));
}

function readSupply(dir: string): Supply {
  const read = (name: string): string => attribute(join(dir, name));
  const ports = join(dir, 'device/typec');
  return {
    type: read('type'),
    online: read('online'),
    status: read('status'),
    scope: read('scope'),
    present: read('present'),
    powerRoles: entriesOf(ports).map((port) => attribute(join(ports, port, 'power_role'))),
  };
}

/** A battery may be pulled out, or not answer, while it is being asked. */
function attribute(path: string): string {
  try {
    return (readCapped(path, MAX_BYTES) ?? '').trim();
  } catch {
    return '';
  }
}

function entriesOf(dir: string): readonly string[] {
  try {
    return readdirSync(dir).sort().slice(0, MAX_ENTRIES);
  } catch {
    return [];
  }
}
