import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writeHook } from '../support/hooks.ts';
import { program } from '../support/simulated.ts';

interface Run {
  /** Waits for what it writes. */
  readonly says: (what: RegExp) => Promise<RegExpExecArray>;
  /** Waits for its end; gives the signal that ended it. */
  readonly ended: () => Promise<string | null>;
}

/** Runs the program; it is interrupted when the test is over. */
function run(...args: string[]): Run {
  const [node, ...all] = program(...args);
  const child: ChildProcess = spawn(node, all, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => (text += data.toString()));
  onTestFinished(async () => {
    child.kill('SIGINT');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  return {
    ended: async () => {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      return child.signalCode;
    },
    says: async (what) => {
      for (;;) {
        const found = what.exec(text);
        if (found !== null) return found;
        if (child.exitCode !== null) throw new Error(`it has ended: ${text}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

/** A simulated host, and an agent that is run on it as it says. `prepare` gets the folder of its hooks. */
async function hostAndAgent(prepare: (hooks: string) => void): Promise<{ host: Run; agent: Run; runDir: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'hp-sim-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const host = run('sim', 'host', `--dir=${join(folder, 'host')}`);
  const [, url = ''] = await host.says(/base_url = "(\S+)"/);
  const [, root = '', bus = '', state = '', runDir = ''] = await host.says(
    /--root (\S+) \\\s+--bus-address (\S+) --state-dir (\S+) --run-dir (\S+)\n/,
  );
  const [, hooks = ''] = await host.says(/Its hooks: +(\S+)\/EVENT\/NAME/);
  prepare(hooks);
  mkdirSync(join(folder, 'drop-ins'));
  const timing = 'agent.timing.steady_interval_secs = 1\n';
  writeFileSync(join(folder, 'drop-ins', 'a.toml'), `${timing}cincinnati.base_url = "${url}"\n`);
  const options = { 'config-dir': join(folder, 'drop-ins'), root, 'bus-address': bus, 'state-dir': state };
  const agent = run(
    'agent',
    ...Object.entries({ ...options, 'run-dir': runDir }).map(([name, value]) => `--${name}=${value}`),
  );
  return { host, agent, runDir };
}

test(
  'hooks of a simulated host run in its units, when an agent is run on it as it says',
  { timeout: 60_000 },
  async () => {
    const { agent, runDir } = await hostAndAgent((hooks) => {
      writeHook(hooks, 'may-reboot', '10-backup', 'echo "a backup runs"; exit 75');
    });
    await agent.says(/waiting: may-reboot hook 10-backup: a backup runs/);
    // What the unit is told stands there.
    expect(existsSync(join(runDir, 'hook-may-reboot.json'))).toBe(true);
  },
);

test('a reboot of a simulated host ends the agent that is run on it', { timeout: 60_000 }, async () => {
  const { host, agent } = await hostAndAgent(() => undefined);
  expect(await agent.ended()).toBe('SIGKILL');
  await host.says(/the host reboots\n[^]*up again, running/);
});
