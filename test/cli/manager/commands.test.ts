import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { dispatch } from '../../../src/cli/dispatch.ts';
import { managerCommands } from '../../../src/cli/manager/index.ts';
import type { OpenManager } from '../../../src/cli/manager/reach.ts';
import { createAdminHandler } from '../../../src/manager/admin/handler.ts';
import { openAdminSocket } from '../../../src/manager/admin/listen.ts';
import { STATUS } from '../../../src/manager/admin/wire.ts';
import { refuse } from '../../../src/manager/answer.ts';
import type { Manager } from '../../../src/manager/api.ts';
import { StoreError, StoreInUse } from '../../../src/manager/store/store.ts';
import { type Bench, policies, policyOf, startBench } from '../../support/manager.ts';
import { type FakeManager, fakeManager, temporaryFolder } from '../../support/manager-fake.ts';
import { testIo } from '../io.ts';

/** The files of a test: a configuration, the socket and the store that it names. */
interface Place {
  readonly config: string;
  readonly socket: string;
  readonly store: string;
}

interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

let place: Place;
beforeEach(() => {
  const top = temporaryFolder();
  place = { config: join(top, 'manager.toml'), socket: join(top, 'admin.sock'), store: join(top, 'store') };
  configure('');
});

function configure(more: string): void {
  const { config, socket, store } = place;
  writeFileSync(
    config,
    `service.tls = false\nadmin.socket = "${socket}"\nstore.path = "${store}"\nlock.default_group_name = "main"\n${more}`,
  );
}

const NO_STORE: OpenManager = () => Promise.reject(new Error('no store was to be opened'));

/** `open` null: the store is opened as it is for everybody. */
async function run(
  argv: readonly string[],
  open: OpenManager | null = NO_STORE,
  env = { USER: 'anna' },
): Promise<Outcome> {
  const io = testIo(env);
  const [command = '', ...rest] = argv;
  const words = ['manager', command, '--config', place.config, ...rest];
  const status = await dispatch(open === null ? managerCommands() : managerCommands(open), words, io);
  return { status, out: io.out(), err: io.err().replaceAll(place.socket, 'SOCKET').replaceAll(place.store, 'STORE') };
}

async function serve<M extends Manager>(manager: M): Promise<M> {
  const listener = await openAdminSocket(place.socket, createAdminHandler(manager, { token: null }));
  onTestFinished(() => listener.close(0));
  return manager;
}

function serveFake(): Promise<FakeManager> {
  return serve(fakeManager());
}

const UNTIL = '2099-07-23T14:00Z';

