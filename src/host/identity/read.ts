import { join } from 'node:path';
import { readCapped } from '../../base/files.ts';
import { parseBootId, parseMachineId } from './parse.ts';

/** What this host says about itself in files. */
export interface HostFiles {
  readonly bootId: string;
  /** Null where the host has none; then the configuration must give the node's id. */
  readonly machineId: string | null;
  readonly cmdline: string;
}

const CAP = 64 * 1024;

/** Reads the host's own files below `root` (`/` on a real host). Throws, with the file's name, where one is malformed. */
export function readHostFiles(root: string): HostFiles {
  const read = (path: string): string | null => readCapped(join(root, path), CAP);
  const bootId = read('proc/sys/kernel/random/boot_id');
  if (bootId === null)
    throw new Error(`${join(root, 'proc/sys/kernel/random/boot_id')}: the id of this boot cannot be read`);
  const machineId = read('etc/machine-id');
  return {
    bootId: parseBootId(bootId),
    machineId: machineId === null ? null : parseMachineId(machineId),
    cmdline: read('proc/cmdline') ?? '',
  };
}
