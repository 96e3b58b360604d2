// The manager as a process: signals, and what a reload changes.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { startEtcd } from '../support/etcd.ts';
import { type ManagerProcess, startManager } from '../support/manager-process.ts';
import { TEST_CERTIFICATE, TEST_KEY } from '../support/tls.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-serve-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

async function start(config: string): Promise<ManagerProcess> {
  const manager = await startManager({ config });
  onTestFinished(() => manager.remove());
  return manager;
}

async function ask(manager: ManagerProcess, operation: string, group: string, token?: string): Promise<number> {
  const { status } = await fetch(`http://127.0.0.1:${manager.port}/v1/${operation}`, {
    method: 'POST',
    headers: {
      'fleet-lock-protocol': 'true',
      connection: 'close',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ client_params: { id: 'node-1', group } }),
  });
  return status;
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await setTimeout(20);
}

async function reload(manager: ManagerProcess, config: string, said: RegExp): Promise<void> {
  const before = manager.log().length;
  manager.configure(config);
  manager.signal('SIGHUP');
  await until(() => said.test(manager.log().slice(before)));
}

describe('SIGHUP', () => {
  test('before the manager is ready is done when it is', async () => {
    const manager = await start('');
    await manager.stop();
    const pid = manager.begin();
    // The first bit of the signals that are caught.
    const isCaught = (): boolean => /^SigCgt:\s*\w*[13579bdf]$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    await until(isCaught);
    expect(manager.log().match(/groups configured/g)).toHaveLength(1);
    manager.signal('SIGHUP');
    await manager.ready();
    await until(() => manager.log().includes('the configuration was read again'));
    expect(await manager.stop()).toBe(0);
  });

  test('while the manager stops changes nothing', async () => {
    const manager = await start('');
    const half = connect(manager.port, '127.0.0.1');
    half.on('error', () => undefined);
    half.write('POST /v1/pre-reboot HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{');
    const kept = fetch(`http://127.0.0.1:${manager.port}/healthz`);
    await kept;
    manager.signal('SIGTERM');
    await until(() =>
      fetch(`http://127.0.0.1:${manager.port}/healthz`).then(
        () => false,
        () => true,
      ),
    );
    manager.signal('SIGHUP');
    await setTimeout(50);
    half.destroy();
    expect(await manager.ended()).toBe(0);
    expect(manager.log()).not.toContain('read again');
  });
});

