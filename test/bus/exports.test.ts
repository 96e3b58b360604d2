import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type Bus,
  BusClosedError,
  BusError,
  type ExportedInterface,
  type IncomingCall,
  type Signal,
  Variant,
} from '../../src/bus/api.ts';
import { openBus } from '../../src/bus/bus.ts';
import { connectedBus } from '../support/bus.ts';
import { type PrivateBus, startDbus } from '../support/dbus.ts';

const run = promisify(execFile);
const NAME = 'io.example.Export1';
const PATH = '/io/example/Export1';
const ERROR = 'org.freedesktop.DBus.Error';

let daemon: PrivateBus;
let server: Bus;
let client: Bus;
let calls: IncomingCall[];
const problems: string[] = [];

/** Generous, because the machine may be busy. */
function waitFor(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 15_000, interval: 5 });
}

function open(): Bus {
  return openBus({
    address: daemon.address,
    random: () => 0.5,
    minRetryMs: 4,
    onError: ({ message }) => problems.push(message),
  });
}

const description: ExportedInterface = {
  name: NAME,
  doc: 'An "example" & more',
  methods: {
    Join: {
      doc: 'Puts <things> together',
      in: [
        { name: 'words', type: 'as' },
        { name: 'options', type: 'a{sv}' },
      ],
      out: [{ name: 'text', type: 's' }],
      handle: (call) => {
        calls.push(call);
        return [(call.args[0] as string[]).join('-')];
      },
    },
    WhoAmI: { out: [{ name: 'uid', type: 'u' }], handle: async (call) => [await call.uid()] },
    Refuse: {
      handle: (): never => {
        throw new BusError('io.example.Refused', 'not now');
      },
    },
    Break: { handle: () => Promise.reject(new Error('secret at /src/x.ts:12')) },
    Hang: { handle: () => new Promise<never>(() => undefined) },
  },
  properties: {
    Level: { type: 't', doc: 'How far', get: () => 7n },
    Tags: { type: 'as', get: () => ['a', 'b'] },
  },
  signals: { Moved: { args: [{ name: 'by', type: 'i' }] } },
};

beforeAll(async () => {
  daemon = await startDbus();
});

afterAll(() => daemon.stop());

beforeEach(async () => {
  calls = [];
  problems.length = 0;
  [server, client] = [open(), open()];
  const owned = new Promise<void>((resolve) => {
    server.requestName(NAME, {}, (state) => {
      if (state.owned) resolve();
    });
  });
  await owned;
  await waitFor(() => {
    client.onState(({ connected }) => expect(connected).toBe(true))();
    expect(problems.splice(0)).toEqual([]);
  });
});

afterEach(() => {
  server.close();
  client.close();
});

function call(member: string, signature = '', body: readonly unknown[] = [], over = {}): Promise<readonly unknown[]> {
  return client.call({ destination: NAME, path: PATH, interface: NAME, member, signature, body, ...over });
}

function property(member: string, ...body: readonly unknown[]): Promise<readonly unknown[]> {
  const signature = { Get: 'ss', GetAll: 's', Set: 'ssv' }[member] ?? '';
  return call(member, signature, body, { interface: 'org.freedesktop.DBus.Properties' });
}

