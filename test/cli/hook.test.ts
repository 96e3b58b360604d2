import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dispatch } from '../../src/cli/dispatch.ts';
import { hookCommands } from '../../src/cli/hook.ts';
import { overview } from '../../src/cli/help.ts';
import { formatOrder } from '../../src/hooks/event.ts';
import { orderFile } from '../../src/hooks/unit-runner.ts';
import { CONTEXT, folder, temporary, writeHook } from '../support/hooks.ts';
import { testIo } from './io.ts';

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

  test('is not shown among the commands', () => {
    expect(overview(hookCommands)).not.toContain('hook exec');
    expect(overview(hookCommands, 'hook')).toContain('hook exec');
  });
});
