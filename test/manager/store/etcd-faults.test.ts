// etcd as it is on bad days: killed, frozen, without a leader, full, behind proxies that cut.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { byBytes } from '../../../src/manager/document.ts';
import { type Store, StoreError } from '../../../src/manager/store/store.ts';
import { startEtcd, type TestEtcd, type TestEtcdOptions } from '../../support/etcd.ts';
import { serve } from '../../support/http.ts';
import { change, document, draft, holder, many } from './documents.ts';
import { airlockKey, openAt } from './etcd-open.ts';

async function start(options?: TestEtcdOptions): Promise<TestEtcd> {
  const etcd = await startEtcd(options);
  onTestFinished(() => etcd.stop());
  return etcd;
}

function holdersOf(store: Store, group: string): readonly string[] {
  const entry = store.state.groups.get(group);
  return entry?.kind === 'good' ? entry.document.holders.map(({ id }) => id) : [];
}

/** Adds a holder to what the store has seen of a group. */
function withHolder(store: Store, group: string, id: string) {
  const ids = [...new Set([...holdersOf(store, group), id])].sort(byBytes);
  const groups = new Map([
    [
      group,
      document(
        ids.map((each) => holder(each)),
        { slots: 10_000 },
      ),
    ],
  ]);
  return { groups, audit: [draft(group, id)] };
}

/** Adds a holder, as often as it takes. `told` hears each outcome. */
async function insist(store: Store, group: string, id: string, told: (outcome: string) => void): Promise<void> {
  // A commit whose answer was lost may show as a lost comparison of the next one: what is there is not added again.
  while (!holdersOf(store, group).includes(id)) {
    try {
      const outcome = await store.commit(withHolder(store, group, id), [group]);
      told(outcome);
      if (outcome === 'committed') return;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      told(error.kind);
      while (!(await refreshed(store, group))) await setTimeout(20);
    }
  }
}

async function refreshed(store: Store, group: string): Promise<boolean> {
  return store.refresh([group]).then(
    () => true,
    () => false,
  );
}

/** What stands between a store and etcd, and what it does to the connections. */
interface Between {
  readonly url: string;
  readonly sockets: ReadonlySet<Socket>;
  /** Cuts every connection as soon as etcd answers: what was asked is done, and nobody hears of it. */
  swallowAnswers(on: boolean): void;
  cut(): void;
}

