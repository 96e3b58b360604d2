import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
import { ClassicLevel } from 'classic-level';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { encode } from '../../../src/manager/store/codec.ts';
import { openEmbeddedStore } from '../../../src/manager/store/embedded.ts';
import { type Store, StoreError, StoreInUse } from '../../../src/manager/store/store.ts';
import { storeContract } from './contract.ts';
import { change, document, good, kept, many } from './documents.ts';
import { after, BOUNDS, step } from './steps.ts';

/** How often the process is killed; more for a night. */
const KILLS = Number(process.env['STORE_KILLS'] ?? 20);

const temporary = (): string => mkdtempSync(join(tmpdir(), 'hp-store-'));

/** Overwrites a key behind the store's back. */
async function overwrite(path: string, key: string, text: string): Promise<void> {
  const database = new ClassicLevel(path);
  await database.put(key, text);
  await database.close();
}

storeContract(
  'embedded',
  async ({ clock, audit }) => {
    const path = temporary();
    const open = (): Promise<Store> => openEmbeddedStore({ path, clock, audit });
    let store = await open();
    return {
      store,
      reopen: async () => {
        await store.close();
        return (store = await open());
      },
      corrupt: async (group, text) => {
        await store.close();
        await overwrite(path, `group/${group}`, text);
      },
      end: async () => {
        await store.close();
        rmSync(path, { recursive: true });
      },
    };
  },
  { runs: 40, without: ['another'] },
);

