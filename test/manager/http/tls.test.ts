import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createAccess } from '../../../src/manager/http/access.ts';
import { readTls, type TlsFiles } from '../../../src/manager/http/tls.ts';
import {
  CLIENT_CA,
  CLIENT_CERTIFICATE,
  CLIENT_KEY,
  RENEWED_CERTIFICATE,
  RENEWED_KEY,
  SLY_CERTIFICATE,
  SLY_KEY,
} from '../../support/client-tls.ts';
import { TEST_CERTIFICATE, TEST_KEY } from '../../support/tls.ts';
import { rawClient, type RawClient, requestText } from './raw-client.ts';
import { start, type StartOptions } from './start.ts';

/** Files of a listener, in a folder of the test. */
function tlsFiles(clientCa: string | null = null): TlsFiles & { replace(certificate: string, key: string): void } {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, `${name}.new`), text);
    renameSync(join(folder, `${name}.new`), join(folder, name));
    return join(folder, name);
  };
  return {
    certPath: write('cert.pem', TEST_CERTIFICATE),
    keyPath: write('key.pem', TEST_KEY),
    clientCaPath: clientCa === null ? null : write('ca.pem', clientCa),
    replace: (certificate, key) => {
      write('cert.pem', certificate);
      write('key.pem', key);
    },
  };
}

const TRUST = { ca: [TEST_CERTIFICATE, RENEWED_CERTIFICATE], servername: 'localhost' };
const NODE_1 = { ...TRUST, cert: CLIENT_CERTIFICATE, key: CLIENT_KEY };
const SLY = { ...TRUST, cert: SLY_CERTIFICATE, key: SLY_KEY };

async function connectTls(port: number, options = {}): Promise<RawClient> {
  const one = await rawClient(port, { ...TRUST, ...options });
  onTestFinished(() => one.close());
  return one;
}

async function statusFor(id: string, one: RawClient): Promise<number> {
  one.send(requestText('pre-reboot', { body: JSON.stringify({ client_params: { id, group: 'workers' } }) }));
  return (await one.answer()).status;
}

function secureSocket({ socket }: RawClient): TLSSocket {
  if (socket instanceof TLSSocket) return socket;
  throw new Error('this connection is not encrypted');
}

function serial(one: RawClient): string {
  return secureSocket(one).getPeerCertificate().serialNumber;
}