async function between(target: string): Promise<Between> {
  const { port } = new URL(target);
  const sockets = new Set<Socket>();
  let swallow = false;
  const server: Server = createServer((near) => {
    const far = connect(Number(port), '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => undefined);
    }
    near.pipe(far);
    far.on('data', (data) => {
      if (swallow) near.destroy();
      else near.write(data);
    });
    far.on('close', () => near.destroy());
    near.on('close', () => far.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, sockets, swallowAnswers: (on) => void (swallow = on), cut };
}

test('a change that meets other data with the same revisions is not taken for written', async () => {
  const [one, other] = [await start(), await start()];
  let target = one;
  const server = await serve((request, response) => {
    void (async () => {
      let body = '';
      for await (const part of request) body += String(part);
      if (request.url === '/version') return response.end('{"etcdserver":"3.5.1","etcdcluster":"3.5.0"}');
      return response.end(JSON.stringify(await target.call(request.url!, JSON.parse(body))));
    })();
  });
  onTestFinished(() => server.close());
  const store = await openAt([server.url.origin]);
  await store.commit(withHolder(store, 'g', 'a'), ['g']);
  // The others have written as often.
  const theirs = await openAt(other.endpoints);
  await theirs.commit(withHolder(theirs, 'g', 'b'), ['g']);
  await theirs.commit(withHolder(theirs, 'h', 'c'), ['h']);
  await store.commit(withHolder(store, 'i', 'd'), ['i']);
  target = other;
  const failed = await store.commit(withHolder(store, 'g', 'e'), ['g']).catch((error: unknown) => error);
  expect(failed).toMatchObject({ kind: 'ambiguous' });
  await theirs.refresh(['g', 'h', 'i']);
  expect(store.state).toEqual(theirs.state);
  expect(holdersOf(store, 'h')).toEqual(['c']);
});

describe('several stores at once', () => {
  test('each change is written once, with its record, whoever gets there first', { timeout: 60_000 }, async () => {
    const etcd = await start();
    const stores = await Promise.all(many(3, () => openAt(etcd.endpoints)));
    const outcomes: string[] = [];
    const work = stores.map(async (store, index) => {
      for (let round = 0; round < 40; round += 1) {
        await insist(store, `g${round % 3}`, `${index}-${round}`, (outcome) => outcomes.push(outcome));
      }
    });
    await Promise.all(work);
    expect(outcomes.filter((outcome) => outcome === 'committed')).toHaveLength(120);
    expect(outcomes).toContain('conflict');
    await Promise.all(stores.map((store) => store.refresh(['g0', 'g1', 'g2'])));
    const [first] = stores;
    const all = ['g0', 'g1', 'g2'].flatMap((group) => holdersOf(first!, group));
    expect(all).toHaveLength(120);
    for (const store of stores) expect(store.state).toEqual(first!.state);
    const records = await first!.history({ most: 1000 });
    expect(records.map(({ number }) => number)).toEqual(many(120, (index) => index + 1));
    expect(records.map(({ id }) => id).sort()).toEqual([...all].sort());
  });
});

test('a write of another store to a group that a change does not name is a conflict all the same', async () => {
  const etcd = await start();
  const [a, b] = [await openAt(etcd.endpoints), await openAt(etcd.endpoints)];
  await b.commit(withHolder(b, 'y', 'n'), ['y']);
  expect(await a.commit(withHolder(a, 'x', 'n'), ['x'])).toBe('conflict');
  expect(holdersOf(a, 'y')).toEqual(['n']);
  expect(await a.commit(withHolder(a, 'x', 'n'), ['x'])).toBe('committed');
});

describe('an answer that is lost', () => {
  test('after the write: ambiguous, and the next look tells', async () => {
    const etcd = await start();
    const proxy = await between(etcd.endpoints[0]!);
    const store = await openAt([proxy.url]);
    await store.commit(change({ g: document() }), ['g']);
    proxy.swallowAnswers(true);
    await expect(store.commit(withHolder(store, 'g', 'a'), ['g'])).rejects.toMatchObject({ kind: 'ambiguous' });
    await expect(store.refresh(['g'])).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(store.history({ most: 1 })).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(store.readNote('n')).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(store.writeNote('n', '')).rejects.toMatchObject({ kind: 'unavailable' });
    expect((await store.health()).problem).toContain(proxy.url);
    proxy.swallowAnswers(false);
    await store.refresh(['g']);
    expect(holdersOf(store, 'g')).toEqual(['a']);
    expect(await store.history({ most: 10 })).toHaveLength(2);
  });

  test('it is not sent again by itself, though there are other endpoints', async () => {
    const etcd = await start();
    const proxy = await between(etcd.endpoints[0]!);
    const store = await openAt([proxy.url, ...etcd.endpoints]);
    proxy.swallowAnswers(true);
    await expect(store.commit(withHolder(store, 'g', 'a'), ['g'])).rejects.toMatchObject({ kind: 'ambiguous' });
    expect(await etcd.get(airlockKey('g'))).toContain('"a"');
    await store.refresh(['g']);
    expect(await store.history({ most: 10 })).toHaveLength(1);
  });

  test('what reads only is asked again elsewhere', async () => {
    const etcd = await start();
    const proxy = await between(etcd.endpoints[0]!);
    const store = await openAt([proxy.url, ...etcd.endpoints]);
    proxy.swallowAnswers(true);
    await store.refresh(['g']);
    expect(await store.commit(withHolder(store, 'g', 'a'), ['g'])).toBe('committed');
  });

  test('a connection that was closed while idle is no failure of a reading', async () => {
    const etcd = await start();
    const proxy = await between(etcd.endpoints[0]!);
    const store = await openAt([proxy.url]);
    for (let round = 0; round < 5; round += 1) {
      proxy.cut();
      await store.refresh(['g']);
    }
  });

  test('no answer in time', async () => {
    const etcd = await start();
    const store = await openAt(etcd.endpoints, { timeoutMs: 300 });
    await etcd.freeze(0, true);
    await expect(store.commit(withHolder(store, 'g', 'a'), ['g'])).rejects.toMatchObject({
      kind: 'ambiguous',
      message: expect.stringContaining('no answer within') as string,
    });
    await expect(store.refresh(['g'])).rejects.toMatchObject({ kind: 'unavailable' });
    await etcd.freeze(0, false);
    await insist(store, 'g', 'a', () => undefined);
    await store.refresh(['g']);
    expect(holdersOf(store, 'g')).toEqual(['a']);
    expect(await store.history({ most: 10 })).toHaveLength(1);
  });

  test('nobody there: nothing was done', async () => {
    const etcd = await start();
    const store = await openAt(etcd.endpoints);
    await etcd.kill();
    await refreshed(store, 'g');
    await expect(store.commit(withHolder(store, 'g', 'a'), ['g'])).rejects.toMatchObject({ kind: 'unavailable' });
    await etcd.start();
    expect(await store.commit(withHolder(store, 'g', 'a'), ['g'])).toBe('committed');
  });

  test('other data under the same address are read anew', async () => {
    const etcd = await start();
    const [a, b] = [await openAt(etcd.endpoints), await openAt(etcd.endpoints)];
    for (let round = 0; round < 5; round += 1) await a.commit(withHolder(a, 'g', `old-${round}`), ['g']);
    await b.refresh(['g']);
    await etcd.wipe();
    await a.refresh(['g']);
    expect(a.state.groups.size).toBe(0);
    expect(await a.commit(withHolder(a, 'g', 'new'), ['g'])).toBe('committed');
    await refreshed(b, 'h');
    expect(await b.commit(withHolder(b, 'g', 'newer'), ['g'])).toBe('committed');
    expect(holdersOf(b, 'g')).toEqual(['new', 'newer']);
    expect(await b.history({ most: 10 })).toHaveLength(2);
  });

  test('a closed store does nothing more', async () => {
    const etcd = await start();
    const store = await openAt(etcd.endpoints);
    await store.close();
    await expect(store.refresh(['g'])).rejects.toBeInstanceOf(StoreError);
    await store.close();
  });
});

describe('killed and started again under load', () => {
  test('every acknowledged change is there, with one record each', { timeout: 60_000 }, async () => {
    const etcd = await start();
    const stores = await Promise.all(many(2, () => openAt(etcd.endpoints)));
    const outcomes: string[] = [];
    const done: string[] = [];
    let over = false;
    const work = stores.map(async (store, index) => {
      for (let round = 0; !over; round += 1) {
        const id = `${index}-${String(round).padStart(4, '0')}`;
        await insist(store, 'g', id, (outcome) => outcomes.push(outcome));
        done.push(id);
      }
    });
    for (let round = 0; round < 5; round += 1) {
      const enough = done.length + 20;
      while (done.length < enough) await setTimeout(5);
      await etcd.kill();
      await etcd.start();
    }
    over = true;
    await Promise.all(work);
    const again = await openAt(etcd.endpoints);
    expect(holdersOf(again, 'g')).toEqual([...done].sort(byBytes));
    const records = await again.history({ most: 100_000 });
    expect(records.map(({ number }) => number)).toEqual(many(done.length, (index) => index + 1));
    expect(records.map(({ id }) => id).sort()).toEqual([...done].sort());
    expect(outcomes.filter((outcome) => outcome !== 'committed' && outcome !== 'conflict').length).toBeGreaterThan(0);
  });
});

describe('three members', () => {
  test('one after the other is lost and comes back', { timeout: 60_000 }, async () => {
    const etcd = await start({ members: 3 });
    const store = await openAt(etcd.endpoints, { timeoutMs: 900 });
    for (const member of [0, 1, 2]) {
      await etcd.kill(member);
      await insist(store, 'g', `without-${member}`, () => undefined);
      const health = await store.health();
      expect(health.problem).toBeNull();
      expect(health.warnings.join('\n')).toContain(etcd.endpoints[member]!);
      await etcd.start(member);
    }
    await store.refresh(['g']);
    expect(holdersOf(store, 'g')).toEqual(['without-0', 'without-1', 'without-2']);
    expect(await store.history({ most: 10 })).toHaveLength(3);
    expect((await store.health()).warnings).toEqual([]);
  });

  test('a member that stands still is passed over', { timeout: 60_000 }, async () => {
    const etcd = await start({ members: 3 });
    const store = await openAt(etcd.endpoints, { timeoutMs: 900 });
    await etcd.freeze(0, true);
    await insist(store, 'g', 'a', () => undefined);
    await store.refresh(['g']);
    expect(holdersOf(store, 'g')).toEqual(['a']);
    await etcd.freeze(0, false);
  });

  test('without a majority nothing is written, and soon said', { timeout: 60_000 }, async () => {
    const etcd = await start({ members: 3 });
    const store = await openAt(etcd.endpoints.slice(0, 1), { timeoutMs: 900 });
    await etcd.kill(1);
    await etcd.kill(2);
    // Until the member has noticed that its leader is gone, a write may wait for one.
    const kinds: string[] = [];
    while (kinds.at(-1) !== 'unavailable') {
      await store.commit(withHolder(store, 'g', 'a'), ['g']).catch((error: unknown) => {
        kinds.push((error as StoreError).kind);
      });
    }
    await expect(store.refresh(['g'])).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('no leader') as string,
    });
    const { problem, warnings } = await store.health();
    expect(problem).toContain('no leader');
    expect(warnings.join('\n')).toContain(etcd.endpoints[0]!);
    await Promise.all([etcd.start(1), etcd.start(2)]);
    await insist(store, 'g', 'a', () => undefined);
    await store.refresh(['g']);
    expect(await store.history({ most: 10 })).toHaveLength(1);
  });
});

