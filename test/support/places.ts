// Where the state of a fleet is kept while one manager after the other dies.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedStore } from '../../src/manager/store/embedded.ts';
import { openEtcdStore } from '../../src/manager/store/etcd.ts';
import type { Store } from '../../src/manager/store/store.ts';
import { startEtcd } from './etcd.ts';
import { AUDIT } from './manager.ts';

const ENOUGH_FREE = 2 * 1024 * 1024 * 1024;

/** A place for the state of one fleet at a time. */
export interface Place {
  /** What somebody sent here who is dead now may still arrive. */
  readonly isFar: boolean;
  /** From now on nothing has ever been written here. Nobody may have it open. */
  empty(): Promise<void>;
  /** Opens what is here. `now` in ms since 1970. */
  open(now: () => number): Promise<Store>;
  /** The process of whoever has opened it ends at this moment. What its leftovers do to files after that is not seen. */
  cut(): void;
  /** Removes it. Nobody may have it open. */
  end(): Promise<void>;
}

/** A database in a folder in memory: writes are as they are on a disk, but the disk need not turn. */
export function embeddedPlace(): Place {
  const root = mkdtempSync(join(fastFolder(), 'hp-place-'));
  let made = 0;
  let folder = '';
  const next = (): string => join(root, String((made += 1)));
  return {
    isFar: false,
    empty: () => {
      for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
      folder = next();
      return Promise.resolve();
    },
    open: (now) => openEmbeddedStore({ path: folder, clock: now, audit: AUDIT }),
    cut: () => {
      const copy = next();
      while (!copied(folder, copy)) rmSync(copy, { recursive: true });
      folder = copy;
    },
    end: () => {
      rmSync(root, { recursive: true });
      return Promise.resolve();
    },
  };
}

/** A real etcd; it outlives the managers. */
export async function etcdPlace(): Promise<Place> {
  const etcd = await startEtcd({ folder: fastFolder() });
  return {
    isFar: true,
    empty: () => etcd.clear(),
    open: (now) =>
      openEtcdStore({
        endpoints: etcd.endpoints,
        // That of a busy machine is no failure: it would be tried again in virtual time only.
        timeoutMs: 30_000,
        clock: () => ({ wall: now(), mono: 0 }),
        audit: AUDIT,
        onWarning: () => undefined,
      }),
    cut: () => undefined,
    end: () => etcd.stop(),
  };
}

/**
 * Copies the files of a database that somebody writes to, as a process that is killed would leave them. False when files
 * came or went meanwhile: then some may not fit together. Files that stay only grow.
 */
function copied(from: string, to: string): boolean {
  mkdirSync(to, { mode: 0o700 });
  const names = readdirSync(from);
  for (const name of names) {
    if (name === 'LOCK') continue;
    try {
      copyFileSync(join(from, name), join(to, name));
    } catch {
      return false;
    }
  }
  return readdirSync(from).join('/') === names.join('/');
}

/** A folder in memory, if there is one with room for an etcd: in containers it is often small. */
function fastFolder(): string {
  const memory = '/dev/shm';
  if (!existsSync(memory)) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize > ENOUGH_FREE ? memory : tmpdir();
}
