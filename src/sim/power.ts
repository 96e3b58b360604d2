import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Power } from './api.ts';
import { replaceFile } from './files.ts';

/** Writes what the kernel says of a laptop's supplies, or removes it. */
export function writePower(root: string, power: Power): void {
  const dir = join(root, 'sys/class/power_supply');
  if (power === 'none') {
    rmSync(dir, { recursive: true, force: true });
    return;
  }
  const plugged = power === 'ac';
  write(join(dir, 'AC'), { type: 'Mains', online: plugged ? '1' : '0' });
  write(join(dir, 'BAT0'), { type: 'Battery', present: '1', status: plugged ? 'Charging' : 'Discharging' });
}

function write(dir: string, attributes: Readonly<Record<string, string>>): void {
  mkdirSync(dir, { recursive: true });
  for (const [name, value] of Object.entries(attributes)) replaceFile(join(dir, name), `${value}\n`);
}
