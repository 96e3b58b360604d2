import { createServer as createNetServer } from 'node:net';
import { createServer, type RequestListener } from 'node:http';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Asked } from '../../../src/manager/admin/admin.ts';
import { socketAdmin } from '../../../src/manager/admin/client.ts';
import { createAdminHandler } from '../../../src/manager/admin/handler.ts';
import { openAdminSocket } from '../../../src/manager/admin/listen.ts';
import type { AdminOrder } from '../../../src/manager/admin/orders.ts';
import { REFUSALS, type RefusalKind } from '../../../src/fleetlock/protocol.ts';
import { type Answer, refuse } from '../../../src/manager/answer.ts';
import { fakeManager, temporaryFolder } from '../../support/manager-fake.ts';
import { AT, HOUR } from '../../support/manager-status.ts';

const ORDER: AdminOrder = { operation: 'resize', group: 'g', slots: 2, by: 'me', reason: '' };
const DOUBT = '; it may have been carried out: see holdpoint manager history';

function socket(): string {
  return join(temporaryFolder(), 'admin.sock');
}

async function listen(path: string, server: ReturnType<typeof createNetServer>): Promise<void> {
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server)
          (server as unknown as { closeAllConnections: () => void }).closeAllConnections();
      }),
  );
}

async function serve(handler: RequestListener): Promise<string> {
  const path = socket();
  await listen(path, createServer(handler));
  return path;
}

/** Answers every connection with these bytes, and ends it. */
async function serveBytes(bytes: string): Promise<string> {
  const path = socket();
  await listen(
    path,
    createNetServer((connection) => {
      connection.on('error', () => undefined);
      connection.once('data', () => connection.end(bytes));
    }),
  );
  return path;
}

function replying(status: number, body: string, headers: Readonly<Record<string, string>> = {}): RequestListener {
  return (_, response) => response.writeHead(status, headers).end(body);
}

function failure(asked: Asked<unknown>): string {
  return asked.ok ? 'no failure' : `${asked.failure.kind}: ${asked.failure.text}`;
}

describe('with a real server', () => {
  test('orders arrive as they were given', async () => {
    const [path, manager] = [socket(), fakeManager()];
    const listener = await openAdminSocket(path, createAdminHandler(manager, { token: null, now: () => AT }));
    onTestFinished(() => listener.close(0));
    const admin = socketAdmin(path);
    const order = { by: 'anna', reason: 'it\'s "over"' };
    const orders: readonly AdminOrder[] = [
      { operation: 'lock', group: 'g', id: 'a/b\n', ...order },
      { operation: 'unlock', group: 'g', id: 'ü', force: true, ...order },
      { operation: 'resize', group: 'g', slots: 0, ...order },
      { operation: 'freeze', group: null, until: AT + HOUR, ...order },
      { operation: 'freeze', group: 'g', until: null, ...order },
      { operation: 'thaw', group: null, ...order },
    ];
    for (const one of orders) expect(await admin.order(one)).toEqual({ ok: true, value: manager.answer });
    const { by, reason } = order;
    expect(manager.calls).toEqual([
      ['lock', 'g', 'a/b\n', by, reason],
      ['unlock', 'g', 'ü', true, by, reason],
      ['resize', 'g', 0, by, reason],
      ['freeze', null, AT + HOUR, by, reason],
      ['freeze', 'g', null, by, reason],
      ['thaw', null, by, reason],
    ]);
    await admin.history({ group: 'g', id: 'a&b=c', most: 3 });
    expect(manager.calls.at(-1)).toEqual(['history', { group: 'g', id: 'a&b=c', most: 3 }]);
  });

  test('a refusal is an answer', async () => {
    const [path, manager] = [socket(), fakeManager()];
    const listener = await openAdminSocket(path, createAdminHandler(manager, { token: null }));
    onTestFinished(() => listener.close(0));
    for (const kind of Object.keys(REFUSALS) as RefusalKind[]) {
      manager.answer = refuse(kind, 'why', 3_000);
      expect(await socketAdmin(path).order(ORDER)).toEqual({ ok: true, value: manager.answer });
    }
  });
});

describe('without a server', () => {
  test('nobody is running', async () => {
    const path = socket();
    expect(failure(await socketAdmin(path).status())).toBe(`not-running: no manager is running at ${path}`);
    writeFileSync(path, '');
    expect(failure(await socketAdmin(path).order(ORDER))).toBe(`not-running: no manager is running at ${path}`);
    expect(failure(await socketAdmin(join(path, 'x')).order(ORDER))).toMatch(/^not-running: /);
  });

  test('a path that can be none', async () => {
    expect(failure(await socketAdmin(`/tmp/${'x'.repeat(200)}`).status())).toMatch(/^failed: /);
  });

  test.skipIf(process.getuid?.() !== 0)('a socket of somebody else', async () => {
    const path = await serve(replying(200, '{}'));
    chmodSync(path, 0o600);
    chmodSync(join(path, '..'), 0o755);
    process.seteuid?.(65_534);
    const asked = await socketAdmin(path)
      .status()
      .finally(() => process.seteuid?.(0));
    expect(failure(asked)).toBe(`denied: this user may not use the socket ${path}`);
  });
});