/** A folder for one test. */
function folder(): string {
  const path = temporary();
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Opens a store that is closed when the test ends. */
async function open(path: string): Promise<Store> {
  const store = await openEmbeddedStore({ path, clock: () => Date.now(), audit: BOUNDS });
  onTestFinished(() => store.close());
  return store;
}

/** The error with which a store does not open. */
async function openingError(path: string): Promise<StoreError> {
  const error: unknown = await open(path).then(
    () => new Error('it opens'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StoreError);
  return error as StoreError;
}

/** Opens a copy of a store. */
async function copied(path: string): Promise<Store> {
  const copy = join(folder(), 'copy');
  cpSync(path, copy, { recursive: true });
  const store = await openEmbeddedStore({ path: copy, clock: () => Date.now(), audit: BOUNDS });
  await store.close();
  return store;
}

interface Line {
  readonly result?: string;
  readonly text?: string;
  readonly committed?: number;
  readonly unchanged?: boolean;
  readonly problem?: string | null;
}

/** Starts a process that uses a store; it is killed when the test ends. */
function child(...argv: readonly string[]): { process: ChildProcess; lines: AsyncIterable<Line> } {
  const program = join(inject('bundle'), 'embedded-store.js');
  const one = spawn(process.execPath, [program, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void one.kill('SIGKILL'));
  const lines = (async function* parsed(): AsyncGenerator<Line> {
    for await (const line of createInterface(one.stdout)) yield JSON.parse(line) as Line;
  })();
  return { process: one, lines };
}

/** All that a process says until it ends. */
async function allOf(...argv: readonly string[]): Promise<readonly Line[]> {
  const said: Line[] = [];
  for await (const line of child(...argv).lines) said.push(line);
  return said;
}

/** The file of a database whose name matches; the newest of several. */
function fileOf(path: string, pattern: RegExp): string {
  const name = readdirSync(path)
    .filter((each) => pattern.test(each))
    .toSorted()
    .at(-1);
  return join(path, name ?? 'none');
}

/** Checks that a store has what these many steps left, and its audit no gap. */
async function expectSteps(store: Store, count: number): Promise<void> {
  const { groups, fleet, audit } = after(many(count, (index) => step(index)));
  expect(kept(store.state)).toEqual({ groups, fleet });
  const history = await store.history({ most: 1_000_000 });
  expect(history.length).toBeGreaterThanOrEqual(Math.min(audit.length, BOUNDS.mostRecords));
  expect(history).toMatchObject(audit.slice(-history.length || audit.length));
}

describe('the folder', () => {
  test('is made, for nobody else', async () => {
    const path = join(folder(), 'a', 'b');
    await open(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  test('has one owner; a second one is told where to turn', async () => {
    const path = folder();
    const { lines } = child('hold', path);
    for await (const line of lines) {
      expect(line.result).not.toBe('broken');
      break;
    }
    const error = await openingError(path);
    expect(error).toBeInstanceOf(StoreInUse);
    expect(error.message).toMatch(
      /in use by another process.*a manager that runs on it, starts or stops, or a command.*holdpoint manager status.*admin socket/,
    );
    expect(error.message).toContain(path);
  });

  test('has one owner within a process too, and is free when that is closed', async () => {
    const path = folder();
    const store = await open(path);
    expect((await openingError(path)).message).toContain('in use');
    await store.commit(change({ a: document() }), ['a']);
    await store.close();
    expect((await open(path)).state.groups.get('a')).toEqual(good(document()));
  });

  test('that is none, or cannot be made', async () => {
    const file = join(folder(), 'file');
    writeFileSync(file, '');
    for (const path of [file, join(file, 'below')]) {
      const error = await openingError(path);
      expect(error.kind).toBe('broken');
      expect(error.message).toContain(`${path}: a folder for the store was expected`);
    }
    expect(await openingError('/proc/holdpoint')).toMatchObject({ kind: 'broken' });
  });

  test('that belongs to somebody else', async () => {
    const path = folder();
    chmodSync(path, 0o500);
    const [line] = await allOf('stranger', path);
    expect(line?.result).toBe('broken');
    expect(line?.text).toMatch(/the user with the number \d+ must own the folder of the store and all in it/);
    expect(line?.text).toContain(path);
  });

  test('whose files belong to somebody else', async () => {
    const path = folder();
    await (await open(path)).close();
    chmodSync(path, 0o777);
    for (const name of readdirSync(path)) chmodSync(join(path, name), 0o400);
    const [line] = await allOf('stranger', path);
    expect(line?.result).toBe('broken');
    expect(line?.text).toMatch(/must own the folder of the store and all in it/);
  });
});

describe('damage', () => {
  /** A folder in which a store has been. */
  const used = async (): Promise<string> => {
    const path = folder();
    const store = await open(path);
    for (const index of many(20, (each) => each)) await store.commit(step(index), []);
    await store.close();
    return path;
  };
  const wayOut = /put a copy of the folder back, or move it away/;

  test.each([/^MANIFEST/, /^CURRENT$/])('of %s: says which folder and what to do', async (pattern) => {
    const path = await used();
    writeFileSync(fileOf(path, pattern), 'nonsense nonsense nonsense');
    const error = await openingError(path);
    expect(error.kind).toBe('broken');
    expect(error.message).toContain(path);
    expect(error.message).toMatch(wayOut);
  });

  test.each([
    ['cut short', (table: string) => truncateSync(table, statSync(table).size - 10)],
    ['overwritten', (table: string) => writeFileSync(table, Buffer.alloc(statSync(table).size, 7))],
    ['missing', (table: string) => rmSync(table)],
  ])('of a table, %s: says which folder and what to do', async (_, damage) => {
    const path = await used();
    // What was in the log is in a table when it has been opened again.
    await (await open(path)).close();
    damage(fileOf(path, /\.ldb$/));
    const error = await openingError(path);
    expect(error.kind).toBe('broken');
    expect(error.message).toContain(path);
    expect(error.message).toMatch(wayOut);
  });

  test('CURRENT is missing: nothing is begun anew over what is there', async () => {
    const path = await used();
    rmSync(join(path, 'CURRENT'));
    const before = readdirSync(path);
    expect((await openingError(path)).message).toMatch(wayOut);
    expect(readdirSync(path)).toEqual(before);
  });

  test('of the head or the fleet: the store is broken', async () => {
    for (const key of ['head', 'fleet']) {
      const path = await used();
      await overwrite(path, key, '{"layout":1}');
      const error = await openingError(path);
      expect(error.kind).toBe('broken');
      expect(error.message).toContain(`${path}: the ${key} cannot be read`);
      // What could not be read is let go of.
      await overwrite(path, key, '{}');
    }
  });

  test('of the audit: its history says where, the rest goes on', async () => {
    const path = await used();
    await overwrite(path, 'audit/0000000000000001', 'x');
    const store = await open(path);
    await expect(store.history({ most: 1000 })).rejects.toMatchObject({
      kind: 'broken',
      message: expect.stringContaining('audit/0000000000000001') as unknown,
    });
    expect(await store.history({ most: 2 })).toHaveLength(2);
    expect(await store.commit(step(20), [])).toBe('committed');
  });

  /** Changes a file behind the store's back. */
  const spoil = (file: string, change: (bytes: Buffer) => void): void => {
    const bytes = readFileSync(file);
    change(bytes);
    writeFileSync(file, bytes);
  };

  test('within the log: it does not open, however often, unless that is accepted', async () => {
    const path = await used();
    spoil(fileOf(path, /\.log$/), (bytes) => (bytes[50]! ^= 1));
    for (let time = 0; time < 2; time += 1) {
      const error = await openingError(path);
      expect(error.kind).toBe('broken');
      expect(error.message).toMatch(/the database is damaged \(\d+\.log, from byte \d+ on\).*--accept-damaged-store/);
      expect(error.message).toMatch(wayOut);
    }
    const warnings: string[] = [];
    const options = { path, clock: () => Date.now(), audit: BOUNDS, acceptDamage: true };
    const store = await openEmbeddedStore({ ...options, onWarning: (text) => warnings.push(text) });
    expect(warnings.join()).toMatch(/damage was accepted.*\.log, from byte/);
    expect((await store.health()).warnings.join()).toMatch(/damage was accepted/);
    await store.commit(step(20), []);
    await store.close();
    expect((await (await open(path)).health()).warnings.join()).not.toMatch(/damage/);
  });

  test('of any byte of the log: it does not open, or all is there', { timeout: 60_000 }, async () => {
    const path = await used();
    const log = fileOf(path, /\.log$/);
    const whole = readFileSync(log);
    const after20 = kept((await copied(path)).state);
    const silent: number[] = [];
    for (let at = 0; at < whole.length; at += 61) {
      spoil(log, (bytes) => (bytes[at]! ^= 4));
      const state = await copied(path).then(
        (store) => kept(store.state),
        () => null,
      );
      if (state !== null && !isDeepStrictEqual(state, after20)) silent.push(at);
      writeFileSync(log, whole);
    }
    expect(silent).toEqual([]);
  });

  test(
    'of any byte of a table: it does not open, a group cannot be read, or all is there',
    { timeout: 60_000 },
    async () => {
      const path = await used();
      await (await open(path)).close();
      const table = fileOf(path, /\.ldb$/);
      const whole = readFileSync(table);
      const after20 = kept((await copied(path)).state);
      const silent: number[] = [];
      let found = 0;
      for (let at = 0; at < whole.length; at += 61) {
        spoil(table, (bytes) => (bytes[at]! ^= 4));
        const store = await copied(path).catch(() => null);
        const isCorrupt = [...(store?.state.groups.values() ?? [])].some(({ kind }) => kind === 'corrupt');
        if (store === null || isCorrupt) found += 1;
        else if (!isDeepStrictEqual(kept(store.state), after20)) silent.push(at);
        writeFileSync(table, whole);
      }
      expect(silent).toEqual([]);
      expect(found).toBeGreaterThan(3);
    },
  );

  test('of one document: its group cannot be read, also when it would still make sense', async () => {
    const path = await used();
    const database = new ClassicLevel(path);
    const [key, value] = (await database.iterator({ gte: 'group/', lt: 'group0' }).next()) ?? [];
    await database.put(key!, value!.replace(/"slots":\d/, '"slots":9'));
    await database.close();
    const store = await open(path);
    expect(store.state.groups.get(key!.slice('group/'.length))).toMatchObject({ kind: 'corrupt' });
    expect([...store.state.groups.values()].filter(({ kind }) => kind === 'good')).not.toEqual([]);
  });

  test.each([
    ['missing', (database: ClassicLevel, key: string) => database.del(key)],
    [
      'under another name',
      async (database: ClassicLevel, key: string) => {
        const value = await database.get(key);
        await database.del(key);
        await database.put('group/zz', value!.slice(0, value!.indexOf('\n')));
      },
    ],
    ['replaced', (database: ClassicLevel, key: string) => database.put(key, encode(document()))],
  ])('of the whole, a document that is %s: it does not open, unless that is accepted', async (_, change) => {
    const path = await used();
    const database = new ClassicLevel(path);
    const [key] = (await database.iterator({ gte: 'group/', lt: 'group0' }).next()) ?? [];
    await change(database, key!);
    await database.close();
    for (let time = 0; time < 2; time += 1) {
      expect((await openingError(path)).message).toMatch(/documents are missing .*--accept-damaged-store/);
    }
    const accepted = await openEmbeddedStore({ path, clock: () => 0, audit: BOUNDS, acceptDamage: true });
    await accepted.close();
    await open(path);
  });

  test('of a note loses it, no more', async () => {
    const path = await used();
    const store = await open(path);
    await store.writeNote('a', 'b');
    await store.close();
    const database = new ClassicLevel(path);
    await database.put('note/a', (await database.get('note/a'))!.replace('b', 'c'));
    await database.close();
    expect(await (await open(path)).readNote('a')).toBe(null);
  });

  test('is not seen in what was written before there were digests', async () => {
    const path = await used();
    const database = new ClassicLevel(path);
    for await (const [key, value] of database.iterator()) {
      const [text = ''] = value.split('\n');
      await database.put(key, key === 'head' ? text.replace(/,"sum":\d+/, '') : text);
    }
    await database.close();
    const store = await open(path);
    await expectSteps(store, 20);
    await store.commit(step(20), []);
    await store.close();
    await expectSteps(await open(path), 21);
  });

  test.each([
    ['zeros', (bytes: Buffer) => bytes.subarray(-40).fill(0)],
    ['a page of zeros', (bytes: Buffer) => bytes.subarray(-60, -30).fill(0)],
  ])('the end of a write of which only %s came to the disk is none', async (_, change) => {
    const path = await used();
    spoil(fileOf(path, /\.log$/), (bytes) => void change(bytes));
    await expectSteps(await open(path), 19);
  });

  test('the end of a write that a crash cut short is none', async () => {
    const path = await used();
    const log = fileOf(path, /\.log$/);
    truncateSync(log, statSync(log).size - 5);
    const store = await open(path);
    await expectSteps(store, 19);
    expect((await store.health()).warnings.join()).not.toContain('lost');
  });
});

test('a store that is closed says so', async () => {
  const store = await open(folder());
  await store.close();
  const closed = { kind: 'unavailable', message: expect.stringContaining('closed') as unknown };
  await expect(store.commit(step(0), [])).rejects.toMatchObject(closed);
  await expect(store.refresh([])).rejects.toMatchObject(closed);
  await expect(store.history({ most: 1 })).rejects.toMatchObject(closed);
  await expect(store.writeNote('a', 'b')).rejects.toMatchObject(closed);
  expect((await store.health()).problem).toContain('closed');
  await store.close();
});

test('what is under way is done before the store closes', async () => {
  const path = folder();
  const store = await open(path);
  const commit = store.commit(step(0), []);
  await Promise.all([store.close(), commit]);
  await expectSteps(await open(path), 1);
});

describe.skipIf(spawnSync('prlimit', ['--version']).status !== 0)('a full disk', () => {
  test('what is not written is not shown, what is written later is not lost', { timeout: 60_000 }, async () => {
    const path = folder();
    const lines = await allOf('full', path, String(64 * 1024));
    expect(lines).toHaveLength(80);
    const failed = lines.filter(({ result }) => result !== 'committed');
    expect(failed.length).toBeGreaterThan(1);
    for (const line of failed) {
      expect(line).toMatchObject({ result: 'unavailable', unchanged: true, problem: null });
      expect(line.text).toMatch(/could not be written \(.*\); nothing was changed/);
      expect(line.text).toContain(path);
    }
    const done = lines.flatMap(({ result }, index) => (result === 'committed' ? [step(index, 1500)] : []));
    const { groups, fleet, audit } = after(done);
    const store = await open(path);
    expect(kept(store.state)).toEqual({ groups, fleet });
    expect(await store.history({ most: 1000 })).toMatchObject(audit);
    expect((await store.health()).warnings.join()).not.toContain('lost');
  });

  test('while nothing can be told, that is what is said', { timeout: 60_000 }, async () => {
    const path = folder();
    expect(await allOf('stuck', path)).toMatchObject([
      { result: 'committed' },
      { result: 'ambiguous', text: expect.stringContaining(path) as unknown },
      { unchanged: true, problem: expect.stringContaining(path) as unknown },
      { result: 'unavailable' },
      { result: 'unavailable' },
      { result: 'unavailable' },
      { result: 'undefined' },
      { unchanged: true, problem: null },
      { result: 'committed' },
    ]);
    const store = await open(path);
    expect(kept(store.state).groups).toEqual(after([step(0), step(2)]).groups);
  });
});

test('killed at any moment, nothing that was acknowledged is lost', { timeout: 20_000 + KILLS * 3_000 }, async () => {
  const path = folder();
  let done = 0;
  for (let round = 0; round < KILLS; round += 1) {
    const one = child('endless', path, String(done));
    let acknowledged = done;
    // Some are killed while they open the store, the others under way.
    const enough = Math.floor(Math.random() * 150);
    const delay = round % 4 === 0 ? Math.random() * 120 : 10_000;
    const timer = setTimeout(() => one.process.kill('SIGKILL'), delay);
    for await (const { committed } of one.lines) {
      expect(committed).toBe(acknowledged);
      acknowledged += 1;
      if (acknowledged - done > enough) one.process.kill('SIGKILL');
    }
    clearTimeout(timer);
    if (one.process.exitCode === null && one.process.signalCode === null) await once(one.process, 'exit');
    expect(one.process.signalCode).toBe('SIGKILL');
    const store = await openEmbeddedStore({ path, clock: () => Date.now(), audit: BOUNDS });
    try {
      const last = (await store.history({ most: 1 }))[0];
      done = last === undefined ? 0 : Number(last.reason.slice('step '.length)) + 1;
      // At most the one that was under way is there beyond those that were acknowledged.
      expect([acknowledged, acknowledged + 1]).toContain(done);
      await expectSteps(store, done);
      expect((await store.health()).warnings.join()).not.toContain('lost');
    } finally {
      await store.close();
    }
  }
  expect(done).toBeGreaterThan(KILLS);
});