describe('health', () => {
  test('a full database', { timeout: 60_000 }, async () => {
    const etcd = await start({ args: ['--quota-backend-bytes', '4000000'] });
    const store = await openAt(etcd.endpoints);
    await store.commit(withHolder(store, 'g', 'a'), ['g']);
    let full: unknown = null;
    for (let round = 0; full === null && round < 100; round += 1) {
      await store.writeNote(`n${round}`, 'x'.repeat(400_000)).catch((error: unknown) => (full = error));
    }
    expect(full).toMatchObject({ kind: 'unavailable', message: expect.stringContaining('full') as string });
    await expect(store.commit(withHolder(store, 'g', 'b'), ['g'])).rejects.toMatchObject({ kind: 'ambiguous' });
    await store.refresh(['g']);
    expect(holdersOf(store, 'g')).toEqual(['a']);
    const { problem, warnings } = await store.health();
    expect(problem).toBeNull();
    expect(warnings.join('\n')).toContain('NOSPACE');
  });

  test.each([
    [{ dbSize: '1800000000' }, 'has 1717 MiB, its limit is 2048 MiB unless it was started with another'],
    [{ dbSize: '900', dbSizeQuota: '1000' }, 'has 0 MiB, its limit is 0 MiB'],
    [{ dbSize: '1700000000', dbSizeQuota: '8589934592' }, ''],
    [{ dbSize: '1600000000' }, ''],
    [{ leader: '0' }, 'has no leader'],
  ])('a member that says %o', async (said, expected) => {
    const etcd = await start();
    const server = await serve((request, response) => {
      void (async () => {
        let body = '';
        for await (const part of request) body += String(part);
        if (request.url === '/version') return response.end('{"etcdserver":"3.5.1","etcdcluster":"3.5.0"}');
        const answer = await etcd.call(request.url!, JSON.parse(body));
        return response.end(JSON.stringify(request.url === '/v3/maintenance/status' ? { ...answer, ...said } : answer));
      })();
    });
    onTestFinished(() => server.close());
    const store = await openAt([server.url.origin]);
    const { warnings } = await store.health();
    if (expected === '') expect(warnings).toEqual([]);
    else expect(warnings).toEqual([expect.stringContaining(expected)]);
  });
});

