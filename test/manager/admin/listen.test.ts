import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { describe, expect, onTestFinished, test } from 'vitest';
import { socketAdmin } from '../../../src/manager/admin/client.ts';
import { createAdminHandler } from '../../../src/manager/admin/handler.ts';
import { type AdminListener, openAdminSocket } from '../../../src/manager/admin/listen.ts';
import { fakeManager, temporaryFolder } from '../../support/manager-fake.ts';

async function open(path: string): Promise<AdminListener> {
  const listener = await openAdminSocket(path, createAdminHandler(fakeManager(), { token: null }));
  onTestFinished(() => listener.close(0));
  return listener;
}

/** A socket whose server died without a word. */
function deadSocket(path: string): void {
  const code = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', code]);
  expect(statSync(path).isSocket()).toBe(true);
}

describe('the socket', () => {
  test('is for its owner and group alone, and so is the folder made for it', async () => {
    const folder = join(temporaryFolder(), 'run/manager');
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    await open(join(folder, 'admin.sock'));
    expect(process.umask(0)).toBe(0);
    expect((statSync(join(folder, 'admin.sock')).mode & 0o777).toString(8)).toBe('660');
    expect((statSync(folder).mode & 0o777).toString(8)).toBe('750');
  });

  test('leaves a folder that is there as it is', async () => {
    const folder = join(temporaryFolder(), 'there');
    mkdirSync(folder, { mode: 0o711 });
    await open(join(folder, 'admin.sock'));
    expect((statSync(folder).mode & 0o777).toString(8)).toBe('711');
  });

  test('takes the place of one whose server is dead', async () => {
    const path = join(temporaryFolder(), 'admin.sock');
    deadSocket(path);
    await open(path);
    expect(await socketAdmin(path).status()).toMatchObject({ ok: true });
  });

  test('does not take the place of one that lives', async () => {
    const path = join(temporaryFolder(), 'admin.sock');
    await open(path);
    await expect(open(path)).rejects.toThrow(`another manager is running at ${path} (admin.socket)`);
    expect(await socketAdmin(path).status()).toMatchObject({ ok: true });
  });

  test('does not take the place of one that lives and says nothing', async () => {
    const path = join(temporaryFolder(), 'admin.sock');
    const silent = createNetServer();
    await new Promise<void>((resolve) => silent.listen(path, resolve));
    onTestFinished(() => new Promise((resolve) => void silent.close(() => resolve())));
    await expect(open(path)).rejects.toThrow('another manager is running at');
  });

  test.each(['file', 'folder'])('does not take the place of a %s', async (kind) => {
    const path = join(temporaryFolder(), 'admin.sock');
    if (kind === 'file') writeFileSync(path, 'precious');
    else mkdirSync(path);
    await expect(open(path)).rejects.toThrow(`${path} (admin.socket) is there, and is no socket`);
    if (kind === 'file') expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  test('says why it cannot be', async () => {
    const path = join(temporaryFolder(), 'x'.repeat(120));
    await expect(open(path)).rejects.toThrow(`the socket ${path} cannot be opened (admin.socket): `);
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    await expect(open(join(file, 'admin.sock'))).rejects.toThrow('cannot be opened (admin.socket): ');
  });

  test('is gone when it is closed, and can be opened again', async () => {
    const path = join(temporaryFolder(), 'admin.sock');
    const first = await open(path);
    await socketAdmin(path).status();
    await first.close();
    expect(existsSync(path)).toBe(false);
    await open(path);
    expect(await socketAdmin(path).status()).toMatchObject({ ok: true });
  });

  test('is closed although somebody does not go away', async () => {
    const path = join(temporaryFolder(), 'admin.sock');
    let arrive: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const manager = fakeManager({
      status: () => {
        arrive();
        return new Promise(() => undefined);
      },
    });
    const listener = await openAdminSocket(path, createAdminHandler(manager, { token: null }));
    const asked = socketAdmin(path, { totalMs: 3_600_000 }).status();
    await arrived;
    await listener.close(10);
    expect(await asked).toMatchObject({ ok: false, failure: { kind: 'failed' } });
  });
});
