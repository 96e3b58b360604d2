import { readlinkSync, rmSync, symlinkSync, watch } from 'node:fs';
import { join } from 'node:path';
import { readCapped } from '../base/files.ts';
import type { Deployment, HostState } from './api.ts';
import { parseCatalogue } from './catalogue.ts';
import type { Release } from './catalogue.ts';
import { FaultFolder } from './faults.ts';
import { replaceFile } from './files.ts';
import { misfit } from './shape.ts';
import type { ShapeOf } from './shape.ts';

const STATE: ShapeOf<HostState> = {
  osname: 'string',
  machineId: 'string',
  platform: 'string',
  basearch: 'string',
  bootId: 'string',
  bootCount: 'number',
  deployments: 'list',
  refs: 'strings',
  writes: 'number',
  driver: 'string or null',
  automaticUpdatePolicy: 'string',
  idleMs: 'number',
};

const DEPLOYMENT: ShapeOf<Deployment> = {
  kind: 'string',
  origin: 'string',
  checksum: 'string',
  base: 'string',
  digest: 'string or null',
  version: 'string',
  stream: 'string',
  basearch: 'string',
  timestamp: 'number',
  packages: 'strings',
  serial: 'number',
  booted: 'boolean',
  staged: 'boolean',
  locked: 'boolean',
  pinned: 'boolean',
};

const LARGEST = 32 * 1024 * 1024;

/** The folder of a simulated host, shared by the processes of the simulation. */
export class HostFolder {
  readonly dir: string;
  readonly faults: FaultFolder;

  constructor(dir: string) {
    this.dir = dir;
    this.faults = new FaultFolder(dir);
  }

  /** The socket of transactions; one runs at a time. */
  get transactionSocket(): string {
    return join(this.dir, 'transaction.sock');
  }

  /** Throws, naming the file, when there is no state or it is not one. */
  read(): HostState {
    const value: unknown = JSON.parse(this.text('host.json'));
    if (isState(value)) return value;
    throw new Error(`${join(this.dir, 'host.json')}: ${misfit(STATE, value) ?? 'a deployment is malformed'}`);
  }

  /** Writes the state, whatever it was. */
  write(state: HostState): void {
    replaceFile(join(this.dir, 'host.json'), `${JSON.stringify(state, null, 1)}\n`);
  }

  /** Changes the state in one step, against changes by other processes. */
  update(change: (state: HostState) => HostState): HostState {
    return locked(join(this.dir, 'host.lock'), () => {
      const next = change(this.read());
      this.write(next);
      return next;
    });
  }

  /** Calls `handler` after the state may have changed; returns the way to stop. */
  watch(handler: () => void): () => void {
    const watcher = watch(this.dir, (_event, file) => {
      if (file === 'host.json') handler();
    });
    return () => watcher.close();
  }

  catalogue(): readonly Release[] {
    return parseCatalogue(this.text('catalogue.json'));
  }

  writeCatalogue(releases: readonly Release[]): void {
    replaceFile(join(this.dir, 'catalogue.json'), JSON.stringify(releases));
  }

  private text(file: string): string {
    const path = join(this.dir, file);
    const text = readCapped(path, LARGEST);
    if (text === null) throw new Error(`${path}: is missing; is this the folder of a simulated host?`);
    return text;
  }
}

/** Runs `work` while holding a lock: a link that names the process which holds it, so that a dead holder's is broken. */
function locked<Result>(path: string, work: () => Result): Result {
  while (!acquire(path)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  try {
    return work();
  } finally {
    rmSync(path, { force: true });
  }
}

function acquire(path: string): boolean {
  try {
    symlinkSync(String(process.pid), path);
    return true;
  } catch {
    if (!holderLives(path)) rmSync(path, { force: true });
    return false;
  }
}

function holderLives(path: string): boolean {
  try {
    process.kill(Number(readlinkSync(path)), 0);
    return true;
  } catch {
    return false;
  }
}

function isState(value: unknown): value is HostState {
  return (
    misfit(STATE, value) === null &&
    typeof value === 'object' &&
    value !== null &&
    'deployments' in value &&
    Array.isArray(value.deployments) &&
    value.deployments.every((item: unknown) => misfit(DEPLOYMENT, item) === null)
  );
}