describe('with a server that', () => {
  test('does not answer', async () => {
    const path = await serve(() => undefined);
    const admin = socketAdmin(path, { totalMs: 20 });
    expect(failure(await admin.status())).toBe('failed: the manager did not answer within 0.02 s');
    expect(failure(await admin.order(ORDER))).toBe(`failed: the manager did not answer within 0.02 s${DOUBT}`);
  });

  test('does not end its answer', async () => {
    const path = await serve((_, response) => void response.writeHead(200).write('{"at":'));
    expect(failure(await socketAdmin(path, { totalMs: 50 }).status())).toMatch(
      /^failed: the manager did not answer within/,
    );
  });

  test('answers without end', async () => {
    const path = await serve((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(' '.repeat(4096)));
        response.once('drain', more);
      };
      more();
    });
    const asked = await socketAdmin(path, { maxBytes: 100_000 }).order(ORDER);
    expect(failure(asked)).toBe(`failed: the manager's answer is larger than 100000 bytes${DOUBT}`);
  });

  test.each([
    ['says nothing', ''],
    ['speaks something else', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['breaks off', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"ok":true'],
    ['has endless headers', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`],
  ])('%s', async (_, bytes) => {
    const path = await serveBytes(bytes);
    expect(failure(await socketAdmin(path).status())).toMatch(/^failed: no good answer from the manager at /);
    expect(failure(await socketAdmin(path).order(ORDER))).toContain(DOUBT);
  });

  test.each<[string, number, string, string]>([
    ['no JSON', 200, '<html>', `failed: the manager's answer cannot be understood: `],
    ['nothing', 200, '', `failed: the manager's answer cannot be understood: `],
    [
      'another object',
      200,
      '{}',
      `failed: the manager's answer cannot be understood: ok: true was expected, nothing was found${DOUBT}`,
    ],
    [
      'not ok',
      200,
      '{"ok":false,"outcome":"changed","text":"x"}',
      `failed: the manager's answer cannot be understood: ok: true was expected, false was found${DOUBT}`,
    ],
    [
      'an outcome unknown',
      200,
      '{"ok":true,"outcome":"done","text":"x"}',
      `failed: the manager's answer cannot be understood: outcome: `,
    ],
    ['another success', 204, '', 'failed: HTTP 204'],
    ['a redirect', 302, '', 'failed: HTTP 302'],
    ['a kind unknown', 400, '{"kind":"nope","value":"x"}', 'failed: HTTP 400: nope: x'],
    ['a kind with another status', 200, '{"kind":"slots_full","value":"x"}', 'failed: '],
    ['a kind with another status', 500, '{"kind":"slots_full","value":"x"}', `failed: HTTP 500: slots_full: x${DOUBT}`],
    [
      'a fault of its own',
      500,
      '{"kind":"internal_error","value":"a\\u001b[31m bug"}',
      `failed: HTTP 500: internal_error: a [31m bug${DOUBT}`,
    ],
    ['not UTF-8', 200, '\u00ff', "failed: the manager's answer cannot be understood: "],
  ])('answers an order with %s', async (_, status, body, text) => {
    const path = await serve(replying(status, body));
    expect(failure(await socketAdmin(path).order(ORDER)).slice(0, text.length)).toBe(text);
  });

  test('answers a refusal that is not for one line', async () => {
    const path = await serve(
      replying(409, JSON.stringify({ kind: 'slots_full', value: 'a\u001b[31m\nb' }), { 'retry-after': 'soon' }),
    );
    const answer: Answer = { ok: false, kind: 'slots_full', value: 'a [31m b', retryAfterMs: null };
    expect(await socketAdmin(path).order(ORDER)).toEqual({ ok: true, value: answer });
  });

  test('answers a status that is none', async () => {
    const path = await serve(
      replying(
        200,
        '{"at":"2026-07-23T14:00:00Z","store":{"kind":"etcd","warnings":[],"oursOnly":[]},"freeze":null,"groups":[{}]}',
      ),
    );
    expect(failure(await socketAdmin(path).status())).toBe(
      "failed: the manager's answer cannot be understood: groups[0].name: a text was expected, nothing was found",
    );
  });

  test('refuses a question', async () => {
    const path = await serve(replying(503, '{"kind":"store_unavailable","value":"etcd is away"}'));
    expect(failure(await socketAdmin(path).status())).toBe('failed: HTTP 503: store_unavailable: etcd is away');
    expect(failure(await socketAdmin(path).history({ most: 1 }))).toBe(
      'failed: HTTP 503: store_unavailable: etcd is away',
    );
  });
});