describe('an exported method', () => {
  it('learns its arguments and the user who calls', async () => {
    server.exportObject(PATH, [description]);
    expect(await call('Join', 'asa{sv}', [['a', 'b'], { x: new Variant('b', true) }])).toEqual(['a-b']);
    expect(calls[0]?.args).toEqual([['a', 'b'], { x: new Variant('b', true) }]);
    expect(calls[0]?.sender).toMatch(/^:1\.\d+$/);
    expect(await Promise.all([call('WhoAmI'), call('WhoAmI')])).toEqual([[process.getuid?.()], [process.getuid?.()]]);
  });

  it('hears whether somebody may be asked for a password', async () => {
    server.exportObject(PATH, [description]);
    const join = {
      destination: NAME,
      path: PATH,
      interface: NAME,
      member: 'Join',
      signature: 'asa{sv}',
      body: [['a'], {}],
    };
    for (const flag of [{}, { interactive: true }, { interactive: false, noAutoStart: true }]) {
      await client.call({ ...join, ...flag });
    }
    expect(calls.map(({ interactive }) => interactive)).toEqual([false, true, false]);
  });

  it('can be called any number of times', async () => {
    server.exportObject(PATH, [description]);
    for (let n = 0; n < 5; n += 1) await Promise.all(Array.from({ length: 16 }, () => call('WhoAmI')));
  });

  it('can be called without an interface, as D-Bus allows', async () => {
    server.exportObject(PATH, [description]);
    const text = await run('dbus-send', [
      ...[`--bus=${daemon.address}`, '--print-reply=literal', `--dest=${NAME}`, PATH, `${NAME}.WhoAmI`],
    ]).then(({ stdout }) => stdout);
    expect(text).toContain(String(process.getuid?.()));
  });

  it('passes on a D-Bus error, and says nothing about others', async () => {
    server.exportObject(PATH, [description]);
    await expect(call('Refuse')).rejects.toMatchObject({ errorName: 'io.example.Refused', message: 'not now' });
    await expect(call('Break')).rejects.toMatchObject({ errorName: `${ERROR}.Failed`, message: 'The method failed.' });
    expect(problems).toEqual(['secret at /src/x.ts:12']);
  });

  it('does not forget the user of a caller who stays, and forgets who has left', async () => {
    server.exportObject(PATH, [description]);
    await call('Join', 'asa{sv}', [[], {}]);
    await call('WhoAmI');
    const owners: (string | null)[] = [];
    server.watchOwner(calls[0]!.sender, (owner) => owners.push(owner));
    client.close();
    await waitFor(() => expect(owners.at(-1)).toBeNull());
    client = open();
    await waitFor(() => {
      let ready = false;
      client.onState(({ connected }) => (ready = connected))();
      expect(ready).toBe(true);
    });
    await expect(calls[0]!.uid()).rejects.toThrow(BusError);
    expect(await call('WhoAmI')).toEqual([process.getuid?.()]);
  });

  it.each([
    ['UnknownMethod', 'Nope', '', {}],
    ['UnknownMethod', 'toString', '', {}],
    ['UnknownInterface', 'Join', '', { interface: 'a.b' }],
    ['UnknownObject', 'Join', '', { path: '/nowhere' }],
    ['InvalidArgs', 'Join', '', {}],
  ])('is refused with %s for %s', async (error, member, signature, over) => {
    server.exportObject(PATH, [description]);
    await expect(call(member, signature, [], over)).rejects.toMatchObject({ errorName: `${ERROR}.${error}` });
  });

  const LIMIT = { errorName: `${ERROR}.LimitsExceeded` };
  /** Connections with so many calls each that hang. */
  async function hang(connections: number, calls: number): Promise<readonly Bus[]> {
    const others = await Promise.all(Array.from({ length: connections }, () => connectedBus(daemon.address)));
    const one = { destination: NAME, path: PATH, interface: NAME, member: 'Hang', timeoutMs: 60_000 };
    for (const other of others) {
      for (let n = 0; n < calls; n += 1) other.call(one).catch(() => null);
      await other.call({ ...one, member: 'Ping', interface: 'org.freedesktop.DBus.Peer' });
    }
    return others;
  }

  it('is refused when too many of the caller are under way, which keeps no other from anything', async () => {
    server.exportObject(PATH, [description]);
    for (let n = 0; n < 100; n += 1) call('Hang', '', [], { timeoutMs: 60_000 }).catch(() => null);
    await expect(call('Join', 'asa{sv}', [[], {}])).rejects.toMatchObject(LIMIT);
    // What is answered at once is not kept from anybody.
    expect(await property('Get', NAME, 'Level')).toEqual([new Variant('t', 7n)]);
    const other = await connectedBus(daemon.address);
    const asOther = { destination: NAME, path: PATH, interface: NAME };
    expect(await other.call({ ...asOther, member: 'WhoAmI' })).toEqual([process.getuid?.()]);
  });

  it('is refused when too many of all are under way, the last of them only to those who have others', async () => {
    server.exportObject(PATH, [description]);
    await hang(7, 16);
    call('Hang', '', [], { timeoutMs: 60_000 }).catch(() => null);
    await expect(call('WhoAmI')).rejects.toMatchObject(LIMIT);
    const other = await connectedBus(daemon.address);
    const asOther = { destination: NAME, path: PATH, interface: NAME, member: 'WhoAmI' };
    expect(await other.call(asOther)).toEqual([process.getuid?.()]);
    await hang(15, 1);
    await expect(other.call(asOther)).rejects.toMatchObject(LIMIT);
  });

  it('is dropped when the caller leaves, and knows it', async () => {
    const gone: AbortSignal[] = [];
    const methods: ExportedInterface['methods'] = {
      Hang: {
        handle: (call) => {
          gone.push(call.gone);
          return new Promise<never>(() => undefined);
        },
      },
      WhoAmI: { out: [{ name: 'uid', type: 'u' }], handle: async (call) => [await call.uid()] },
    };
    server.exportObject(PATH, [{ name: NAME, methods }]);
    for (const other of await hang(7, 16)) other.close();
    await waitFor(() => expect(gone.filter(({ aborted }) => aborted)).toHaveLength(112));
    await hang(7, 16);
    expect(await call('WhoAmI')).toEqual([process.getuid?.()]);
    expect(problems).toEqual([]);
  });

  it('is dropped when the bus goes', async () => {
    server.exportObject(PATH, [description]);
    await hang(8, 15);
    await daemon.kill();
    await daemon.start();
    await waitFor(() => {
      let ready = false;
      client.onState(({ connected }) => (ready = connected))();
      expect(ready).toBe(true);
    });
    await vi.waitFor(() => call('WhoAmI'), { timeout: 15_000, interval: 5 });
    for (let n = 0; n < 15; n += 1) call('Hang', '', [], { timeoutMs: 60_000 }).catch(() => null);
    expect(await call('WhoAmI')).toEqual([process.getuid?.()]);
  });
});

