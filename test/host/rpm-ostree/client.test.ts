import { describe, expect, it } from 'vitest';
import { Variant } from '../../../src/bus/api.ts';
import { type Bus, BusClosedError, type MethodCall, type Peer, type Signal } from '../../../src/bus/api.ts';
import { FailureError } from '../../../src/base/failure.ts';
import { type RpmOstree, openRpmOstree } from '../../../src/host/rpm-ostree/client.ts';
import { target } from '../../support/agent-builders.ts';

const TRANSACTION = 'org.projectatomic.rpmostree1.Transaction';
const OS = '/org/projectatomic/rpmostree1/fedora_coreos';
const DEPLOYMENT = {
  id: new Variant('s', 'fedora-coreos-1.0'),
  osname: new Variant('s', 'fedora-coreos'),
  version: new Variant('s', '42.1'),
  checksum: new Variant('s', '1'.padStart(64, '0')),
  origin: new Variant('s', 'fedora:fedora/x86_64/coreos/stable'),
  booted: new Variant('b', true),
};

/** A transaction's connection: it ends when the test says so. */
class FakePeer implements Peer {
  readonly calls: string[] = [];
  isClosed = false;
  readonly closed: Promise<Error | null>;
  #end: (error: Error | null) => void = () => undefined;
  #handler: (signal: Signal) => void = () => undefined;