describe('a store that is in use', () => {
  /** A process that holds the store of a manager, which does not run. */
  async function held(): Promise<{ manager: ManagerProcess; release: () => void }> {
    const manager = await start('');
    await manager.stop();
    const program = join(inject('bundle'), 'embedded-store.js');
    const child = spawn(process.execPath, [program, 'hold', manager.store], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    return { manager, release: () => child.kill('SIGKILL') };
  }

  test('is waited for; a SIGHUP meanwhile is done afterwards', async () => {
    const { manager, release } = await held();
    manager.begin();
    await until(() => manager.log().includes('it is waited for'));
    manager.signal('SIGHUP');
    release();
    await manager.ready();
    await until(() => manager.log().includes('the configuration was read again'));
  });

  test('for long ends the start with what is true', async () => {
    const { manager } = await held();
    manager.begin();
    expect(await manager.ended()).toBe(1);
    expect(manager.log()).toMatch(/ERROR.*in use by another process/i);
  });
});

test('a store that says nothing does not keep the manager from its end', async () => {
  const etcd = await startEtcd();
  onTestFinished(() => etcd.stop());
  // A decision may take longer than this test.
  const config = 'service.drain_secs = 1\nservice.decision_timeout_ms = 60000\n';
  const manager = await startManager({ config, etcd: etcd.endpoints });
  onTestFinished(() => manager.remove());
  expect(await ask(manager, 'pre-reboot', 'default')).toBe(200);
  await etcd.freeze(0, true);
  const unanswered = ask(manager, 'steady-state', 'default').catch(() => 0);
  await setTimeout(200);
  manager.signal('SIGTERM');
  expect(await manager.ended()).toBe(0);
  expect(await unanswered).not.toBe(200);
  await etcd.freeze(0, false);
});

test('a damaged store ends the start, and is gone on with when a command or the start accepts it', async () => {
  const manager = await start('');
  expect(await ask(manager, 'pre-reboot', 'default')).toBe(200);
  await manager.stop();
  const log = readdirSync(manager.store).find((name) => name.endsWith('.log')) ?? '';
  const bytes = readFileSync(join(manager.store, log));
  bytes[30]! ^= 1;
  writeFileSync(join(manager.store, log), bytes);
  for (let time = 0; time < 2; time += 1) {
    manager.begin();
    expect(await manager.ended()).toBe(1);
  }
  expect(manager.log()).toMatch(/ERROR.*the database is damaged \(.*\).*--accept-damaged-store/);
  const command = (...words: readonly string[]) => {
    const program = [join(inject('bundle'), 'holdpoint.js'), 'manager', ...words];
    const { status, stderr } = spawnSync(process.execPath, [...program, '--config', manager.configPath], {
      encoding: 'utf8',
    });
    return { status, stderr };
  };
  expect(command('status')).toMatchObject({ status: 1, stderr: expect.stringContaining('is damaged') as string });
  const frozen = command('freeze', '--all', '--reason', 'damage', '--accept-damaged-store');
  expect(frozen.stderr).toMatch(/WARN.*damage was accepted/);
  expect(frozen.status).toBe(0);
  await manager.start();
  expect(await ask(manager, 'pre-reboot', 'default')).toBe(423);
});

describe('a reload', () => {
  test('that is refused changes nothing, tokens included', async () => {
    const tls = `service.cert_path = "${file('cert', TEST_CERTIFICATE)}"
service.key_path = "${file('key', TEST_KEY)}"
status.enabled = true
status.address = "127.0.0.1"
status.port = 0
status.tls = true
`;
    const manager = await start(`service.token_path = "${file('tokens', 'first\n')}"\n${tls}`);
    file('cert', 'nonsense');
    await reload(manager, tls, /refused.*cert/);
    expect(await ask(manager, 'pre-reboot', 'default')).toBe(401);
    expect(await ask(manager, 'pre-reboot', 'default', 'first')).toBe(200);
    file('cert', TEST_CERTIFICATE);
    await reload(manager, tls, /read again/);
    expect(await ask(manager, 'pre-reboot', 'default')).toBe(200);
  });

  test('without a group leaves its tokens to those who hold its slots, and to nobody after a restart', async () => {
    const manager = await start(`[[lock.groups]]\nname = "a"\ntoken_path = "${file('a', 'token-a\n')}"\n`);
    expect(await ask(manager, 'pre-reboot', 'a', 'token-a')).toBe(200);
    await reload(manager, '', /read again/);
    expect(await ask(manager, 'steady-state', 'a')).toBe(401);
    await manager.stop();
    await manager.start();
    expect(await ask(manager, 'steady-state', 'a')).toBe(401);
    expect(await ask(manager, 'steady-state', 'a', 'token-a')).toBe(401);
    const order = { by: 'anna', reason: 'its group is gone' };
    await manager.order({ operation: 'unlock', group: 'a', id: 'node-1', force: true, ...order });
    expect(await manager.holders('a')).toEqual([]);
  });
});

test('tokens are read again when their file changes, without a word', async () => {
  const manager = await start(`service.token_path = "${file('tokens', 'first\n')}"\n`);
  expect(await ask(manager, 'pre-reboot', 'default', 'first')).toBe(200);
  file('tokens', 'second\n');
  await until(async () => (await ask(manager, 'pre-reboot', 'default', 'second')) === 200);
  expect(await ask(manager, 'pre-reboot', 'default', 'first')).toBe(401);
  rmSync(join(folder, 'tokens'));
  await until(async () => {
    expect(await ask(manager, 'pre-reboot', 'default', 'second')).toBe(200);
    return manager.log().includes('stay good');
  });
});
