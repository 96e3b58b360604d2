import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, inject } from 'vitest';
import type { Simulated } from './simulated.ts';

/** Whether these tests run as root, who tells apart who calls; everybody else is only who he is. */
export const ROOT = process.getuid?.() === 0;
/** Not root, where there is somebody else to be. */
export const UID = ROOT ? 65_534 : (process.getuid?.() ?? -1);

/** How a program ended, and what it wrote. */
export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program as this user, on the bus of the host. */
export function ranAs({ machine }: Simulated, uid: number, ...program: string[]): Promise<Ran> {
  const as = ROOT && uid !== 0 ? ['setpriv', `--reuid=${uid}`, '--clear-groups', '--'] : [];
  const [file = '', ...args] = [...as, ...program];
  const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: machine.busAddress };
  return new Promise((resolve) => {
    const child = execFile(file, args, { env }, (_, out, err) => resolve({ status: child.exitCode ?? -1, out, err }));
  });
}

/** Puts the bundle where every user can read it, for the tests of a file; gives the way to run it. */
export function bundleForAll(): (one: Simulated, uid: number, ...argv: string[]) => Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'hp-for-all-'));
  beforeAll(() => {
    chmodSync(folder, 0o755);
    cpSync(inject('bundle'), folder, { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (one, uid, ...argv) => ranAs(one, uid, process.execPath, join(folder, 'holdpoint.js'), ...argv);
}