describe('an order', () => {
  test.each<[readonly string[], readonly unknown[]]>([
    [
      ['lock', 'a'],
      ['lock', 'main', 'a', 'anna', ''],
    ],
    [
      ['lock', 'a', '--group', 'g', '--reason', 'x y'],
      ['lock', 'g', 'a', 'anna', 'x y'],
    ],
    [
      ['unlock', 'a'],
      ['unlock', 'main', 'a', false, 'anna', ''],
    ],
    [
      ['unlock', '--group=g', '--force', '--reason', 'x', '--', '-rf'],
      ['unlock', 'g', '-rf', true, 'anna', 'x'],
    ],
    [
      ['resize', '3'],
      ['resize', 'main', 3, 'anna', ''],
    ],
    [
      ['resize', '0', '--group', 'g'],
      ['resize', 'g', 0, 'anna', ''],
    ],
    [
      ['freeze', '--all', '--reason', 'x'],
      ['freeze', null, null, 'anna', 'x'],
    ],
    [
      ['freeze', '--group', 'g', '--reason', 'x', '--until', UNTIL],
      ['freeze', 'g', Date.parse(UNTIL), 'anna', 'x'],
    ],
    [
      ['thaw', '--all'],
      ['thaw', null, 'anna', ''],
    ],
    [
      ['thaw', '--group', 'g', '--reason', 'x'],
      ['thaw', 'g', 'anna', 'x'],
    ],
  ])('%j', async (argv, call) => {
    const manager = await serveFake();
    expect(await run(argv)).toEqual({ status: 0, out: 'it is done\n', err: '' });
    expect(manager.calls).toEqual([call]);
  });

  test.each(['', 'h'.repeat(100_000)])('releases what no host could send', async (id) => {
    const manager = await serveFake();
    const argv = ['unlock', '--group=g', '--force', '--reason', 'x', '--', id];
    expect(await run(argv)).toEqual({ status: 0, out: 'it is done\n', err: '' });
    expect(manager.calls).toEqual([['unlock', 'g', id, true, 'anna', 'x']]);
    expect(await run(['unlock', '--group=g', '--', id])).toMatchObject({ status: 2 });
  });

  test('freezes for a time', async () => {
    const manager = await serveFake();
    const before = Date.now();
    await run(['freeze', '--all', '--for', '1h30m', '--reason', 'x']);
    const until = Number(manager.calls[0]?.[2]);
    expect(until).toBeGreaterThanOrEqual(before + 5_400_000);
    expect(until).toBeLessThanOrEqual(Date.now() + 5_400_000);
  });

  test.each([
    [{ SUDO_USER: 'bob', USER: 'root' }, 'bob'],
    [{ SUDO_USER: '', USER: 'root' }, 'root'],
    [{ USER: 'a\nb' }, 'a b'],
    [{}, `uid ${process.getuid?.() ?? '?'}`],
  ])('is given by whoever works here: %j', async (env, by) => {
    const manager = await serveFake();
    await run(['lock', 'a'], NO_STORE, env as { USER: string });
    expect(manager.calls).toEqual([['lock', 'main', 'a', by, '']]);
  });

  test.each<[readonly string[], string]>([
    [['lock'], 'ID is missing (the id of the host)'],
    [['lock', ''], 'id: expected a text that is not empty'],
    [['lock', 'a', 'b'], "unexpected argument 'b'"],
    [['lock', 'a', '--group', 'x y'], "group: expected letters, digits, '.' and '-'"],
    [['lock', 'a', '--group', ''], "group: expected letters, digits, '.' and '-'"],
    [['lock', 'a', '--force'], "unknown option '--force'"],
    [['lock', 'a', '--reason', 'x\ny'], 'reason: expected a text of at most 500 characters in one line'],
    [['unlock', 'a', '--force'], '--force needs --reason: it is kept with the record of this'],
    [['unlock', 'a', '--force', '--reason', ''], '--force needs --reason: it is kept with the record of this'],
    [['resize', 'two'], 'slots: expected a whole number, 0 to 100000'],
    [['resize', '-1'], "unknown option '-1'"],
    [['resize', '1.5'], 'slots: expected a whole number, 0 to 100000'],
    [['resize', '100001'], 'slots: expected a whole number, 0 to 100000'],
    [['freeze', '--reason', 'x'], 'which group? --group GROUP, or --all'],
    [['freeze', '--all', '--group', 'g', '--reason', 'x'], '--group and --all exclude each other'],
    [['freeze', '--all'], '--reason is missing: hosts that ask are told'],
    [['freeze', '--all', '--reason', 'x', '--for', 'ever'], '--for: expected a duration such as 30m, 2h or 1d'],
    [['freeze', '--all', '--reason', 'x', '--until', '14:00'], '--until: expected a time such as 2026-07-23T14:00Z'],
    [['freeze', '--all', '--reason', 'x', '--until', '2020-01-01'], '--until lies in the past'],
    [['freeze', '--all', '--reason', 'x', '--until', UNTIL, '--for', '1h'], '--until and --for exclude each other'],
    [['freeze', '--all', '--reason', 'x', '--for', '999999999w'], '--for: expected a duration such as 30m, 2h or 1d'],
    [['thaw'], 'which group? --group GROUP, or --all'],
    [['thaw', '--all', '--group', 'g'], '--group and --all exclude each other'],
    [['history', '--most', '0'], '--most: expected a whole number, 1 to 10000'],
    [['history', '--group', 'x y'], "--group: expected letters, digits, '.' and '-'"],
  ])('%j is wrong', async (argv, message) => {
    const manager = await serveFake();
    const { status, out, err } = await run(argv);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toContain(`holdpoint manager ${argv[0] ?? ''}: ${message}`);
    expect(manager.calls).toEqual([]);
  });

  test('that is refused', async () => {
    const manager = await serveFake();
    manager.answer = refuse('slots_full', '1 of 1 slots of group main are taken', 60_000);
    expect(await run(['lock', 'a'])).toEqual({
      status: 1,
      out: '',
      err: 'holdpoint manager lock: refused (slots_full): 1 of 1 slots of group main are taken\n',
    });
  });

  test.each<['not-held' | 'unchanged' | 'confirmed' | 'soaking', number]>([
    ['not-held', 77],
    ['unchanged', 77],
    ['confirmed', 0],
    ['soaking', 0],
  ])('whose outcome is %s ends with %d', async (outcome, status) => {
    const manager = await serveFake();
    manager.answer = { ok: true, outcome, text: 'so it is' };
    expect(await run(['unlock', 'a'])).toEqual({ status, out: 'so it is\n', err: '' });
  });
});

