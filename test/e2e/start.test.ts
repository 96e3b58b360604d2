import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { program } from '../support/simulated.ts';

interface Ended {
  readonly status: number | null;
  readonly log: string;
}

/** Runs an agent whose bus is not there; it is told to stop when its log says so. */
function run(stateDir: string | null, stopAt: RegExp | null): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), 'hp-start-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'config.d'));
  writeFileSync(join(folder, 'config.d', 'a.toml'), 'identity.node_uuid = "00000000000040008000000000000001"\n');
  const [command, ...args] = program(
    'agent',
    `--config-dir=${folder}/config.d`,
    `--state-dir=${stateDir ?? `${folder}/state`}`,
    `--run-dir=${folder}/run`,
    '--bus-address=unix:path=/nowhere',
  );
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  let told = false;
  child.stderr.on('data', (data: Buffer) => {
    log += data.toString();
    if (told || stopAt?.test(log) !== true) return;
    told = true;
    child.kill('SIGTERM');
  });
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, log })));
}

describe('an agent without a bus', () => {
  test('says so, tries again, and stops when it is told to', { timeout: 20_000 }, async () => {
    const { status, log } = await run(null, /no connection to the system bus/);
    expect(status).toBe(0);
    expect(log).toMatch(/stopped/);
  });

  test('ends at once where its state cannot be kept', { timeout: 20_000 }, async () => {
    const { status, log } = await run('/proc/no-such-folder', null);
    expect(status).toBe(1);
    expect(log).toContain("mkdir '/proc/no-such-folder'");
  });
});