describe('exported properties', () => {
  it('can be read', async () => {
    server.exportObject(PATH, [description]);
    expect(await property('Get', NAME, 'Level')).toEqual([new Variant('t', 7n)]);
    expect(await property('GetAll', NAME)).toEqual([
      { Level: new Variant('t', 7n), Tags: new Variant('as', ['a', 'b']) },
    ]);
    await expect(property('Get', NAME, 'Nope')).rejects.toMatchObject({ errorName: `${ERROR}.UnknownProperty` });
    await expect(property('Get', NAME, '__proto__')).rejects.toMatchObject({ errorName: `${ERROR}.UnknownProperty` });
    await expect(property('GetAll', 'a.b')).rejects.toMatchObject({ errorName: `${ERROR}.UnknownInterface` });
  });

  it('cannot be set', async () => {
    server.exportObject(PATH, [description]);
    const set = property('Set', NAME, 'Level', new Variant('t', 9n));
    await expect(set).rejects.toMatchObject({ errorName: `${ERROR}.PropertyReadOnly` });
    expect(await property('Get', NAME, 'Level')).toEqual([new Variant('t', 7n)]);
    const unknown = property('Set', NAME, 'Nope', new Variant('t', 9n));
    await expect(unknown).rejects.toMatchObject({ errorName: `${ERROR}.UnknownProperty` });
  });

  it('and signals are announced', async () => {
    const object = server.exportObject(PATH, [description]);
    const seen: Signal[] = [];
    client.watch({ sender: NAME, path: PATH }, (signal) => seen.push(signal));
    await call('Ping', '', [], { interface: 'org.freedesktop.DBus.Peer' });
    object.changed(NAME, ['Level']);
    object.emit(NAME, 'Moved', [-3]);
    object.emit(NAME, 'Moved', ['x']);
    await waitFor(() => expect(seen).toHaveLength(2));
    expect(seen[0]).toMatchObject({ member: 'PropertiesChanged', body: [NAME, { Level: new Variant('t', 7n) }, []] });
    expect(seen[1]).toMatchObject({ interface: NAME, member: 'Moved', signature: 'i', body: [-3] });
    expect(problems).toEqual(['body[0]: expected a number, found string']);
  });
});