describe('HTTPS', () => {
  it('answers as HTTP does', async () => {
    const { port } = await start({ tls: tlsFiles() });
    expect(await statusFor('node-1', await connectTls(port))).toBe(200);
  });

  it('is not for those who speak HTTP, and does not mind them', async () => {
    const { port, client, listener } = await start({ tls: tlsFiles() });
    const one = await client();
    one.send(requestText('pre-reboot'));
    expect(await one.ended()).not.toContain('200');
    expect(await statusFor('node-1', await connectTls(port))).toBe(200);
    while (listener.connections > 1) await new Promise((resolve) => setImmediate(resolve));
  });

  it('counts a connection once, and forgets it', async () => {
    const { port, listener } = await start({ tls: tlsFiles() });
    const one = await connectTls(port);
    expect(await statusFor('node-1', one)).toBe(200);
    expect(listener.connections).toBe(1);
    one.close();
    while (listener.connections > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('is kept from nobody by connections that do not even shake hands', async () => {
    const { port, listener } = await start({ tls: tlsFiles(), limits: { maxConnections: 64 } });
    const silent = Array.from({ length: 500 }, () =>
      connect(port, '127.0.0.1')
        .on('error', () => undefined)
        .resume(),
    );
    onTestFinished(() => {
      for (const socket of silent) socket.destroy();
    });
    for (let i = 0; i < 5; i += 1) expect(await statusFor('node-1', await connectTls(port))).toBe(200);
    expect(listener.connections).toBeLessThanOrEqual(64);
  });

  it('is kept from nobody by connections that were used and are kept', async () => {
    const { port, listener } = await start({ tls: tlsFiles(), limits: { maxConnections: 8, keepAliveMs: 60_000 } });
    for (let i = 0; i < 24; i += 1) expect(await statusFor('node-1', await connectTls(port))).toBe(200);
    expect(listener.connections).toBeLessThanOrEqual(8);
  });

  it('gives up handshakes that do not end', async () => {
    const { client } = await start({ tls: tlsFiles(), limits: { headTimeoutMs: 100 } });
    expect(await (await client()).ended()).toBe('');
  });

  it('closes with handshakes under way, and with those that are over and were for nothing', async () => {
    const { port, client, listener } = await start({ tls: tlsFiles() });
    const one = await client();
    const shaken = await connectTls(port);
    while (listener.connections < 2) await new Promise((resolve) => setImmediate(resolve));
    await listener.close(60_000);
    expect([await one.ended(), await shaken.ended()]).toEqual(['', '']);
  });
});

describe('client certificates', () => {
  const bound: StartOptions = {
    access: () => createAccess({ tokenPath: null, groups: [], openUnlisted: false, bindClientIds: true }),
  };

  it('are demanded, of the right CA', async () => {
    const { port, manager } = await start({ tls: tlsFiles(CLIENT_CA) });
    const asked = async (options: object): Promise<number | string> =>
      connectTls(port, options)
        .then((one) => statusFor('node-1', one))
        .catch(() => 'no answer');
    expect(await asked({})).toBe('no answer');
    expect(await asked({ cert: TEST_CERTIFICATE, key: TEST_KEY })).toBe('no answer');
    expect(manager.calls).toEqual([]);
    expect(await asked(NODE_1)).toBe(200);
  });

  it('bind the id, by common name, DNS name or URI', async () => {
    const { port } = await start({ ...bound, tls: tlsFiles(CLIENT_CA) });
    const one = await connectTls(port, NODE_1);
    expect(await statusFor('node-1', one)).toBe(200);
    expect(await statusFor('node-1.example', one)).toBe(200);
    expect(await statusFor('urn:node:1', one)).toBe(200);
    one.send(requestText('pre-reboot', { body: '{"client_params":{"id":"node-2","group":"workers"}}' }));
    const refused = await one.answer();
    expect([refused.status, JSON.parse(refused.body)]).toMatchObject([403, { kind: 'forbidden' }]);
  });

  it('cannot hide a name in another', async () => {
    const { port } = await start({ ...bound, tls: tlsFiles(CLIENT_CA) });
    const one = await connectTls(port, SLY);
    expect(await statusFor('victim', one)).toBe(403);
    expect(await statusFor('urn:a, DNS:victim', one)).toBe(200);
  });

  it('bind on a resumed session as well', async () => {
    const { port } = await start({ ...bound, tls: tlsFiles(CLIENT_CA) });
    const first = await connectTls(port, { ...NODE_1, maxVersion: 'TLSv1.2' });
    expect(await statusFor('node-1', first)).toBe(200);
    const session = secureSocket(first).getSession();
    const second = await connectTls(port, { ...NODE_1, maxVersion: 'TLSv1.2', session });
    expect(secureSocket(second).isSessionReused()).toBe(true);
    expect(await statusFor('node-1', second)).toBe(200);
    expect(await statusFor('node-2', second)).toBe(403);
  });
});

describe('a renewed certificate', () => {
  it('is shown to new connections; old ones go on', async () => {
    const files = tlsFiles();
    const { port, listener } = await start({ tls: files });
    const before = await connectTls(port);
    files.replace(RENEWED_CERTIFICATE, RENEWED_KEY);
    listener.prepareReload()();
    const after = await connectTls(port);
    expect(serial(after)).not.toBe(serial(before));
    expect(await statusFor('node-1', before)).toBe(200);
    expect(await statusFor('node-1', after)).toBe(200);
  });

  it('is shown only once it is put in place', async () => {
    const files = tlsFiles();
    const { port, listener } = await start({ tls: files });
    const before = await connectTls(port);
    files.replace(RENEWED_CERTIFICATE, RENEWED_KEY);
    const put = listener.prepareReload();
    expect(serial(await connectTls(port))).toBe(serial(before));
    put();
    expect(serial(await connectTls(port))).not.toBe(serial(before));
  });

  it('still demands the certificates of clients', async () => {
    const files = tlsFiles(CLIENT_CA);
    const { port, listener } = await start({ tls: files });
    files.replace(RENEWED_CERTIFICATE, RENEWED_KEY);
    listener.prepareReload()();
    expect(await statusFor('node-1', await connectTls(port, NODE_1))).toBe(200);
    await expect(connectTls(port).then((one) => statusFor('node-1', one))).rejects.toThrow();
  });

  it('is found without a word within a minute', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const files = tlsFiles();
    const { port, logged } = await start({ tls: files });
    const before = await connectTls(port);
    vi.advanceTimersByTime(60_000);
    expect(logged).toEqual([]);
    files.replace(RENEWED_CERTIFICATE, 'nonsense');
    vi.advanceTimersByTime(60_000);
    vi.advanceTimersByTime(60_000);
    expect(logged.filter((line) => line.includes('the old one stays'))).toHaveLength(1);
    expect(serial(await connectTls(port))).toBe(serial(before));
    files.replace(RENEWED_CERTIFICATE, RENEWED_KEY);
    vi.advanceTimersByTime(60_000);
    expect(serial(await connectTls(port))).not.toBe(serial(before));
  });

  it('that cannot be used changes nothing', async () => {
    const files = tlsFiles();
    const { port, listener } = await start({ tls: files });
    files.replace(RENEWED_CERTIFICATE, TEST_KEY);
    expect(() => listener.prepareReload()).toThrow(/cert\.pem and the key .*key\.pem cannot be used together/);
    expect(await statusFor('node-1', await connectTls(port))).toBe(200);
  });
});

describe('files that cannot be used', () => {
  const write = (path: string, text: string): string => {
    writeFileSync(path, text);
    return path;
  };

  it.each([
    [
      'a certificate that is not there',
      (f: TlsFiles) => ({ ...f, certPath: '/nowhere/c.pem' }),
      /\/nowhere\/c\.pem does/,
    ],
    [
      'a key that is not there',
      (f: TlsFiles) => ({ ...f, keyPath: '/nowhere/k.pem' }),
      /\/nowhere\/k\.pem does not exist/,
    ],
    ['CAs that are not there', (f: TlsFiles) => ({ ...f, clientCaPath: '/nowhere/ca.pem' }), /\/nowhere\/ca\.pem does/],
    [
      'a file of CAs without one',
      (f: TlsFiles) => ({ ...f, clientCaPath: write(`${f.certPath}.ca`, '# none\n') }),
      /no certificate in .*\.ca/,
    ],
    [
      'a broken CA',
      (f: TlsFiles) => ({ ...f, clientCaPath: write(`${f.certPath}.ca`, '-----BEGIN CERTIFICATE-----\nx\n') }),
      /CAs in .*\.ca cannot be used/,
    ],
    ['the key of another', (f: TlsFiles) => ({ ...f, keyPath: write(`${f.keyPath}.other`, RENEWED_KEY) }), /together/],
  ])('are named: %s', (_, spoil, message) => {
    expect(() => readTls(spoil(tlsFiles()))).toThrow(message);
  });

  it('keep their content to themselves', () => {
    const files = tlsFiles();
    const keyPath = write(`${files.keyPath}.bad`, 'PRIVATE-SECRET');
    expect(() => readTls({ ...files, keyPath })).toThrow(/^(?!.*PRIVATE-SECRET)/);
  });
});
