import { execFileSync } from 'node:child_process';
import type * as NodeFs from 'node:fs';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { dispatch } from '../../src/cli/dispatch.ts';
import { hookCommands } from '../../src/cli/hook.ts';
import { overview } from '../../src/cli/help.ts';
import { formatOrder } from '../../src/hooks/event.ts';
import { orderFile } from '../../src/hooks/unit-runner.ts';
import { CONTEXT, folder, temporary, writeHook } from '../support/hooks.ts';
import { testIo } from './io.ts';

/** The file that is made longer as soon as somebody has looked at how long it is. */
const grows = vi.hoisted(() => ({ path: null as string | null }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof NodeFs>();
  const fstatSync = (file: number): unknown => {
    const found = fs.fstatSync(file);
    if (grows.path !== null) appendFileSync(grows.path, ' '.repeat(1_000_000));
    grows.path = null;
    return found;
  };
  return { ...fs, fstatSync };
});

async function exec(instance: string, script: string | null): Promise<readonly [number, string, string]> {
  const base = temporary();
  const [dir, runDir] = [folder(join(base, 'hooks.d')), folder(join(base, 'run'))];
  if (script !== null) writeHook(dir, 'pre-reboot', 'x', script);
  writeFileSync(orderFile(runDir, 'pre-reboot'), formatOrder({ dir, timeoutMs: 20_000, context: CONTEXT }));
  const io = testIo();
  const code = await dispatch(hookCommands, ['hook', 'exec', '--dir', dir, '--run-dir', runDir, instance], io);
  return [code, io.out(), io.err()];
}

describe('hook exec', () => {
  test('passes on what the hook says, and ends as it does', async () => {
    expect(await exec('pre-reboot:x', 'echo "drained $HOLDPOINT_GROUP"')).toEqual([0, 'drained workers\n', '']);
    const later = await exec('pre-reboot:x', 'echo busy; exit 75');
    expect(later).toEqual([75, 'busy\n', 'holdpoint hook exec: pre-reboot:x: busy\n']);
    const wrong = await exec('pre-reboot:x', 'exit 42');
    expect(wrong).toEqual([1, '', 'holdpoint hook exec: pre-reboot:x: exit status 42\n']);
  });

  test('passes on no more than 64 KiB', async () => {
    const [code, out] = await exec('pre-reboot:x', 'head -c 1000000 /dev/zero | tr "\\0" x');
    expect([code, out.length]).toEqual([0, 65_536]);
  });

  test.each(['', 'x', 'pre-reboot:', 'pre-reboot:../x', 'sideways:x', 'pre-reboot:x y'])(
    'takes %j for a wrong command line',
    async (instance) => {
      const [code, , err] = await exec(instance, 'true');
      expect(code).toBe(2);
      expect(err).toContain('EVENT:NAME');
    },
  );

  test('runs nothing that is not there, or that it was not told of', async () => {
    expect((await exec('pre-reboot:x', null))[0]).toBe(1);
    const [code, , err] = await exec('post-boot:x', 'true');
    expect(code).toBe(1);
    expect(err).toContain('hook-post-boot.json: cannot be read');
  });

  test('does not wait for a pipe in place of what the agent writes', async () => {
    const base = temporary();
    mkdirSync(join(base, 'run'));
    execFileSync('mkfifo', [orderFile(join(base, 'run'), 'pre-reboot')]);
    const io = testIo();
    const args = ['hook', 'exec', '--dir', base, '--run-dir', join(base, 'run'), 'pre-reboot:x'];
    expect(await dispatch(hookCommands, args, io)).toBe(1);
  });

  test.each(['/elsewhere\nholdpoint hook exec: forged', '/elsewhere\nMAINPID=1\r<0>forged', '/elsewhere'])(
    'says one line of its own to the log and to systemd when the folder is another one: %j',
    async (other) => {
      const base = temporary();
      const [dir, runDir, bin] = ['hooks.d', 'run', 'bin'].map((name) => folder(join(base, name))) as [
        string,
        string,
        string,
      ];
      writeHook(dir, 'pre-reboot', 'x', 'true');
      writeFileSync(orderFile(runDir, 'pre-reboot'), formatOrder({ dir: other, timeoutMs: 20_000, context: CONTEXT }));
      const said = join(base, 'said');
      writeFileSync(join(bin, 'systemd-notify'), `#!/bin/sh\nprintf '%s\\n' "$@" > ${said}\n`, { mode: 0o755 });
      const io = testIo({ NOTIFY_SOCKET: '/nowhere', PATH: `${bin}:${process.env['PATH'] ?? ''}` });
      const args = ['hook', 'exec', '--dir', dir, '--run-dir', runDir, 'pre-reboot:x'];
      expect(await dispatch(hookCommands, args, io)).toBe(1);
      expect(io.err()).toMatch(/^holdpoint hook exec: pre-reboot:x: \P{Cc}+\n$/u);
      expect(readFileSync(said, 'utf8')).toMatch(/^STATUS=\P{Cc}+\n$/u);
    },
  );

  test('reads no more than an order has, however its owner makes the file grow', async () => {
    grows.path = null;
    const base = temporary();
    const [dir, runDir] = [folder(join(base, 'hooks.d')), folder(join(base, 'run'))];
    writeHook(dir, 'pre-reboot', 'x', 'true');
    const file = orderFile(runDir, 'pre-reboot');
    writeFileSync(file, formatOrder({ dir, timeoutMs: 20_000, context: CONTEXT }));
    const args = ['hook', 'exec', '--dir', dir, '--run-dir', runDir, 'pre-reboot:x'];
    expect(await dispatch(hookCommands, args, testIo())).toBe(0);
    grows.path = file;
    const io = testIo();
    expect(await dispatch(hookCommands, args, io)).toBe(1);
    expect(io.err()).toContain('cannot be read');
  });

  test('is not shown among the commands', () => {
    expect(overview(hookCommands)).not.toContain('hook exec');
    expect(overview(hookCommands, 'hook')).toContain('hook exec');
  });
});
