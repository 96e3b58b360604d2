import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Variant } from 'dbus-next/lib/variant.js';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectPeer } from '../../../src/sim/wire/bus.ts';
import { decode, encode, messageLength } from '../../../src/sim/wire/codec.ts';
import { describe as describeInterface } from '../../../src/sim/wire/interface.ts';
import { serve } from '../../../src/sim/wire/objects.ts';
import { PeerServer } from '../../../src/sim/wire/peer-server.ts';

describe('the codec', () => {
  test('gives back what went in, in any pieces', () => {
    const body = fc.tuple(
      fc.string(),
      fc.boolean(),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.array(fc.string()),
    );
    const text = (value: string): string => value.replaceAll('\0', '');
    fc.assert(
      fc.property(body, ([one, two, three, four]) => {
        const values = [text(one), two, { n: new Variant('t', three) }, four.map(text)];
        const bytes = encode({
          type: 4,
          serial: 7,
          path: '/a',
          interface: 'a.b',
          member: 'C',
          signature: 'sba{sv}as',
          body: values,
        });
        expect(messageLength(bytes)).toBe(bytes.length);
        expect(messageLength(bytes.subarray(0, 15))).toBeNull();
        expect(decode(bytes)).toMatchObject({ type: 4, serial: 7, member: 'C', body: values });
      }),
    );
  });

  test('refuses a message that is too long before it is there', () => {
    const bytes = encode({ type: 4, serial: 1, path: '/a', interface: 'a.b', member: 'C' });
    bytes.writeUInt32LE(0x7fffffff, 4);
    expect(() => messageLength(bytes)).toThrow('too long');
  });
});

describe('a peer-to-peer server', () => {
  const state: { dir: string; server: PeerServer | null } = { dir: '', server: null };
  const spec = describeInterface('a.b', { methods: { Echo: 's text -> s text', Fail: '' } });

  beforeEach(async () => {
    state.dir = mkdtempSync(join(tmpdir(), 'hp-wire-'));
    state.server = new PeerServer(join(state.dir, 'socket'), {
      joined: (peer) => {
        const methods = {
          Echo: ({ body }: { readonly body: readonly unknown[] }) => body,
          Fail: () => {
            throw new Error('on purpose');
          },
        };
        serve(
          peer,
          () => new Map([['/', [{ spec, methods }]]]),
          () => 'f'.repeat(32),
        );
      },
      gone: () => undefined,
    });
    await state.server.listen();
  });
  afterEach(() => {
    state.server?.close();
    rmSync(state.dir, { recursive: true, force: true });
  });

  const path = (): string => join(state.dir, 'socket');

  /** Resolves when the server has ended the connection, in whatever way. */
  function ended(socket: Socket): Promise<void> {
    return new Promise((resolve) => socket.once('close', () => resolve()));
  }

  /** What the server says to these bytes until it falls silent or ends the connection. */
  async function say(bytes: string | Buffer, answer: RegExp): Promise<Socket> {
    const socket = connect(path());
    socket.write(bytes);
    let heard = '';
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      heard += String(chunk);
      if (answer.test(heard)) break;
    }
    expect(heard).toMatch(answer);
    return socket;
  }

  test('answers calls, errors, and calls of members it does not have', async () => {
    const peer = await connectPeer(`unix:path=${path()}`);
    const call = { path: '/', interface: 'a.b' };
    expect(await peer.call({ ...call, member: 'Echo', signature: 's', body: ['x'] })).toEqual(['x']);
    await expect(peer.call({ ...call, member: 'Fail' })).rejects.toMatchObject({ message: 'on purpose' });
    await expect(peer.call({ ...call, member: 'Nope' })).rejects.toMatchObject({ message: 'No such method “Nope”' });
    await expect(peer.call({ ...call, path: '/x', member: 'Echo' })).rejects.toThrow('Object does not exist at path');
    const peerInterface = { path: '/', interface: 'org.freedesktop.DBus.Peer' };
    expect(await peer.call({ ...peerInterface, member: 'GetMachineId' })).toEqual(['f'.repeat(32)]);
    peer.close();
    await peer.closed;
  });

  test('authenticates in the ways of other libraries: a question first, or identity as data', async () => {
    (await say('\0AUTH\r\n', /REJECTED EXTERNAL\r\n/)).destroy();
    (
      await say('\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n', /DATA\r\nOK [0-9a-f]{32}\r\nERROR\r\n/)
    ).destroy();
  });

  test('ends a connection that talks nonsense, and goes on serving others', async () => {
    const endless = connect(path());
    endless.on('error', () => undefined).resume();
    endless.write(Buffer.alloc(100_000, 0x41));
    await ended(endless);
    const malformed = await say('\0AUTH EXTERNAL 30\r\nBEGIN\r\n', /OK/);
    malformed.on('error', () => undefined).resume();
    const bytes = encode({
      type: 1,
      serial: 1,
      path: '/',
      interface: 'a.b',
      member: 'Echo',
      signature: 's',
      body: ['x'],
    });
    malformed.write(bytes.fill(0xff, 16, 40));
    await ended(malformed);
    const peer = await connectPeer(`unix:path=${path()}`);
    expect(await peer.call({ path: '/', interface: 'a.b', member: 'Echo', signature: 's', body: ['y'] })).toEqual([
      'y',
    ]);
    peer.close();
  });

  test('a client gives up when it is refused, and when nobody is there', async () => {
    const other = join(state.dir, 'refuses');
    const server = createServer((socket) => socket.end('REJECTED KERBEROS\r\n')).listen(other);
    await once(server, 'listening');
    await expect(connectPeer(`unix:path=${other}`)).rejects.toThrow('refused: REJECTED KERBEROS');
    server.close();
    await expect(connectPeer(`unix:path=${join(state.dir, 'nobody')}`)).rejects.toThrow('ENOENT');
    await expect(connectPeer('tcp:host=x')).rejects.toThrow('not an address of the form unix:path=');
  });
});