  constructor() {
    this.closed = new Promise((resolve) => (this.#end = resolve));
  }

  call(call: MethodCall): Promise<readonly unknown[]> {
    this.calls.push(call.member);
    return Promise.resolve([true]);
  }

  onSignal(handler: (signal: Signal) => void): () => void {
    this.#handler = handler;
    return () => undefined;
  }

  finish(success = true): void {
    const body = [success, success ? '' : 'it did not work'];
    this.#handler({ sender: undefined, path: '/', interface: TRANSACTION, member: 'Finished', signature: 'bs', body });
  }

  close(): void {
    this.isClosed = true;
    this.#end(null);
  }
}

/** rpm-ostree on a bus, whose every answer the test gives. */
class World {
  readonly calls: string[] = [];
  readonly warnings: string[] = [];
  readonly peers: FakePeer[] = [];
  /** Milliseconds since boot. */
  mono = 0;
  /** Not answered: what the bus is to do with a method instead. */
  /** Says that the deployments have changed. */
  changed: () => void = () => undefined;
  readonly instead = new Map<string, () => Promise<readonly unknown[]>>();
  connect: () => Promise<Peer> = () => {
    const peer = new FakePeer();
    this.peers.push(peer);
    return Promise.resolve(peer);
  };
  readonly rpmOstree: RpmOstree;

  constructor() {
    this.rpmOstree = openRpmOstree({
      bus: {
        call: (call: MethodCall) => this.#answer(call),
        watch: (_: unknown, handler: (signal: Signal) => void) => {
          const body = ['org.projectatomic.rpmostree1.OS', { DefaultDeployment: new Variant('a{sv}', {}) }, []];
          const member = 'PropertiesChanged';
          this.changed = () =>
            handler({ sender: ':1.1', path: OS, interface: 'org…Properties', member, signature: 'sa{sv}as', body });
          return () => undefined;
        },
        watchOwner: () => () => undefined,
      } as unknown as Bus,
      connectPeer: () => this.connect(),
      clock: () => ({ wall: 0, mono: this.mono }),
      onWarning: (text) => void this.warnings.push(text),
    });
  }

  #answer({ member, body }: MethodCall): Promise<readonly unknown[]> {
    const name = member === 'Deploy' && body?.[0] === '' ? 'register-driver' : member;
    this.calls.push(name);
    const instead = this.instead.get(name);
    if (instead !== undefined) return instead();
    if (member === 'GetAll') return Promise.resolve([this.#properties(String(body?.[0]))]);
    return Promise.resolve(member === 'Reload' || member.endsWith('Client') ? [] : ['unix:path=/transaction']);
  }

  #properties(name: string): Record<string, Variant> {
    if (name.endsWith('.Sysroot')) return { Booted: new Variant('o', OS) };
    const deployment = new Variant('a{sv}', DEPLOYMENT);
    return { BootedDeployment: deployment, DefaultDeployment: deployment };
  }

  finalize(isWithdrawn: () => string | null = () => null): Promise<unknown> {
    const withdrawn = (): Promise<string | null> => Promise.resolve(isWithdrawn());
    return this.rpmOstree.finalize(target(2), { allowUnlocked: false, withdrawn }).then(
      () => 'done',
      (error: unknown) => (error instanceof FailureError ? error.failure : error),
    );
  }
}

/** The host has been read, as it always has before anything is decided. */
async function world(): Promise<World> {
  const made = new World();
  await made.rpmOstree.read();
  made.calls.length = 0;
  return made;
}

/** Lets everything happen that waits for nothing. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

it('a reading counts from the sync point, however long the daemon took to come up', async () => {
  const one = new World();
  one.instead.set('Reload', () => {
    one.mono = 60_000;
    return Promise.resolve([]);
  });
  expect((await one.rpmOstree.read()).readAt).toBe(60_000);
});

describe('finalize', () => {
  it('is sent at once, and resolves with the end of its transaction', async () => {
    const one = await world();
    const outcome = one.finalize();
    expect(one.calls).toEqual(['FinalizeDeployment']);
    await settle();
    one.peers[0]?.finish();
    expect(await outcome).toBe('done');
  });

  it.each([
    ['registering as update driver', (one: World) => one.rpmOstree.registerDriver()],
    [
      'staging 42.3',
      (one: World) =>
        one.rpmOstree.stage(target(3), { allowDowngrade: false, stream: null, onProgress: () => undefined }),
    ],
  ])('is refused at once, and not kept for later, while the client is busy with %s', async (what, begin) => {
    const one = await world();
    const other = begin(one);
    await settle();
    one.calls.length = 0;
    expect(await one.finalize()).toEqual({ class: 'transient', text: `finalizing 42.2: busy: ${what}` });
    one.peers[0]?.finish();
    await other;
    await settle();
    expect(one.calls).not.toContain('FinalizeDeployment');
    const outcome = one.finalize();
    await settle();
    one.peers[1]?.finish();
    expect(await outcome).toBe('done');
  });

  it('is refused where the host was never read, since nobody can have decided on it', async () => {
    const one = new World();
    expect(await one.finalize()).toMatchObject({ class: 'transient' });
    expect(one.calls).toEqual([]);
  });

  it('does not start the transaction when consent has gone by the time that it could', async () => {
    const one = await world();
    let connect: () => void = () => undefined;
    const peer = new FakePeer();
    one.connect = () => new Promise((resolve) => (connect = () => resolve(peer)));
    let withdrawn: string | null = null;
    const outcome = one.finalize(() => withdrawn);
    await settle();
    withdrawn = 'updates.enabled is false in the configuration';
    connect();
    expect(await outcome).toEqual({
      class: 'transient',
      text: 'finalizing 42.2: not started: updates.enabled is false in the configuration',
    });
    expect([peer.calls, peer.isClosed]).toEqual([[], true]);
  });

  it('that finds no connection to the bus was not carried out', async () => {
    const one = await world();
    const gone = new BusClosedError('not connected to the bus', { unsent: true });
    one.instead.set('FinalizeDeployment', () => Promise.reject(gone));
    expect(await one.finalize()).toMatchObject({ class: 'transient' });
  });

  it('whose connection to the bus ends under way is in doubt', async () => {
    const one = await world();
    one.instead.set('FinalizeDeployment', () => Promise.reject(new BusClosedError('the connection ended')));
    expect(await one.finalize()).toMatchObject({ class: 'unknown' });
  });
});

describe('a reading', () => {
  const stage = (one: World): Promise<unknown> =>
    one.rpmOstree
      .stage(target(3), { allowDowngrade: false, stream: null, onProgress: () => undefined })
      .catch(() => 'failed');

  it('is taken behind a sync point', async () => {
    const one = await world();
    await one.rpmOstree.read();
    expect(one.calls).toEqual(['Reload', 'GetAll', 'GetAll']);
  });

  it('at the end of work is taken behind one as well, while the daemon is held', async () => {
    const one = await world();
    const work = stage(one);
    await settle();
    one.peers[0]?.finish();
    await work;
    await settle();
    expect(one.calls).toEqual(['RegisterClient', 'Deploy', 'Reload', 'GetAll', 'UnregisterClient']);
  });

  it('at the end of work shows what changed meanwhile: that is not told as well', async () => {
    const one = await world();
    let told = 0;
    one.rpmOstree.watch(() => (told += 1));
    one.changed();
    expect(told).toBe(1);
    const work = stage(one);
    await settle();
    one.changed();
    one.peers[0]?.finish();
    await work;
    expect(told).toBe(1);
  });

  it('that is not taken, since the work failed, leaves what changed to be told after it', async () => {
    const one = await world();
    let told = 0;
    one.rpmOstree.watch(() => (told += 1));
    const work = stage(one);
    await settle();
    one.changed();
    one.changed();
    expect(told).toBe(0);
    one.peers[0]?.finish(false);
    expect(await work).toBe('failed');
    expect(told).toBe(1);
  });
});

describe('registerDriver', () => {
  it('waits for other work, which does not wait for it', async () => {
    const one = await world();
    const outcome = one.finalize();
    const registered = one.rpmOstree.registerDriver();
    await settle();
    expect(one.calls).toEqual(['FinalizeDeployment']);
    one.peers[0]?.finish();
    await outcome;
    await settle();
    one.peers[1]?.finish();
    await registered;
    expect(one.calls).toContain('register-driver');
    expect(one.warnings).toEqual([]);
  });
});