describe('watch', () => {
  /** A watch, and what it tells. */
  async function watching(store: Store): Promise<{ calls: () => number; next: () => Promise<void> }> {
    let calls = 0;
    let wake = (): void => undefined;
    const stop = store.watch(() => {
      calls += 1;
      wake();
    });
    onTestFinished(stop);
    const next = (): Promise<void> => new Promise((resolve) => (wake = resolve));
    await next();
    return { calls: () => calls, next };
  }

  test('tells of another store and of another program, and not of our own writes', async () => {
    const etcd = await start();
    const [a, b] = [await openAt(etcd.endpoints), await openAt(etcd.endpoints)];
    const { calls, next } = await watching(a);
    for (let round = 0; round < 20; round += 1) await a.commit(withHolder(a, 'g', `own-${round}`), ['g']);
    const before = calls();
    const first = next();
    await b.refresh(['g']);
    await b.commit(withHolder(b, 'g', 'other'), ['g']);
    await first;
    // Events come in order: had our own been told, they would have been before this one.
    expect(calls()).toBe(before + 1);
    const second = next();
    await etcd.put(airlockKey('h'), '{"total_slots":1,"holders":["x"]}');
    await second;
    const third = next();
    await etcd.clear(airlockKey('h'));
    await third;
    expect(before).toBe(1);
  });

  test('begins again after a cut, at another endpoint if need be, and says so', { timeout: 60_000 }, async () => {
    const etcd = await start({ members: 3 });
    const proxy = await between(etcd.endpoints[0]!);
    const store = await openAt([proxy.url, ...etcd.endpoints.slice(1)]);
    const { next } = await watching(store);
    const afterCut = next();
    proxy.cut();
    await afterCut;
    const afterKill = next();
    await etcd.kill(0);
    proxy.cut();
    // The members that are left may have to find a leader first.
    const put = (): Promise<boolean> =>
      etcd.put(airlockKey('g'), '{"total_slots":1,"holders":["x"]}').then(
        () => true,
        () => false,
      );
    while (!(await put())) await setTimeout(100);
    await afterKill;
  });

  test('says once that it does not work, and goes on trying', { timeout: 60_000 }, async () => {
    const etcd = await start();
    const warnings: string[] = [];
    const store = await openAt(etcd.endpoints, {}, warnings);
    const { next } = await watching(store);
    await etcd.kill();
    while (warnings.length === 0) await setTimeout(20);
    expect(warnings).toEqual([expect.stringContaining('cannot be watched')]);
    const again = next();
    await etcd.start();
    await again;
    expect(warnings).toHaveLength(1);
  });

  test('leaves no connection behind when it is stopped', async () => {
    const etcd = await start();
    const proxy = await between(etcd.endpoints[0]!);
    const store = await openAt([proxy.url]);
    await watching(store);
    await store.close();
    while (proxy.sockets.size > 0) await setTimeout(5);
  });
});