/** A manager on a store in memory, in virtual time. */
function realBench(): Promise<Bench> {
  return startBench(policies([policyOf('main', { haltAfter: 1 }), policyOf('g', { soakMs: 600_000 })]));
}

describe('a real manager', () => {
  test('a slot given by hand, seen, and released', async () => {
    const bench = await realBench();
    await serve(bench.service);
    expect(await run(['lock', 'a'])).toEqual({ status: 0, out: 'a slot of group main is granted\n', err: '' });
    expect(await run(['lock', 'a'])).toMatchObject({ status: 0 });
    expect((await run(['lock', 'b'])).err).toContain('refused (slots_full): 1 of 1 slots of group main are taken');
    expect((await run(['lock', 'a', '--group', 'g'])).err).toContain('refused (held_elsewhere)');
    expect((await run(['lock', 'a', '--group', 'nope'])).err).toContain('refused (unknown_group)');
    const { out } = await run(['status', '--group', 'main']);
    expect(out).toContain('\nmain: 1 of 1 slots taken\n');
    expect(out).toMatch(/^ {2}a +2023-11-14T22:13:20Z +0 s +- +may reboot$/m);
    expect(await run(['unlock', 'a'])).toMatchObject({ status: 0, err: '' });
    expect(await run(['unlock', 'a'])).toMatchObject({ status: 77, err: '' });
    expect(bench.audit).toMatchObject([
      { action: 'granted', id: 'a', by: 'admin:anna' },
      { action: 'released', id: 'a', by: 'admin:anna' },
    ]);
  });

  test('a ghost that halts its group is released with the command that the status shows', async () => {
    const bench = await realBench();
    await serve(bench.service);
    await bench.lock("it's", 'main');
    await bench.time.pass(2 * 3_600_000);
    const { out } = await run(['status']);
    expect(out).toContain('\nmain: 1 of 1 slots taken [HALTED] [STALE]\n');
    const command = /^ +holdpoint manager (unlock .*)$/m.exec(out)?.[1] ?? '';
    expect(command).toBe(`unlock --group main --force --reason TEXT --config ${place.config} 'it'\\''s'`);
    expect((await run(['unlock', "it's", '--force', '--reason', 'scrapped'])).status).toBe(0);
    expect((await run(['status'])).out).toContain('\nmain: 0 of 1 slots taken\n');
    expect((await run(['history'])).out).toMatch(/ main +forced +it's +admin:anna +scrapped\n$/);
  });

  test('a soak is ended by force alone', async () => {
    const bench = await realBench();
    await serve(bench.service);
    await bench.lock('a', 'g');
    expect((await run(['unlock', 'a', '--group', 'g'])).out).toContain('the slot of group g is free at ');
    expect((await run(['status', '--group', 'g'])).out).toContain('steady, soaks until ');
    await run(['unlock', 'a', '--group', 'g', '--force', '--reason', 'x']);
    expect((await run(['status', '--group', 'g'])).out).toContain('g: 0 of 1 slots taken\n');
  });

  test('frozen and thawed, resized and resized again', async () => {
    const bench = await realBench();
    await serve(bench.service);
    expect((await run(['freeze', '--all', '--reason', 'fair'])).out).toBe('all groups are frozen\n');
    expect((await run(['freeze', '--group', 'g', '--reason', 'x', '--until', UNTIL])).status).toBe(0);
    expect((await run(['lock', 'a'])).err).toContain('refused (frozen): all groups are frozen by admin:anna');
    expect((await run(['status'])).out).toContain('g: 0 of 1 slots taken [FROZEN]\n');
    expect((await run(['thaw', '--all'])).status).toBe(0);
    expect((await run(['thaw', '--all'])).status).toBe(77);
    expect((await run(['lock', 'a', '--group', 'g'])).status).toBe(1);
    expect((await run(['thaw', '--group', 'g'])).status).toBe(0);
    expect((await run(['resize', '2'])).out).toBe('the slots of group main were changed from 1 to 2\n');
    expect((await run(['resize', '2'])).status).toBe(77);
    expect((await run(['status'])).out).toContain(
      'main: 0 of 2 slots taken (resized by hand, the configuration says 1)\n',
    );
  });

  test('the status and the history in JSON', async () => {
    const bench = await realBench();
    await serve(bench.service);
    await bench.lock('a', 'main');
    const { out, status } = await run(['status', '--json', '--group', 'main']);
    expect(status).toBe(0);
    expect(STATUS.read(JSON.parse(out), '').groups).toMatchObject([
      { name: 'main', holders: [{ id: 'a', since: bench.time.now() }] },
    ]);
    const history: unknown = JSON.parse((await run(['history', '--json', '--id', 'a', '--most', '1'])).out);
    expect(history).toMatchObject({ records: [{ action: 'granted', id: 'a', at: '2023-11-14T22:13:20.000Z' }] });
  });

  test('a group that is not there', async () => {
    await serve((await realBench()).service);
    const expected = "holdpoint manager status: there is no group 'nope', but g, main\n";
    expect(await run(['status', '--group', 'nope'])).toEqual({ status: 1, out: '', err: expected });
  });

  test('has colours on a terminal that wants them', async () => {
    const bench = await realBench();
    await serve(bench.service);
    await bench.service.freeze(null, null, { by: 'anna', reason: 'x' });
    const on = async (env: Readonly<Record<string, string>>): Promise<boolean> => {
      const io = { ...testIo(env), isTTY: true };
      await dispatch(managerCommands(NO_STORE), ['manager', 'status', '--config', place.config], io);
      return io.out().includes('\u001b[1;31m!\u001b[0m no new grants in any group');
    };
    expect([await on({}), await on({ NO_COLOR: '1' }), await on({ TERM: 'dumb' })]).toEqual([true, false, false]);
  });
});

describe('no manager runs, and its store is in use', () => {
  /** Opens a manager once the store has been found in use some times. */
  const busy = (times: number, then: OpenManager): OpenManager => {
    let tries = 0;
    return (...args) => {
      tries += 1;
      return tries <= times ? Promise.reject(new StoreInUse('in use')) : then(...args);
    };
  };
  beforeEach(() => mkdirSync(place.store));

  test('for a moment: it is tried again', async () => {
    const { service } = await realBench();
    const open = busy(2, () => Promise.resolve({ manager: service, close: () => Promise.resolve() }));
    const { status, err } = await run(['lock', 'a'], open);
    expect(status).toBe(0);
    expect(err).toBe(
      'holdpoint manager lock: no manager is running at SOCKET; this is done on its store, and no host is being answered\n',
    );
  });

  test('by a manager that is just starting: that one is asked', async () => {
    let manager: FakeManager | null = null;
    const open: OpenManager = async () => {
      manager ??= await serveFake();
      throw new StoreInUse('in use');
    };
    expect(await run(['lock', 'a'], open)).toEqual({ status: 0, out: 'it is done\n', err: '' });
    expect((manager as FakeManager | null)?.calls).toEqual([['lock', 'main', 'a', 'anna', '']]);
  });

  test('for long: it says so', async () => {
    const { status, err } = await run(['lock', 'a'], busy(Infinity, NO_STORE));
    expect(status).toBe(1);
    expect(err).toMatch(/no manager is running at SOCKET, but another process has had its store STORE open for 3 s/);
  });
});

describe('no manager runs', () => {
  test('and none ever did', async () => {
    const err = 'holdpoint manager status: no manager is running at SOCKET, and there is no store at STORE\n';
    expect(await run(['status'])).toEqual({ status: 4, out: '', err });
  });

  test('and the socket was named: its store is left alone', async () => {
    mkdirSync(place.store);
    const err = 'holdpoint manager status: no manager is running at SOCKET\n';
    expect(await run(['status', '--socket', place.socket])).toEqual({ status: 4, out: '', err });
  });

  test('so that its store is worked on', async () => {
    mkdirSync(place.store);
    const bench = await realBench();
    const log: string[] = [];
    const open: OpenManager = (config) => {
      log.push(`open ${config.store.path === place.store}`);
      return Promise.resolve({ manager: bench.service, close: () => Promise.resolve(void log.push('close')) });
    };
    const said = (name: string): string =>
      `holdpoint manager ${name}: no manager is running at SOCKET; this is done on its store, and no host is being answered\n`;
    expect(await run(['lock', 'a'], open)).toEqual({
      status: 0,
      out: 'a slot of group main is granted\n',
      err: said('lock'),
    });
    expect(await run(['status'], open)).toMatchObject({ status: 0, err: said('status') });
    expect((await run(['history', '--json'], open)).out).toContain('"action": "granted"');
    expect(await run(['lock', 'b'], open)).toMatchObject({ status: 1 });
    expect(log).toEqual(['open true', 'close', 'open true', 'close', 'open true', 'close', 'open true', 'close']);
  });

  test('so that its store is looked at: only what is ordered is written', async () => {
    mkdirSync(place.store);
    const history = async (): Promise<string> => (await run(['history'], null)).out;
    await run(['resize', '2'], null);
    const before = await history();
    configure('lock.default_slots = 7');
    expect((await run(['status'], null)).out).toContain('0 of 2 slots taken');
    expect(await run(['lock', 'a'], null)).toMatchObject({ status: 0 });
    expect((await history()).replace(before, '').trim().split('\n')).toEqual([expect.stringContaining('admin:anna')]);
  });

  test('and its store cannot be opened', async () => {
    mkdirSync(place.store);
    const failing =
      (cause: unknown): OpenManager =>
      () =>
        Promise.reject(new StoreError('broken', 'it is damaged', { cause }));
    const { status, err } = await run(['status'], failing(undefined));
    expect([status, err.split('\n')[1]]).toEqual([1, 'holdpoint manager status: it is damaged']);
    const denied = Object.assign(new Error('x'), { code: 'EACCES' });
    expect((await run(['status'], failing(denied))).status).toBe(5);
  });

  test('and its store fails', async () => {
    mkdirSync(place.store);
    const closed: string[] = [];
    const manager = fakeManager({ status: () => Promise.reject(new StoreError('unavailable', 'etcd is away')) });
    const open: OpenManager = () => Promise.resolve({ manager, close: () => Promise.resolve(void closed.push('x')) });
    const { status, err } = await run(['status'], open);
    expect([status, err.split('\n')[1]]).toEqual([1, 'holdpoint manager status: etcd is away']);
    expect(closed).toEqual(['x']);
  });

  test.skipIf(process.getuid?.() !== 0)('and its store belongs to somebody else', async () => {
    mkdirSync(place.store);
    const { chownSync } = await import('node:fs');
    chownSync(place.store, 65_534, 65_534);
    const { status, err } = await run(['status']);
    expect(status).toBe(5);
    expect(err).toBe(
      'holdpoint manager status: no manager is running at SOCKET, and only the user who owns its store STORE (number 65534) may work on it: run this as that user\n',
    );
  });

  test('and with etcd no folder is looked for', async () => {
    configure('etcd3.endpoints = ["http://127.0.0.1:1"]\n');
    const open: OpenManager = ({ etcd3 }) => Promise.reject(new Error(`etcd at ${etcd3?.endpoints[0] ?? ''} is away`));
    expect((await run(['status'], open)).err).toBe(
      [
        'holdpoint manager status: no manager is running at SOCKET; this is done on etcd directly',
        'holdpoint manager status: etcd at http://127.0.0.1:1 is away\n',
      ].join('\n'),
    );
  });
});

describe('a manager that cannot be asked', () => {
  test.skipIf(process.getuid?.() !== 0)('by this user', async () => {
    await serveFake();
    chmodSync(join(place.socket, '..'), 0o755);
    chmodSync(place.socket, 0o600);
    process.seteuid?.(65_534);
    const outcome = await run(['status']).finally(() => process.seteuid?.(0));
    const err = 'holdpoint manager status: this user may not use the socket SOCKET\n';
    expect(outcome).toEqual({ status: 5, out: '', err });
  });

  test('since something else is there', async () => {
    const server = createServer((connection) => connection.on('error', () => undefined).end('hello\r\n'));
    await new Promise<void>((resolve) => server.listen(place.socket, resolve));
    onTestFinished(() => void server.close());
    const { status, err } = await run(['lock', 'a']);
    expect(status).toBe(1);
    expect(err).toMatch(
      /^holdpoint manager lock: no good answer from the manager at SOCKET: .*: see holdpoint manager history\n$/,
    );
  });
});

describe('a configuration with errors', () => {
  test('names the socket all the same, but not the group', async () => {
    configure('lock.default_slots = "many"\n');
    const manager = await serveFake();
    expect(await run(['status'])).toMatchObject({ status: 0, err: '' });
    expect(await run(['lock', 'a', '--group', 'g'])).toMatchObject({ status: 0 });
    expect(await run(['thaw', '--all'])).toMatchObject({ status: 0 });
    const { status, err } = await run(['lock', 'a']);
    expect(status).toBe(3);
    expect(err).toContain('manager.toml has errors, so that the default group is not known: name it with --group\n');
    expect(manager.calls.map(([name]) => name)).toEqual(['lock', 'thaw']);
  });

  test('is printed where it is needed to find the store', async () => {
    configure('lock.default_slots = "many"\n');
    const { status, err } = await run(['status'], NO_STORE);
    expect(status).toBe(3);
    expect(err).toMatch(/manager\.toml:5:22: error: lock\.default_slots: expected .*\n/);
    expect(err).toContain(
      `no manager is running at SOCKET, and the configuration ${place.config} has errors, so that its store is not known\n`,
    );
  });
});

describe('check-config', () => {
  test('passes', async () => {
    configure('lock.dfault_slots = 1\n');
    const { status, out, err } = await run(['check-config']);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toMatch(
      /manager\.toml:5:6: warning: unknown key .*\nThe configuration is good: 0 errors, 1 warning in 1 file\.\n$/,
    );
  });

  test('fails', async () => {
    configure('lock.default_slots = -1\n');
    const { status, out } = await run(['check-config']);
    expect(status).toBe(3);
    expect(out).toMatch(/: error: .*\nThe configuration is not usable: 1 error, 0 warnings in 1 file\.\n$/);
  });

  test('prints JSON', async () => {
    const { status, out } = await run(['check-config', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toEqual({ ok: true, files: [place.config], problems: [] });
  });
});

test('every command has a help text', async () => {
  for (const { name, summary } of managerCommands()) {
    const io = testIo();
    expect(await dispatch(managerCommands(), ['help', ...name.split(' ')], io)).toBe(0);
    expect(io.out()).toContain(`Usage: holdpoint ${name} `);
    expect(io.out()).toContain(summary);
  }
});
