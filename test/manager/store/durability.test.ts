// What the embedded store asks LevelDB for, and what it does when that fails after all was done.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type * as Library from 'classic-level';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { openEmbeddedStore } from '../../../src/manager/store/embedded.ts';
import type { AuditBounds, Store } from '../../../src/manager/store/store.ts';
import { kept, many } from './documents.ts';
import { after, BOUNDS, step } from './steps.ts';

/** A write as the library was asked for it. */
interface Write {
  readonly sync: boolean;
  readonly deleted: readonly string[];
}

const library = vi.hoisted(() => ({
  writes: [] as Write[],
  /** Called once when the next write has been done; what it throws is that write's failure. */
  next: null as (() => void) | null,
}));

// The library itself, whose batches are watched.
vi.mock('classic-level', async (original) => {
  const real = await original<typeof Library>();
  const construct = (made: typeof Library.ClassicLevel, [path, options]: [string, object]): Library.ClassicLevel => {
    const database = new made(path, options);
    const begin = database.batch.bind(database) as () => Batch;
    return Object.assign(database, { batch: () => watched(begin()) });
  };
  return { ...real, ClassicLevel: new Proxy(real.ClassicLevel, { construct }) };
});

type Batch = ReturnType<Library.ClassicLevel['batch']>;

function watched(batch: Batch): Batch {
  const deleted: string[] = [];
  const [del, write] = [batch.del.bind(batch), batch.write.bind(batch)];
  return Object.assign(batch, {
    del: (key: string) => {
      deleted.push(key);
      return del(key);
    },
    write: async (options: { readonly sync?: boolean } = {}) => {
      await write(options);
      library.writes.push({ sync: options.sync === true, deleted });
      const happens = library.next;
      library.next = null;
      happens?.();
    },
  });
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'hp-durable-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function open(path: string, audit: AuditBounds = BOUNDS): Promise<Store> {
  library.writes.length = 0;
  const store = await openEmbeddedStore({ path, clock: () => Date.now(), audit });
  onTestFinished(() => store.close());
  return store;
}

/** Checks that a store has what these many steps left, each record with a number of its own. */
async function expectSteps(store: Store, count: number): Promise<void> {
  const { groups, fleet, audit } = after(many(count, (index) => step(index)));
  expect(kept(store.state)).toEqual({ groups, fleet });
  const records = await store.history({ most: 1_000 });
  expect(records).toHaveLength(audit.length);
  expect(records).toMatchObject(audit);
}

function fail(): void {
  throw new Error('Input/output error');
}

test('every change is on the disk before it is acknowledged; a note need not be', async () => {
  const store = await open(folder());
  for (const index of many(5, (each) => each)) await store.commit(step(index), []);
  expect(library.writes.map(({ sync }) => sync)).toEqual(many(5, () => true));
  await store.writeNote('seen/g', 'x');
  expect(library.writes.at(-1)).toMatchObject({ sync: false });
});

test('a part of the audit that is too old is deleted once', async () => {
  const store = await open(folder(), { ...BOUNDS, mostRecords: 20 });
  for (const index of many(400, (each) => each)) await store.commit(step(index), []);
  const deleted = library.writes.flatMap((write) => write.deleted);
  expect(deleted.length).toBeGreaterThan(50);
  expect(new Set(deleted).size).toBe(deleted.length);
});

describe('a write that fails when all of it is done', () => {
  test('counts, and the numbers of the records go on', async () => {
    const path = folder();
    const store = await open(path);
    await store.commit(step(0), []);
    library.next = fail;
    expect(await store.commit(step(1), [])).toBe('committed');
    expect(await store.commit(step(2), [])).toBe('committed');
    await expectSteps(store, 3);
    await store.close();
    await expectSteps(await open(path), 3);
  });

  test('and of which nothing can be told: what was decided before it is known is a conflict', async () => {
    const path = folder();
    const current = join(path, 'CURRENT');
    const store = await open(path);
    await store.commit(step(0), []);
    library.next = () => {
      // Without this file the database does not open.
      renameSync(current, `${current}.away`);
      fail();
    };
    await expect(store.commit(step(1), [])).rejects.toMatchObject({ kind: 'ambiguous' });
    renameSync(`${current}.away`, current);
    expect(await store.commit(step(2), [])).toBe('conflict');
    await expectSteps(store, 2);
    expect(await store.commit(step(2), [])).toBe('committed');
    await expectSteps(store, 3);
  });
});

/** Whether the calls of a process can be looked at here: some containers do not permit it. */
const isTraceable = spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0;

function childrenOf(pid: number | undefined): readonly number[] {
  const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return pids === '' ? [] : pids.split(' ').map(Number);
}

test.skipIf(!isTraceable)('the kernel is asked to put the log on the disk before each acknowledgement', async () => {
  const path = folder();
  const trace = join(folder(), 'trace');
  const program = [process.execPath, join(inject('bundle'), 'embedded-store.js'), 'endless', path, '0'];
  // With the names of the files, and with all threads: the library writes in one of its own.
  const one = spawn('strace', ['-f', '-y', '-e', 'trace=fdatasync,fsync', '-o', trace, ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(one, 'exit');
  let acknowledged = 0;
  for await (const line of createInterface(one.stdout)) {
    if (line.includes('committed')) acknowledged += 1;
    if (acknowledged === 40) for (const pid of childrenOf(one.pid)) process.kill(pid, 'SIGKILL');
  }
  // Only now all of the trace is written.
  await ended;
  const synced = readFileSync(trace, 'utf8').match(/f(data)?sync\(\d+<[^>]*\.log>/g) ?? [];
  expect(synced.length).toBeGreaterThanOrEqual(acknowledged);
});
