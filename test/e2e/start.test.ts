import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { program } from '../support/simulated.ts';

const LIMIT = { timeout: 20_000 };
const NODE = 'identity.node_uuid = "00000000000040008000000000000001"\n';
const BOOT_ID = '11111111-2222-3333-4444-555555555555\n';

interface ProcessOptions {
  readonly state?: string;
  readonly dirs?: readonly string[];
  /** Called with the folder before the agent starts. */
  readonly prepare?: (folder: string) => void;
}

/** An agent whose bus is not there, on a host without a machine id. */
class Process {
  readonly folder = mkdtempSync(join(tmpdir(), 'hp-start-'));
  readonly ended: Promise<number | null>;
  log = '';
  readonly child: ChildProcess;
  #waiting: (() => void)[] = [];

  constructor({ state = 'state', dirs = ['config.d'], prepare }: ProcessOptions = {}) {
    const { folder } = this;
    const inFolder = (path: string): string => (path.startsWith('/') ? path : join(folder, path));
    mkdirSync(inFolder('config.d'));
    mkdirSync(inFolder('proc/sys/kernel/random'), { recursive: true });
    writeFileSync(inFolder('proc/sys/kernel/random/boot_id'), BOOT_ID);
    this.configure(NODE);
    prepare?.(folder);
    const [command, ...args] = program(
      'agent',
      ...dirs.map((dir) => `--config-dir=${inFolder(dir)}`),
      `--state-dir=${inFolder(state)}`,
      `--run-dir=${inFolder('run')}`,
      `--root=${folder}`,
      '--bus-address=unix:path=/nowhere',
    );
    this.child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.child.stderr?.on('data', (data: Buffer) => {
      this.log += data.toString();
      for (const check of [...this.#waiting]) check();
    });
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    onTestFinished(() => {
      this.child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    });
  }

  configure(text: string): void {
    writeFileSync(join(this.folder, 'config.d', 'a.toml'), text);
  }

  /** Resolves when the log says so. */
  says(what: RegExp): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (what.test(this.log)) resolve();
      };
      this.#waiting.push(check);
      check();
    });
  }

  async stops(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}

describe('an agent without a bus', () => {
  test('says so, tries again, and stops when it is told to', LIMIT, async () => {
    const agent = new Process();
    await agent.says(/no connection to the system bus/);
    expect(await agent.stops()).toBe(0);
    expect(agent.log).toMatch(/stopped/);
  });

  test('ends at once where its state cannot be kept', LIMIT, async () => {
    const agent = new Process({ state: '/proc/no-such-folder' });
    expect(await agent.ended).toBe(1);
    expect(agent.log).toContain("mkdir '/proc/no-such-folder'");
  });

  test('refuses a new configuration without a node id where the host has none', LIMIT, async () => {
    const agent = new Process();
    await agent.says(/no connection to the system bus/);
    agent.configure('');
    agent.child.kill('SIGHUP');
    await agent.says(/the new configuration is refused: .*node_uuid.*; the one before stays in force/);
    agent.configure(NODE);
    agent.child.kill('SIGHUP');
    await agent.says(/the configuration was read again/);
    expect(await agent.stops()).toBe(0);
  });

  test('goes on when nobody reads its log any more', LIMIT, async () => {
    const agent = new Process();
    await agent.says(/no connection to the system bus/);
    agent.child.stderr?.destroy();
    for (let count = 0; count < 3; count += 1) {
      agent.child.kill('SIGHUP');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await agent.stops()).toBe(0);
  });

  test('does not wait for whoever writes to a pipe in place of its state', LIMIT, async () => {
    const agent = new Process({
      prepare: (folder) => {
        mkdirSync(join(folder, 'state'), { mode: 0o700 });
        execFileSync('mkfifo', [join(folder, 'state', 'state.json')]);
      },
    });
    await agent.says(/state\.json: .*not a regular file; kept as .*state\.json\.unreadable/);
    await agent.says(/no connection to the system bus/);
    expect(await agent.stops()).toBe(0);
  });
});

describe('a configuration folder that was named and is not there', () => {
  test('is an error at the start', LIMIT, async () => {
    const agent = new Process({ dirs: ['config.d', 'policy.d'] });
    expect(await agent.ended).toBe(3);
    expect(agent.log).toMatch(/policy\.d: error: there is no such folder/);
  });

  test('is refused at a reload', LIMIT, async () => {
    const agent = new Process({
      dirs: ['config.d', 'policy.d'],
      prepare: (folder) => mkdirSync(join(folder, 'policy.d')),
    });
    await agent.says(/no connection to the system bus/);
    rmSync(join(agent.folder, 'policy.d'), { recursive: true });
    agent.child.kill('SIGHUP');
    await agent.says(/the new configuration is refused/);
    expect(await agent.stops()).toBe(0);
  });
});