describe('an exported object', () => {
  it('is there again after the bus has been restarted', async () => {
    server.exportObject(PATH, [description]);
    await call('Join', 'asa{sv}', [[], {}]);
    await daemon.kill();
    await daemon.start();
    let text: unknown;
    while (text === undefined)
      text = await call('Join', 'asa{sv}', [['x'], {}]).then(
        ([value]) => value,
        () => new Promise((resolve) => setTimeout(resolve, 5)),
      );
    expect(text).toBe('x');
    // The new bus may have given the name of this caller to somebody else.
    await expect(calls[0]!.uid()).rejects.toThrow(BusClosedError);
  });

  it('is gone when it is removed', async () => {
    const object = server.exportObject(PATH, [description]);
    expect(() => server.exportObject(PATH, [description])).toThrow('exported already');
    object.remove();
    await expect(call('WhoAmI')).rejects.toMatchObject({ errorName: `${ERROR}.UnknownObject` });
    server.exportObject(PATH, [description]);
    expect(await call('WhoAmI')).toEqual([process.getuid?.()]);
  });

  it('is refused when its description is wrong', () => {
    expect(() => server.exportObject('x', [])).toThrow('not an object path');
    expect(() => server.exportObject(PATH, [{ name: 'nodot' }])).toThrow('not an interface name');
    expect(() => server.exportObject(PATH, [{ name: NAME, signals: { 'a-b': {} } }])).toThrow('not a member name');
    const property = { type: 'a', get: (): number => 1 };
    expect(() => server.exportObject(PATH, [{ name: NAME, properties: { A: property } }])).toThrow('signature');
  });

  it('answers Ping and GetMachineId', async () => {
    server.exportObject(PATH, [description]);
    const peer = { interface: 'org.freedesktop.DBus.Peer' };
    expect(await call('Ping', '', [], peer)).toEqual([]);
    const id = await call('GetMachineId', '', [], peer).catch((error: unknown) => error);
    if (id instanceof BusError) expect(id.message).toBe('this host has no machine id');
    else expect(id).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });

  it.skipIf(!installed('busctl'))('can be found and used with busctl', async () => {
    server.exportObject(PATH, [description]);
    const busctl = async (...args: string[]): Promise<string> =>
      (await run('busctl', [`--address=${daemon.address}`, ...args])).stdout;
    expect(await busctl('tree', '--list', NAME)).toBe('/\n/io\n/io/example\n/io/example/Export1\n');
    const shown = (await busctl('introspect', NAME, PATH, NAME))
      .split('\n')
      .map((line) => line.split(/\s+/).slice(0, 4));
    expect(shown).toContainEqual(['.Join', 'method', 'asa{sv}', 's']);
    expect(shown).toContainEqual(['.Level', 'property', 't', '7']);
    expect(shown).toContainEqual(['.Moved', 'signal', 'i', '-']);
    expect(await busctl('call', NAME, PATH, NAME, 'Join', 'asa{sv}', '2', 'a', 'b', '1', 'k', 's', 'v')).toBe(
      's "a-b"\n',
    );
    expect(await busctl('get-property', NAME, PATH, NAME, 'Tags')).toBe('as 2 "a" "b"\n');
    await expect(busctl('set-property', NAME, PATH, NAME, 'Level', 't', '9')).rejects.toThrow();
  });

  it.skipIf(!installed('gdbus'))('can be introspected with gdbus', async () => {
    server.exportObject(PATH, [description]);
    const args = ['introspect', '--address', daemon.address, '--dest', NAME, '--object-path', PATH, '--xml'];
    const { stdout } = await run('gdbus', args);
    expect(stdout).toContain('value="An &quot;example&quot; &amp; more"');
    expect(stdout).toContain('value="Puts &lt;things&gt; together"');
  });
});

function installed(command: string): boolean {
  try {
    execFileSync('which', [command]);
    return true;
  } catch {
    return false;
  }
}
