import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openBus } from '../../src/bus/bus.ts';

const POLKITD = ['/usr/lib/polkit-1/polkitd', '/usr/libexec/polkitd'].find((path) => existsSync(path));

/** Why the real polkit cannot be run here, on a bus of its own and with policies of its own; null: it can. */
export function lacksPolkitd(): string | null {
  if (process.getuid?.() !== 0) return 'only root can give it policies of its own';
  if (POLKITD === undefined) return 'polkitd is not installed';
  return spawnSync('unshare', ['-m', 'true']).status === 0 ? null : 'no mount namespaces here';
}

/** What the real polkit is to know. */
export interface PolkitFiles {
  /** Content of the one policy file. */
  readonly policy: string;
  /** Content of the one rules file. */
  readonly rules: string;
}

/** Runs the real polkit on a private bus, until the test is over. Resolves when it has its name. */
export async function startPolkitd(address: string, { policy, rules }: PolkitFiles): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hp-polkit-'));
  const [actions, rulesDir] = [join(folder, 'actions'), join(folder, 'rules.d')];
  for (const path of [actions, rulesDir]) mkdirSync(path);
  chmodSync(folder, 0o755);
  writeFileSync(join(actions, 'test.policy'), policy);
  writeFileSync(join(rulesDir, '10-test.rules'), rules);
  const script = [
    `mount --bind ${actions} /usr/share/polkit-1/actions`,
    `mount --bind ${rulesDir} /usr/share/polkit-1/rules.d`,
    `exec setpriv --pdeathsig KILL -- ${POLKITD ?? ''} --no-debug`,
  ];
  const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: address };
  const child = spawn('unshare', ['-m', 'sh', '-ec', script.join('\n')], { env, stdio: 'ignore' });
  onTestFinished(async () => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  });
  const bus = openBus({ address, random: Math.random });
  await new Promise<void>((resolve) => {
    bus.watchOwner('org.freedesktop.PolicyKit1', (owner) => owner !== null && resolve());
  });
  bus.close();
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
